// The time of the server, and the format of instants and durations. The server sends instants in local time; the browser
// only adds the time that has passed since a response.

let ahead = -Infinity; // server time minus this tab's monotonic clock, in milliseconds

// Synchronize with the instant of a response. A response arrives after it was made, so the estimate is never ahead, and
// the greatest one is the most accurate.
export function synchronize(at) {
  ahead = Math.max(ahead, Date.parse(at) - performance.now());
}

export const now = () => (ahead === -Infinity ? Date.now() : ahead + performance.now());

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LOCAL = /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?/;
const two = (number) => String(number).padStart(2, "0");

// The local time of an instant with its offset, as if it were UTC: for positions within a day.
export function wall(local) {
  const [, year, month, day, hour, minute, second = 0, rest = 0] = LOCAL.exec(local);
  return Date.UTC(year, month - 1, day, hour, minute, second) + Number(rest) * 1000;
}

export const offset = (local) => local.match(/(?:Z|[+-]\d\d:\d\d)$/)?.[0].replace("Z", "+00:00") ?? "";

// "Fri 27 Nov"; with the year if it is not the current one.
export function day(reading) {
  const date = new Date(reading);
  const year = date.getUTCFullYear();
  const named = `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return year === new Date(now()).getUTCFullYear() ? named : `${named} ${year}`;
}

export const hour = (reading, seconds = false) =>
  new Date(reading).toISOString().slice(11, seconds ? 19 : 16);

// "Fri 27 Nov 17:00", from an instant with its local offset. Seconds only if they are not zero.
export function written(local) {
  const reading = wall(local);
  return `${day(reading)} ${hour(reading, reading % 60_000 >= 1000)}`;
}

// The same, without the day if that is today.
export function soon(local, zone) {
  const today = inZone(now(), zone).slice(0, 10) === local.slice(0, 10);
  return today ? hour(wall(local)) : written(local);
}

// An instant in UTC, in the local time of a zone, in the form that `written` and `wall` read.
export function inZone(instant, zone) {
  const at = typeof instant === "number" ? instant : Date.parse(instant);
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "longOffset",
    }).formatToParts(at).map(({ type, value }) => [type, value]),
  );
  const shift = parts.timeZoneName.slice(3) || "+00:00";
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}${shift}`;
}

// A local time that was entered for a zone, with its offset there. In the hour that is repeated in autumn, the first of the
// two.
export function fromZone(entered, zone) {
  const reading = wall(entered);
  const shifts = [reading - 86_400_000, reading + 86_400_000].map((at) => offset(inZone(at, zone)));
  const fitting = shifts.find((shift) => wall(inZone(Date.parse(entered + shift), zone)) === reading);
  return entered + (fitting ?? shifts[0]);
}

// "1:02:03", for countdowns.
export function ticking(seconds) {
  const whole = Math.abs(Math.trunc(seconds));
  return `${Math.trunc(whole / 3600)}:${two(Math.trunc(whole / 60) % 60)}:${two(whole % 60)}`;
}

// "1 h 2 min", for durations.
export function length(seconds) {
  const whole = Math.abs(seconds);
  const parts = [[Math.trunc(whole / 3600), "h"], [Math.trunc(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const text = parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
  return (seconds < 0 ? "\u2212" : "") + (text || "0 s");
}

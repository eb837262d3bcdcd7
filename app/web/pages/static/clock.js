// How is one clock shown? Its time left in working time, ticking only while its calendar is open; beside it the local
// due instant with its weekday; its state with the reason; and, if it is late, whose promise that is.

import { changesAt, hoursOf, zoneOf } from "./calendars.js";
import { h } from "./dom.js";
import { inZone, length, now, offset, ticking, written } from "./time.js";
import { late, mark, sentence, waitsFor } from "./words.js";

export const LIVE = new Set(["awaiting", "running", "paused"]);
const WITH_CAUSE = new Set(["paused", "cancelled"]); // of a stop the cause is an event, which the record shows
const SOON = 0.25; // of the target: what is left is shown as little

// Seconds of working time left at this instant, from what was left when the answer was made at `base`.
function remaining(clock, base) {
  if (clock.remaining_seconds === null || clock.state !== "running" || !clock.open_now) return clock.remaining_seconds;
  const until = Math.min(now(), changesAt(clock.calendar));
  return clock.remaining_seconds - Math.max(0, Math.floor((until - Date.parse(base)) / 1000));
}

// The text and the urgency of a clock now: "1:12:05", "soon".
export function left(clock, base) {
  if (clock.state === "awaiting") return ["not started", "still"];
  if (clock.state === "cancelled") return ["\u2013", "still"];
  if (clock.state === "stopped") return [clock.met === false ? "missed" : "met", clock.met === false ? "late" : "still"];
  const seconds = remaining(clock, base);
  if (seconds === null) return ["unknown", "still"];
  if (clock.breached_at && clock.state === "running") return [seconds < 0 ? `\u2212${ticking(seconds)} late` : "late", "late"];
  const soon = clock.target_seconds && seconds < clock.target_seconds * SOON;
  return [ticking(Math.max(0, seconds)), clock.state === "paused" ? "still" : soon ? "soon" : "calm"];
}

// The local due instant with its weekday, and its offset from UTC.
export function due(desk, clock) {
  const local = clock.calendar_local_due ?? (clock.due_at && inZone(clock.due_at, zoneOf(desk, clock.calendar)));
  if (local) return [h("span", { class: "due" }, written(local)), h("small", {}, offset(local))];
  if (clock.due_if_resumed_now) {
    const then = inZone(clock.due_if_resumed_now, zoneOf(desk, clock.calendar));
    return [h("span", { class: "due" }, "no date while paused"), h("small", {}, `resumed now: ${written(then)}`)];
  }
  return [h("span", { class: "due none" }, "no date yet")];
}

export function state(desk, clock) {
  return [h("span", { class: `state ${clock.state}` }, clock.state), ...why(desk, clock).map((line) => h("small", {}, line))];
}

function why(desk, clock) {
  const zone = zoneOf(desk, clock.calendar);
  if (clock.state === "awaiting") {
    const since = clock.awaiting_since ? ` since ${written(inZone(clock.awaiting_since, zone))}` : "";
    return [waitsFor(clock.awaiting) + since];
  }
  const lines = clock.cause && WITH_CAUSE.has(clock.state) ? [clock.cause] : [];
  if (clock.open_now === false) {
    const hours = hoursOf(clock.calendar);
    const opens = hours?.next_change_local && !hours.open_now ? `, opens ${written(hours.next_change_local)}` : "";
    lines.push(`closed now${hours?.why ? ` (${hours.why})` : ""}${opens}`);
  }
  return [...lines, ...clock.flags.map((flag) => flag.replaceAll("_", " "))];
}

// A breach, a missed objective or a lapsed term: each has its own words and its own mark.
export function lateness(desk, clock) {
  if (!clock.breached_at) return [];
  const at = written(inZone(clock.breached_at, zoneOf(desk, clock.calendar)));
  const over = clock.overdue_seconds > 0 && clock.state !== "running" ? `, ${length(clock.overdue_seconds)} over` : "";
  return [
    h("span", { class: `late ${clock.kind}` }, h("span", { class: "mark", "aria-hidden": "true" }, mark(clock.kind)),
      ` ${sentence(late(clock.kind))}`),
    h("small", {}, `at ${at}${over}`),
  ];
}

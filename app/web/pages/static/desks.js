// One card for each desk: open or closed, what comes next, a holiday tomorrow, and how many clocks are due or overdue.

import { h } from "./dom.js";
import { day, soon, wall } from "./time.js";
import { reason, sentence } from "./words.js";

const COUNTS = [
  ["due_before_closing", "due before closing", ""],
  ["overdue", "overdue", "late"],
  ["objectives_missed", "objectives missed", "late"],
  ["awaiting", "not started", ""],
  ["paused", "paused", ""],
];

export function card(desk) {
  const hours = desk.hours[0];
  return h("li", { class: "panel desk", "data-desk": desk.desk },
    h("div", { class: "bar" },
      h("h3", {}, h("a", { href: `/?desk=${encodeURIComponent(desk.desk)}`, title: desk.name }, desk.desk)),
      h("span", { class: desk.open_now ? "open" : "closed" }, desk.open_now ? "Open" : "Closed")),
    h("p", {}, hours ? next(hours) : "No calendar"),
    ...desk.hours.slice(1).map((each) => h("p", { class: "hint" },
      `${each.calendar.split("/")[1]}: ${each.open_now ? "open" : "closed"}. ${next(each)}`)),
    hours?.holiday_tomorrow && h("p", { class: "holiday" }, tomorrow(hours.holiday_tomorrow)),
    h("dl", {}, COUNTS.map(([name, label, kind]) => h("div", { class: desk.counts[name] ? kind : "zero" },
      h("dt", {}, label), h("dd", { "data-count": name }, desk.counts[name])))));
}

function next(hours) {
  if (!hours.next_change_local) return hours.open_now ? "Always open" : sentence(reason(hours.why ?? "always closed"));
  const verb = hours.open_now ? "Closes" : "Opens";
  const why = hours.why ? ` (${hours.open_now ? "" : "now: "}${reason(hours.why)})` : "";
  return `${verb} ${soon(hours.next_change_local, hours.time_zone)}${why}`;
}

function tomorrow(closed) {
  const hours = closed.hours.length ? closed.hours.join(", ") : "closed";
  return `Tomorrow, ${day(wall(`${closed.date}T00:00`))}: ${closed.name}, ${hours}`;
}

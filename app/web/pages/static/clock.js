// Shows one clock: its working time left, counting down only while its calendar is open; its due date in local time; its
// state with the reason; and whether it is overdue.

import { changesAt, hoursOf, zoneOf } from "./calendars.js";
import { h } from "./dom.js";
import { inZone, length, now, offset, ticking, written } from "./time.js";
import { late, mark, reason, sentence, stateName, waitsFor } from "./words.js";

export const LIVE = new Set(["awaiting", "running", "paused"]);
const WITH_CAUSE = new Set(["paused", "cancelled"]); // the cause of a stop is an event id, listed under events
const SOON = 0.25; // share of the target below which the time left is highlighted

// Seconds of working time left now, computed from the seconds left at `base`.
function remaining(clock, base) {
  if (clock.remaining_seconds === null || clock.state !== "running" || !clock.open_now) return clock.remaining_seconds;
  const until = Math.min(now(), changesAt(clock.calendar));
  return clock.remaining_seconds - Math.max(0, Math.floor((until - Date.parse(base)) / 1000));
}

// The text and the urgency of a clock now: "1:12:05", "soon".
export function left(clock, base) {
  if (clock.state === "awaiting") return ["\u2013", "still"];
  if (clock.state === "cancelled") return ["\u2013", "still"];
  if (clock.state === "stopped") return [clock.met === false ? "Missed" : "Met", clock.met === false ? "late" : "still"];
  const seconds = remaining(clock, base);
  if (seconds === null) return ["Unknown", "still"];
  if (clock.breached_at && clock.state === "running") return [seconds < 0 ? `${ticking(seconds)} overdue` : "Overdue", "late"];
  const soon = clock.target_seconds && seconds < clock.target_seconds * SOON;
  return [ticking(Math.max(0, seconds)), clock.state === "paused" ? "still" : soon ? "soon" : "calm"];
}

// The due date in local time, and its offset from UTC.
export function due(desk, clock) {
  const local = clock.calendar_local_due ?? (clock.due_at && inZone(clock.due_at, zoneOf(desk, clock.calendar)));
  if (local) return [h("span", { class: "due" }, written(local)), h("small", {}, offset(local))];
  if (clock.due_if_resumed_now) {
    const then = inZone(clock.due_if_resumed_now, zoneOf(desk, clock.calendar));
    return [h("span", { class: "due" }, "No due date while paused"), h("small", {}, `If resumed now: ${written(then)}`)];
  }
  return [h("span", { class: "due none" }, "No due date yet")];
}

export function state(desk, clock) {
  return [h("span", { class: `state ${clock.state}` }, stateName(clock.state)), ...why(desk, clock).map((line) => h("small", {}, line))];
}

function why(desk, clock) {
  const zone = zoneOf(desk, clock.calendar);
  if (clock.state === "awaiting") {
    const since = clock.awaiting_since ? `, since ${written(inZone(clock.awaiting_since, zone))}` : "";
    return [waitsFor(clock.awaiting) + since];
  }
  const lines = clock.cause && WITH_CAUSE.has(clock.state) ? [sentence(clock.cause)] : [];
  if (clock.open_now === false) {
    const hours = hoursOf(clock.calendar);
    const opens = hours?.next_change_local && !hours.open_now ? `, opens ${written(hours.next_change_local)}` : "";
    lines.push(`Closed${hours?.why ? ` (${reason(hours.why)})` : ""}${opens}`);
  }
  return [...lines, ...clock.flags.map((flag) => sentence(flag.replaceAll("_", " ")))];
}

// A breached guarantee, a missed objective or a passed customer deadline: each has its own words and symbol.
export function lateness(desk, clock) {
  if (!clock.breached_at) return [];
  const at = written(inZone(clock.breached_at, zoneOf(desk, clock.calendar)));
  const over = clock.overdue_seconds > 0 && clock.state !== "running" ? `, overdue by ${length(clock.overdue_seconds)}` : "";
  return [
    h("span", { class: `late ${clock.kind}` }, h("span", { class: "mark", "aria-hidden": "true" }, mark(clock.kind)),
      ` ${sentence(late(clock.kind))}`),
    h("small", {}, `${at}${over}`),
  ];
}

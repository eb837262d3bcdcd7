// Draws a clock's explanation as a chart of days: one row for each local day, hours from left to right, with the periods
// that counted and those that did not, over the opening hours. The periods are those of the API; a table lists the same.

import { get, path, query } from "./api.js";
import { h, svg, table } from "./dom.js";
import { day, hour, inZone, length, now, offset, wall, written } from "./time.js";
import { SPANS, sentence } from "./words.js";

const DAY = 86_400_000;
const HOUR = DAY / 24;
const LABEL = 128; // width of the names of days, in units of the drawing
const WIDE = 864; // width of a day: 36 for each hour
const TALL = 38; // height of a row: the names of markers are above its bar
const BAR = 20;
const ABOVE = 15;
const TOP = 22;
const MANY = 14; // rows above which days that look the same share a row
const CLOSE = 64; // distance of two markers at which their names would overlap
const LETTER = 6.2; // approximate width of a letter: a reason that does not fit is shown only in the tooltip and the table
const PATTERNS = { paused: "paused", excluded: "excluded", awaiting: "awaiting", stopped: "awaiting", not_applying: "awaiting" };

let pictures = 0;

export async function explained(view, clock) {
  const { commitment, cycle } = clock;
  const explanation = await get(query(`/v1/tickets${path(view.desk, view.ticket)}/explanation`, { commitment, cycle }));
  if (!explanation.spans.length) return h("p", { class: "hint" }, "No time has been counted yet.");
  const zone = explanation.time_zone ?? "UTC";
  const spans = explanation.spans.map((span) => ({
    ...span,
    start_local: span.start_local ?? inZone(span.start, zone),
    end_local: span.end_local ?? inZone(span.end, zone),
  }));
  const ground = await openHours(explanation.calendar, spans);
  return h("div", { class: "explained" }, picture(explanation, spans, ground, zone), legend(spans), sums(explanation, spans), asTable(spans, explanation));
}

// The opening hours of the calendar for the days of the chart; none for one that is always open.
async function openHours(calendar, spans) {
  if (!calendar?.includes("/")) return [];
  const from = new Date(Date.parse(spans[0].start) - DAY).toISOString();
  const to = new Date(Date.parse(spans.at(-1).end) + DAY).toISOString();
  const found = await get(query(`/v1/calendars${path(...calendar.split("/"))}/spans`, { from, to }));
  return found.spans.filter((span) => span.open);
}

function picture(explanation, spans, ground, zone) {
  const id = `days-${++pictures}`;
  const marks = [mark("now", inZone(now(), zone)), explanation.due_local && mark("due", explanation.due_local)].filter(Boolean);
  const days = alike(byDay(spans, ground, marks));
  const height = TOP + days.length * TALL + 4;
  const summary = `${explanation.clock.label}: ${days.length} days, ${counted(spans)} counted of ${explanation.target}` +
    (explanation.due_local ? `, due ${written(explanation.due_local)}` : "");
  return h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": `Days of ${explanation.clock.label}, cycle ${explanation.clock.cycle}` },
    svg("svg", { class: "days", viewBox: `0 0 ${LABEL + WIDE + 12} ${height}`, role: "img", "aria-label": summary },
      patterns(id), scale(height), days.map((each, row) => drawn(each, TOP + row * TALL, id))));
}

const mark = (name, local) => ({ name, reading: wall(local), local });

// The pieces and markers of each local day that the spans touch, in local time.
function byDay(spans, ground, marks) {
  const days = new Map();
  const of = (reading) => {
    const start = Math.floor(reading / DAY) * DAY;
    if (!days.has(start)) days.set(start, { start, pieces: [], open: [], marks: [] });
    return days.get(start);
  };
  for (const span of spans) for (const piece of cut(span)) of(piece.from).pieces.push(piece);
  for (const span of ground) {
    for (const piece of cut(span)) days.get(Math.floor(piece.from / DAY) * DAY)?.open.push(piece);
  }
  for (const each of marks) days.get(Math.floor(each.reading / DAY) * DAY)?.marks.push(each);
  return [...days.values()].sort((one, other) => one.start - other.start);
}

// A span cut at local midnights. One inside the hour that is repeated in autumn can end before it starts: not drawn.
function cut(span) {
  const pieces = [];
  const end = wall(span.end_local);
  for (let from = wall(span.start_local); from < end; ) {
    const to = Math.min(end, (Math.floor(from / DAY) + 1) * DAY);
    pieces.push({ from, to, span });
    from = to;
  }
  return pieces;
}

// Consecutive days that look the same share one row, if there are many days.
function alike(days) {
  if (days.length <= MANY) return days;
  const appearance = ({ start, pieces, open, marks }) => marks.length ? null : JSON.stringify(
    [...pieces, ...open].map(({ from, to, span }) => [from - start, to - start, span.kind, span.reason, span.planned]));
  const rows = [];
  for (const each of days) {
    const before = rows.at(-1);
    if (before?.appearance && before.appearance === appearance(each)) before.last = each.start;
    else rows.push({ ...each, appearance: appearance(each) });
  }
  return rows;
}

const across = (reading, start) => LABEL + ((reading - start) / DAY) * WIDE;

function drawn({ start, last, pieces, open, marks }, top, id) {
  const bar = top + ABOVE;
  const name = last ? `${day(start)} \u2013 ${day(last)}` : day(start);
  return svg("g", {},
    svg("text", { class: last ? "day run" : "day", x: LABEL - 10, y: bar + 14, "text-anchor": "end" }, name),
    svg("rect", { class: "shut", x: LABEL, y: bar, width: WIDE, height: BAR }),
    open.map(({ from, to }) => svg("rect", { class: "ground", x: across(from, start), y: bar - 3, width: ((to - from) / DAY) * WIDE, height: BAR + 6 })),
    pieces.map((piece) => block(piece, start, bar, id)),
    lines(marks, start, bar));
}

function block({ from, to, span }, start, bar, id) {
  const width = Math.max(1, ((to - from) / DAY) * WIDE);
  const pattern = PATTERNS[span.kind];
  const place = { x: across(from, start), y: bar, width, height: BAR };
  const shown = span.kind === "counted" || span.kind === "overdue" ? "" : span.reason;
  const fits = shown && shown.length * LETTER + 8 < width;
  return svg("g", { class: `span ${span.kind}${span.planned ? " planned" : ""}` },
    svg("rect", { class: "fill", ...place, fill: pattern ? `url(#${id}-${pattern})` : null },
      svg("title", {}, `${hour(from)}\u2013${to - start === DAY ? "24:00" : hour(to)} ${SPANS[span.kind] ?? span.kind}: ${span.reason}${span.planned ? " (upcoming)" : ""}`)),
    fits && svg("text", { x: place.x + width / 2, y: bar + 14, "text-anchor": "middle" }, shown));
}

// The markers of a day from left to right; the name of one close to the next is placed on its left.
function lines(marks, start, bar) {
  const sorted = [...marks].sort((one, other) => one.reading - other.reading);
  return sorted.map(({ name, reading }, place) => {
    const x = across(reading, start);
    const follower = place + 1 < sorted.length ? across(sorted[place + 1].reading, start) : LABEL + WIDE;
    const left = follower - x < CLOSE;
    return svg("g", { class: `point ${name}` },
      svg("line", { x1: x, x2: x, y1: bar - 3, y2: bar + BAR + 3 }),
      svg("text", { x: left ? x - 1 : x + 1, y: bar - 5, "text-anchor": left ? "end" : "start" }, `${name} ${hour(reading)}`));
  });
}

function scale(height) {
  return Array.from({ length: 9 }, (_, place) => place * 3).map((at) => {
    const x = across(at * HOUR, 0);
    return svg("g", { class: "scale" },
      svg("line", { x1: x, x2: x, y1: TOP - 4, y2: height - 4 }),
      svg("text", { x, y: TOP - 9, "text-anchor": "middle" }, String(at).padStart(2, "0")));
  });
}

// Patterns differ by their lines, not only by colour.
function patterns(id) {
  const pattern = (name, ...content) => svg("pattern", {
    id: `${id}-${name}`, class: `pattern ${name}`, width: 8, height: 8, patternUnits: "userSpaceOnUse",
  }, svg("rect", { width: 8, height: 8 }), ...content);
  return svg("defs", {},
    pattern("paused", svg("path", { d: "M-2 2L2-2M0 8L8 0M6 10L10 6" })),
    pattern("excluded", svg("path", { d: "M0 8L8 0M-2 2L2-2M6 10L10 6M0 0L8 8" })),
    pattern("awaiting", svg("circle", { cx: 4, cy: 4, r: 1.3 })));
}

function legend(spans) {
  const kinds = [...new Set(spans.map(({ kind }) => kind))];
  return h("ul", { class: "legend", "aria-hidden": "true" },
    kinds.map((kind) => h("li", { class: kind }, sentence(SPANS[kind] ?? kind))),
    h("li", { class: "ground" }, "Opening hours"));
}

// "2 h", or "3 working days (24 h)" where the agreement writes it differently.
export function targetOf({ target, target_seconds }) {
  const exact = length(target_seconds);
  return exact.replaceAll(" ", "") === target ? exact : `${target} (${exact})`;
}

const lastCounted = (spans) => spans.findLast(({ kind }) => kind === "counted");
const counted = (spans) => length(lastCounted(spans)?.total_seconds ?? 0);

// Up to the due date exactly the target has counted; less if the clock stopped earlier.
function sums(explanation, spans) {
  const last = lastCounted(spans);
  const until = last && explanation.due_local ? `up to ${written(last.end_local)}` : "so far";
  const target = explanation.target_seconds === null ? "" : ` Target: ${targetOf(explanation)}.`;
  return h("p", { class: "sums" }, `Counted ${until}: `, h("strong", {}, counted(spans)), `.${target}`);
}

function asTable(spans, explanation) {
  const rows = spans.map((span) => [
    h("span", { title: span.start }, `${written(span.start_local)} `, h("small", {}, offset(span.start_local))),
    h("span", { title: span.end }, `${written(span.end_local)} `, h("small", {}, offset(span.end_local))),
    `${sentence(SPANS[span.kind] ?? span.kind)}${span.planned ? ", upcoming" : ""}`,
    [span.reason, span.source].filter(Boolean).join(" \u00b7 "),
    length(span.seconds),
    length(span.total_seconds),
  ]);
  const name = `Periods of ${explanation.clock.label}, cycle ${explanation.clock.cycle}`;
  const body = table(["From", "To", "Type", "Reason", "Duration", "Total counted"], rows);
  body.className = "spans";
  return h("details", {}, h("summary", {}, `Show as a table (${spans.length} ${spans.length === 1 ? "period" : "periods"})`),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": name }, body));
}

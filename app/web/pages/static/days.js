// A clock's life as a picture of its days: one row for each local day, the hours across. Open hours are the ground, on
// it what counted and what did not, and why. The spans are the API's own; the same stand in the table below it.

import { get, path, query } from "./api.js";
import { h, svg, table } from "./dom.js";
import { day, hour, inZone, length, now, offset, wall, written } from "./time.js";
import { SPANS, sentence } from "./words.js";

const DAY = 86_400_000;
const HOUR = DAY / 24;
const LABEL = 128; // width of the days' names, in the picture's own units
const WIDE = 864; // of a day: 36 an hour
const TALL = 38; // of a row: the marks' names stand above its bar
const BAR = 20;
const ABOVE = 15;
const TOP = 22;
const MANY = 14; // rows above which days that look alike are drawn once
const CLOSE = 64; // of two marks: their names would meet
const LETTER = 6.2; // how wide a letter is, about: a reason that does not fit is left to the tooltip and the table
const PATTERNS = { paused: "paused", excluded: "excluded", awaiting: "awaiting", stopped: "awaiting", not_applying: "awaiting" };

let pictures = 0;

export async function explained(view, clock) {
  const { commitment, cycle } = clock;
  const told = await get(query(`/v1/tickets${path(view.desk, view.ticket)}/explanation`, { commitment, cycle }));
  if (!told.spans.length) return h("p", { class: "hint" }, "Nothing has counted yet.");
  const zone = told.time_zone ?? "UTC";
  const spans = told.spans.map((span) => ({
    ...span,
    start_local: span.start_local ?? inZone(span.start, zone),
    end_local: span.end_local ?? inZone(span.end, zone),
  }));
  const ground = await openHours(told.calendar, spans);
  return h("div", { class: "explained" }, picture(told, spans, ground, zone), legend(spans), sums(told, spans), inWords(spans, told));
}

// The calendar's own hours over the days of the picture. One that is always open has none to draw.
async function openHours(calendar, spans) {
  if (!calendar?.includes("/")) return [];
  const from = new Date(Date.parse(spans[0].start) - DAY).toISOString();
  const to = new Date(Date.parse(spans.at(-1).end) + DAY).toISOString();
  const found = await get(query(`/v1/calendars${path(...calendar.split("/"))}/spans`, { from, to }));
  return found.spans.filter((span) => span.open);
}

function picture(told, spans, ground, zone) {
  const id = `days-${++pictures}`;
  const marks = [mark("now", inZone(now(), zone)), told.due_local && mark("due", told.due_local)].filter(Boolean);
  const days = alike(byDay(spans, ground, marks));
  const height = TOP + days.length * TALL + 4;
  const summary = `${told.clock.label}: ${days.length} rows of days, ${counted(spans)} counted of ${told.target}` +
    (told.due_local ? `, due ${written(told.due_local)}` : "");
  return h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": `Days of ${told.clock.label}, cycle ${told.clock.cycle}` },
    svg("svg", { class: "days", viewBox: `0 0 ${LABEL + WIDE + 12} ${height}`, role: "img", "aria-label": summary },
      patterns(id), scale(height), days.map((each, row) => drawn(each, TOP + row * TALL, id))));
}

const mark = (name, local) => ({ name, reading: wall(local), local });

// The pieces of each local day that the spans touch, in wall-clock time, and the marks that fall on them.
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

// A span cut at local midnights. Where clocks are put back it may seem to end before it began: then nothing is drawn.
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

// Of many days, those in a run that look the same are one row.
function alike(days) {
  if (days.length <= MANY) return days;
  const look = ({ start, pieces, open, marks }) => marks.length ? null : JSON.stringify(
    [...pieces, ...open].map(({ from, to, span }) => [from - start, to - start, span.kind, span.reason, span.planned]));
  const rows = [];
  for (const each of days) {
    const before = rows.at(-1);
    if (before?.look && before.look === look(each)) before.last = each.start;
    else rows.push({ ...each, look: look(each) });
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
      svg("title", {}, `${hour(from)}\u2013${to - start === DAY ? "24:00" : hour(to)} ${SPANS[span.kind] ?? span.kind}: ${span.reason}${span.planned ? " (still to come)" : ""}`)),
    fits && svg("text", { x: place.x + width / 2, y: bar + 14, "text-anchor": "middle" }, shown));
}

// The marks of a day from left to right; the name of one that stands close before another leans to the left.
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

// Told apart by their lines, not by their colour alone.
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
    kinds.map((kind) => h("li", { class: kind }, SPANS[kind] ?? kind)),
    h("li", { class: "ground" }, "open hours"));
}

const lastCounted = (spans) => spans.findLast(({ kind }) => kind === "counted");
const counted = (spans) => length(lastCounted(spans)?.total_seconds ?? 0);

// What has counted up to the due date is the target, neither more nor less; a clock that stopped before has less.
function sums(told, spans) {
  const last = lastCounted(spans);
  const until = last && told.due_local ? `up to ${written(last.end_local)}` : "so far";
  const target = told.target_seconds === null ? "" : ` The target ${told.target} is ${length(told.target_seconds)}.`;
  return h("p", { class: "sums" }, `Counted ${until}: `, h("strong", {}, counted(spans)), `.${target}`);
}

function inWords(spans, told) {
  const rows = spans.map((span) => [
    h("span", { title: span.start }, `${written(span.start_local)} `, h("small", {}, offset(span.start_local))),
    h("span", { title: span.end }, `${written(span.end_local)} `, h("small", {}, offset(span.end_local))),
    `${sentence(SPANS[span.kind] ?? span.kind)}${span.planned ? ", to come" : ""}`,
    [span.reason, span.source].filter(Boolean).join(" \u00b7 "),
    length(span.seconds),
    length(span.total_seconds),
  ]);
  const name = `Spans of ${told.clock.label}, cycle ${told.clock.cycle}`;
  const body = table(["From", "To", "What", "Why", "Length", "Counted by then"], rows);
  body.className = "spans";
  return h("details", {}, h("summary", {}, `The same as a table (${spans.length} spans)`),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": name }, body));
}

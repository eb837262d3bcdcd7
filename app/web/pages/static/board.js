// The board: the clocks of all desks by due date. Reads tickets page by page, follows the event stream, counts down.

import { get, path, query } from "./api.js";
import { learn, untilChange, zoneOf } from "./calendars.js";
import { LIVE, due, lateness, left, state } from "./clock.js";
import { card } from "./desks.js";
import { arrange, find, h, write } from "./dom.js";
import { debounced, follow } from "./live.js";
import * as recent from "./recent.js";
import { attempt, signedIn } from "./session.js";
import { inZone, written } from "./time.js";
import { kind, moved } from "./words.js";

const PAGE = 50; // tickets read at a time, of each state
const MAX_PAGE = 500;
const ROWS = 100; // clocks shown at first, and by each "show more"
const FEW = 8; // tickets read one by one after a burst of signals; above that, the lists are read
const GATHER = 120; // milliseconds in which signals are collected before their tickets are read
const DESKS = 1000; // milliseconds between two reads of the desks while signals arrive
const TICK = 250;
const REFRESH = 60_000; // milliseconds; some values change without a signal: dates, forecasts
const AFTER_CHANGE = 400; // milliseconds after a calendar opens or closes until everything is read again
const MAX_TIMEOUT = 2 ** 31 - 1;

const tickets = new Map(); // by "desk/ticket"
const rows = new Map(); // what is shown, by clock
const stale = new Map(); // tickets to read again after signals
let nextPages = []; // parameters of the lists that have a next page
let shown = ROWS;
let filters = readFilters();

function readFilters() {
  const given = new URLSearchParams(location.search);
  return { desk: given.get("desk") ?? "", state: given.get("state") ?? "", breached: given.get("breached") === "true" };
}

const keyOf = ({ desk, ticket }) => path(desk, ticket);

// The lists to read: one for each open state, because most tickets are done.
function listParameters() {
  const limit = Math.min(MAX_PAGE, (PAGE * shown) / ROWS);
  const common = { desk: filters.desk, breached: filters.breached ? "true" : "", limit };
  if (filters.state || filters.breached) return [{ ...common, state: filters.state }];
  return [...LIVE].map((state) => ({ ...common, state }));
}

async function readLists() {
  const parameters = listParameters();
  const [desks, ...lists] = await Promise.all([
    get("/v1/desks"),
    ...parameters.map((each) => get(query("/v1/tickets", each))),
  ]);
  showDesks(desks);
  const readAt = Date.parse(desks.at);
  for (const [key, view] of tickets) if (Date.parse(view.at) <= readAt) tickets.delete(key);
  nextPages = [];
  lists.forEach((list, place) => addList(list, parameters[place]));
  draw();
}

function addList(list, parameters) {
  list.tickets.forEach(add);
  if (list.next) nextPages.push({ ...parameters, cursor: list.next });
}

// Keeps the newer of two views: responses may arrive out of order.
function add(view) {
  const old = tickets.get(keyOf(view));
  if (old && Date.parse(old.at) > Date.parse(view.at)) return;
  tickets.set(keyOf(view), view);
}

function showDesks({ desks }) {
  learn(desks);
  find("#desks").replaceChildren(...desks.map(card));
  const select = find("#filters").elements.desk;
  const names = ["", ...desks.map(({ desk }) => desk)];
  if (names.join() !== [...select.options].map(({ value }) => value).join()) {
    select.replaceChildren(...names.map((name) => h("option", { value: name }, name || "All")));
  }
  select.value = filters.desk;
  waitForChange();
}

const readDesks = debounced(() => attempt(async () => showDesks(await get("/v1/desks"))), DESKS);

const readStale = debounced(() => attempt(async () => {
  const about = [...stale.values()];
  stale.clear();
  if (about.length > FEW) return readLists();
  const views = await Promise.all(about.map((each) => get(`/v1/tickets${keyOf(each)}`)));
  views.forEach(add);
  draw();
}), GATHER);

// A signal carries the whole clock, so it is shown at once; then its ticket is read.
function onSignal(signal) {
  recent.add(signal);
  const view = tickets.get(keyOf(signal));
  if (view && signal.clock) {
    const same = ({ commitment, cycle }) => commitment === signal.commitment && cycle === signal.clock.cycle;
    const clock = { ...signal.clock, base: signal.detected_at };
    tickets.set(keyOf(signal), { ...view, clocks: [...view.clocks.filter((each) => !same(each)), clock] });
    draw();
  }
  if (signal.ticket) stale.set(keyOf(signal), { desk: signal.desk, ticket: signal.ticket });
  readStale();
  readDesks();
}

const matches = (view, clock) =>
  (!filters.desk || view.desk === filters.desk) &&
  (filters.state ? clock.state === filters.state : filters.breached || LIVE.has(clock.state)) &&
  (!filters.breached || clock.breached_at !== null);

const RANK = ["running", "paused", "awaiting", "stopped", "cancelled"];

// By due date; then clocks without one, the longest waiting first.
function order(one, other) {
  const [a, b] = [one, other].map(({ clock }) => Date.parse(clock.due_at ?? "") || Infinity);
  if (a !== b) return a - b;
  const rank = RANK.indexOf(one.clock.state) - RANK.indexOf(other.clock.state);
  const since = ({ clock }) => clock.due_if_resumed_now ?? clock.awaiting_since ?? clock.started_at ?? "";
  return rank || since(one).localeCompare(since(other)) || one.key.localeCompare(other.key);
}

function matching() {
  const found = [];
  for (const [key, view] of tickets) {
    const clocks = view.clocks.filter((clock) => matches(view, clock));
    if (!clocks.length) tickets.delete(key);
    for (const clock of clocks) found.push({ key: `${key} ${clock.commitment} ${clock.cycle}`, view, clock });
  }
  return found.sort(order);
}

function draw() {
  const all = matching();
  const visible = all.slice(0, shown);
  for (const key of rows.keys()) if (!visible.some((each) => each.key === key)) rows.delete(key);
  arrange(find("#clocks tbody"), visible.map((each) => drawn(each).element));
  find("#none").hidden = all.length > 0;
  find("#more").hidden = all.length <= shown && nextPages.length === 0;
  tick();
}

// A row is rebuilt only when something in it changed, so that the focus is kept.
function drawn({ key, view, clock }) {
  const old = rows.get(key);
  const cells = [clock.base ?? view.at, { ...view, at: "", as_of: "", clocks: [] }, { ...clock, base: "" }];
  const content = JSON.stringify(cells.slice(1), (name, value) =>
    ["remaining_seconds", "counted_seconds", "overdue_seconds", "due_if_resumed_now"].includes(name) ? undefined : value);
  if (old?.content === content) return Object.assign(old, { clock, base: cells[0] });
  const element = row(view, clock);
  if (clock.breached_at && old && !old.clock.breached_at) element.classList.add("highlight");
  const made = { element, content, clock, base: cells[0] };
  rows.set(key, made);
  return made;
}

const cell = (label, attributes, ...children) =>
  h("td", { role: "cell", "data-label": label, ...attributes }, h("div", {}, ...children));

function row(view, clock) {
  const href = `/tickets${path(view.desk, view.ticket)}`;
  return h("tr", { role: "row", "data-ticket": view.ticket, "data-desk": view.desk, "data-commitment": clock.commitment, "data-state": clock.state },
    h("th", { role: "rowheader", scope: "row", "data-label": "Ticket" }, h("div", {},
      h("span", { class: "name" }, h("span", { class: "chip" }, view.desk), " ", h("a", { href }, view.ticket)),
      view.title && h("small", { class: "title" }, view.title))),
    cell("Commitment", {}, clock.label, h("small", {}, [kind(clock.kind), clock.target, clock.cycle > 1 && `cycle ${clock.cycle}`].filter(Boolean).join(" \u00b7 "))),
    cell("Working time left", { class: "number" }, h("span", { class: "left" })),
    cell("Due", {}, ...due(view.desk, clock)),
    cell("State", {}, ...state(view.desk, clock), ...lateness(view.desk, clock)),
    cell("Queue", {}, ...place(view)));
}

function place(view) {
  if (!view.queue) return [h("span", { class: "none" }, "\u2013")];
  const { name, position, length, moves } = view.queue;
  const last = moves.at(-1);
  const when = last && written(inZone(last.at, zoneOf(view.desk)));
  return [
    h("a", { href: `/queues${path(view.desk, name)}` }, `${position ?? "?"} of ${length ?? "?"}`),
    h("small", {}, last ? [moved(last), h("br"), when] : name),
  ];
}

function tick() {
  for (const { element, clock, base } of rows.values()) {
    const [text, urgency] = left(clock, base);
    const place = find(".left", element);
    write(place, text);
    if (place.dataset.urgency !== urgency) place.dataset.urgency = urgency;
  }
}

let change = null;

function waitForChange() {
  clearTimeout(change);
  const ahead = untilChange() + AFTER_CHANGE;
  if (ahead < MAX_TIMEOUT) change = setTimeout(() => attempt(readLists), ahead);
}

async function more() {
  shown += ROWS;
  const pages = nextPages;
  nextPages = [];
  await attempt(async () => {
    const lists = await Promise.all(pages.map((parameters) => get(query("/v1/tickets", parameters))));
    lists.forEach((list, place) => addList(list, pages[place]));
  });
  draw();
}

function showFilters() {
  const { elements } = find("#filters");
  Object.assign(elements.state, { value: filters.state });
  elements.breached.checked = filters.breached;
  elements.desk.value = filters.desk;
}

function filtersChanged() {
  const { desk, state, breached } = find("#filters").elements;
  const given = { desk: desk.value, state: state.value, breached: breached.checked ? "true" : "" };
  history.pushState(null, "", query("/", given));
  filtered();
}

function filtered() {
  filters = readFilters();
  shown = ROWS;
  tickets.clear();
  showFilters();
  attempt(readLists);
}

showFilters();
find("#filters").addEventListener("change", filtersChanged);
find("#filters").addEventListener("submit", (submitted) => submitted.preventDefault());
find("#more").addEventListener("click", more);
window.addEventListener("popstate", filtered);
setInterval(tick, TICK);
setInterval(() => document.hidden || attempt(readLists), REFRESH);

await signedIn(() => null);
await follow({
  latest: recent.SHOWN,
  onSignal,
  read: async (signals) => {
    await readLists();
    recent.begin(signals);
  },
});

// A ticket: its clocks with their explanations, its position in the queue, its events and its signals.

import { get, path, query } from "./api.js";
import { learn, untilChange, zoneOf } from "./calendars.js";
import { LIVE, due, lateness, left, state } from "./clock.js";
import { explained, targetOf } from "./days.js";
import { arrange, find, h, write } from "./dom.js";
import { buttons, choices, forms } from "./facts.js";
import { debounced, follow } from "./live.js";
import { about, loudness } from "./recent.js";
import { attempt, signedIn } from "./session.js";
import { inZone, length, written } from "./time.js";
import { kind, moved, sentence, signal as signalName } from "./words.js";

const GATHER = 120; // milliseconds in which signals are collected
const TICK = 250;
const REFRESH = 60_000;
const AFTER_CHANGE = 400;
const MAX_TIMEOUT = 2 ** 31 - 1;
const SIGNALS = 200; // the latest ones of the ticket
const FIELDS = ["status", "priority", "customer", "organisation", "contract", "plan", "level", "service", "category", "domain", "assignee", "group"];

const { desk, ticket } = document.body.dataset;
const here = `/v1/tickets${path(desk, ticket)}`;
const opened = new Map(); // whether the visitor has opened or closed an explanation, by clock
const cards = new Map(); // what is shown, by clock
const TICKS = new Set(["remaining_seconds", "counted_seconds", "overdue_seconds", "due_if_resumed_now"]);
let view = null;
let commitments = [];
let labels = new Map();
let change = null;

async function read({ afresh = false } = {}) {
  const [desks, agreement, found, events, { signals }] = await Promise.all([
    get(query("/v1/desks", { desk })),
    get(`/v1/agreements${path(desk)}`),
    get(here),
    everyEvent(),
    get(query("/v1/signals", { desk, ticket, latest: true, limit: SIGNALS })),
  ]);
  learn(desks.desks);
  commitments = agreement.document?.commitments ?? [];
  labels = new Map(agreement.commitments.map((commitment) => [commitment.id, commitment.label]));
  view = found;
  head();
  showPosition();
  drawEvents(events);
  drawSignals(signals, new Map(events.map(({ id, type }) => [id, type])));
  choices(view, events);
  await drawClocks(events.length, afresh);
  clearTimeout(change);
  const ahead = untilChange() + AFTER_CHANGE;
  if (ahead < MAX_TIMEOUT) change = setTimeout(readAfresh, ahead);
}

async function everyEvent() {
  const events = [];
  let after = null;
  do {
    const page = await get(after === null ? `${here}/events` : query(`${here}/events`, { after }));
    events.push(...page.events);
    after = page.next;
  } while (after !== null);
  return events;
}

const readAgain = debounced(() => attempt(read), GATHER);
const readAfresh = debounced(() => attempt(() => read({ afresh: true })), GATHER);

function head() {
  write(find("#title"), view.title ?? `Ticket ${ticket}`);
  const created = view.created_at && written(inZone(view.created_at, zoneOf(desk)));
  const fields = [...FIELDS.map((name) => [name, view[name]]), ["created", created]].filter(([, value]) => value);
  const link = view.url && /^https?:/.test(view.url) && ["Link", h("a", { href: view.url, rel: "noreferrer" }, view.url)];
  find("#fields").replaceChildren(...[...fields, link].filter(Boolean).map(([name, value]) =>
    h("div", {}, h("dt", {}, sentence(name)), h("dd", {}, value))));
  find("#flags").hidden = view.flags.length === 0;
  write(find("#flags"), `Flags: ${view.flags.map((flag) => flag.replaceAll("_", " ")).join(", ")}`);
  const withheld = view.not_applicable.map(({ commitment, reason }) => h("li", {}, h("strong", {}, label(commitment)), `: ${reason}`));
  find("#withheld").replaceChildren(...(withheld.length ? [h("h3", {}, "Not applicable"), h("ul", {}, withheld)] : []));
}

const label = (id) => labels.get(id) ?? id;
const keyOf = ({ commitment, cycle }) => `${commitment} ${cycle}`;

// A card is rebuilt when something in it changed or, if `afresh`, because time has moved its markers; but not while it has
// the focus. All are built before any is shown, so that the layout does not shift while explanations load.
async function drawClocks(count, afresh) {
  const made = await Promise.all(view.clocks.map(async (clock) => {
    const key = keyOf(clock);
    const old = cards.get(key);
    const content = JSON.stringify([count, clock], (name, value) => (TICKS.has(name) ? undefined : value));
    const kept = old?.content === content && (!afresh || old.element.contains(document.activeElement));
    if (kept) return [key, old];
    const element = await card(clock);
    if (old && find(".explained > details[open]", old.element)) find(".explained > details", element)?.setAttribute("open", "");
    return [key, { content, element, focus: old?.element.contains(document.activeElement) }];
  }));
  cards.clear();
  for (const [key, each] of made) cards.set(key, each);
  const elements = made.map(([, { element }]) => element);
  arrange(find("#clocks"), elements.length ? elements : [h("p", { class: "hint" }, "No commitment applies to this ticket.")]);
  // The focus stays at the clock if its button is gone.
  made.find(([, { focus }]) => focus)?.[1].element.querySelector("button, summary")?.focus();
  for (const [, each] of made) each.focus = false;
  tick();
}

async function card(clock) {
  const key = keyOf(clock);
  const open = opened.get(key) ?? (LIVE.has(clock.state) || view.clocks.length === 1);
  const body = h("div", {});
  const details = h("details", { class: "why", open, toggle: () => shown(details, body, key, clock) }, h("summary", {}, "Timeline"), body);
  if (open) {
    body.dataset.loaded = "";
    body.append(await explained(view, clock));
  }
  const title = clock.cycle > 1 ? `${clock.label}, cycle ${clock.cycle}` : clock.label;
  return h("article", { class: "panel clock", "data-clock": key, "data-commitment": clock.commitment, "data-state": clock.state },
    h("div", { class: "bar" }, h("h3", {}, title), h("span", { class: "hint" }, `${sentence(kind(clock.kind))} \u00b7 ${clock.measure.replaceAll("_", " ")}`)),
    h("div", { class: "facets" },
      facet("Working time left", h("span", { class: "left big" })),
      facet("Due", ...due(desk, clock)),
      facet("State", ...state(desk, clock), ...lateness(desk, clock)),
      facet("Target", clock.target_seconds === null ? (clock.target ?? "None") : targetOf(clock)),
      facet("Counted", length(clock.counted_seconds), h("small", {}, clock.calendar ?? "")),
      clock.started_at && facet("Started", written(inZone(clock.started_at, zoneOf(desk, clock.calendar)))),
      clock.stopped_at && facet("Stopped", written(inZone(clock.stopped_at, zoneOf(desk, clock.calendar))))),
    buttons(view, clock, commitments, read),
    details);
}

const facet = (name, ...content) => h("div", { class: "facet" }, h("div", { class: "name" }, name), h("div", {}, ...content));

// An explanation is loaded when it is opened: a ticket may have dozens of clocks.
async function shown(details, body, key, clock) {
  opened.set(key, details.open);
  if (!details.open || "loaded" in body.dataset) return;
  body.dataset.loaded = "";
  await attempt(async () => body.append(await explained(view, clock)));
}

function showPosition() {
  find("#queue").hidden = !view.queue;
  if (!view.queue) return;
  const { name, position, length: of, joined_at, moves, expected_reply_at, expected_reply_reason } = view.queue;
  const at = (instant) => written(inZone(instant, zoneOf(desk)));
  const reply = expected_reply_at ? `Expected reply: ${at(expected_reply_at)}.` : `No reply time can be forecast: ${expected_reply_reason ?? "unknown reason"}.`;
  find("#position").replaceChildren(
    h("p", {}, h("strong", {}, `${position ?? "?"} of ${of ?? "?"}`), " in ", h("a", { href: `/queues${path(desk, name)}` }, `queue ${name}`),
      `, at this position since ${at(joined_at)}. ${reply}`),
    h("ol", { class: "moves" }, moves.map((move) => h("li", {}, `${at(move.at)} \u00b7 ${moved(move)}`))));
}

function drawEvents(events) {
  const at = (instant) => written(inZone(instant, zoneOf(desk)));
  find("#events tbody").replaceChildren(...events.map((event) => h("tr", { class: event.stands ? null : "withdrawn", "data-id": event.id },
    h("td", {}, at(event.time)),
    h("td", {}, event.type, !event.known && h("small", {}, "Unknown type: stored, without effect"), !event.stands && h("small", {}, "No longer in effect")),
    h("td", {}, details(event.data), Object.keys(event.attributes).length > 0 && h("small", {}, details(event.attributes))),
    h("td", {}, at(event.received_at)),
    h("td", {}, h("code", {}, event.id)))));
}

const details = (data) => Object.entries(data).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("; ");

// A signal's cause is a word or the id of an event.
function drawSignals(signals, types) {
  const why = (cause) => (types.has(cause) ? `Cause: ${types.get(cause)} (${cause})` : `Cause: ${cause}`);
  const replaced = new Set(signals.filter((signal) => signal.kind.endsWith("_retracted")).map((signal) => signal.replaces));
  const rows = [...signals].reverse().map((signal) => {
    const zone = zoneOf(desk, signal.clock?.calendar);
    return h("tr", { class: replaced.has(signal.id) ? "withdrawn" : loudness(signal) || null, "data-kind": signal.kind },
      h("td", {}, written(inZone(signal.at, zone)), signal.late && h("small", {}, "Reported late")),
      h("td", {}, sentence(signalName(signal.kind)), replaced.has(signal.id) && h("small", {}, "Retracted")),
      h("td", {}, about(signal), signal.cause && signal.clock && h("small", {}, why(signal.cause))),
      h("td", {}, written(inZone(signal.detected_at, zone))));
  });
  find("#signals tbody").replaceChildren(...rows);
}

function tick() {
  if (!view) return;
  for (const clock of view.clocks) {
    const element = find(`article[data-clock="${CSS.escape(keyOf(clock))}"] .left`);
    if (!element) continue;
    const [text, urgency] = left(clock, view.at);
    write(element, text);
    element.dataset.urgency = urgency;
  }
}

forms(() => view, read);
setInterval(tick, TICK);
setInterval(() => document.hidden || readAfresh(), REFRESH);

await signedIn(() => null);
await follow({
  read,
  onSignal: (signal) => {
    if (signal.desk === desk && signal.ticket === ticket) readAgain();
  },
});

// A ticket: all its clocks and why they stand as they do, its place in the queue, and everything that happened to it.

import { get, path, query } from "./api.js";
import { learn, untilChange, zoneOf } from "./calendars.js";
import { LIVE, due, lateness, left, state } from "./clock.js";
import { explained } from "./days.js";
import { arrange, find, h, write } from "./dom.js";
import { buttons, choices, forms } from "./facts.js";
import { follow, gathered } from "./live.js";
import { about, loudness } from "./recent.js";
import { attempt, signedIn } from "./session.js";
import { inZone, length, written } from "./time.js";
import { cause, kind, sentence, signal as said } from "./words.js";

const GATHER = 120; // milliseconds in which signals are gathered
const TICK = 250;
const REFRESH = 60_000;
const AFTER_CHANGE = 400;
const LONGEST_TIMER = 2 ** 31 - 1;
const SIGNALS = 200; // of the ticket's latest
const FIELDS = ["status", "priority", "customer", "organisation", "plan", "level", "service", "category", "domain", "assignee", "group"];

const { desk, ticket } = document.body.dataset;
const here = `/v1/tickets${path(desk, ticket)}`;
const opened = new Map(); // which explanations a person has opened or closed, by clock
const cards = new Map(); // what is shown, by clock
const TICKS = new Set(["remaining_seconds", "counted_seconds", "overdue_seconds", "due_if_resumed_now"]);
let view = null;
let commitments = [];
let change = null;

async function read({ afresh = false } = {}) {
  const [desks, agreement, found, { events }, { signals }] = await Promise.all([
    get(query("/v1/desks", { desk })),
    get(`/v1/agreements${path(desk)}`),
    get(here),
    get(`${here}/events`),
    get(query("/v1/signals", { desk, ticket, latest: true, limit: SIGNALS })),
  ]);
  learn(desks.desks);
  commitments = agreement.document?.commitments ?? [];
  view = found;
  head();
  place();
  drawEvents(events);
  drawSignals(signals, new Map(events.map(({ id, type }) => [id, type])));
  choices(view, events);
  await drawClocks(events.length, afresh);
  clearTimeout(change);
  const ahead = untilChange() + AFTER_CHANGE;
  if (ahead < LONGEST_TIMER) change = setTimeout(readAfresh, ahead);
}

const readAgain = gathered(() => attempt(read), GATHER);
const readAfresh = gathered(() => attempt(() => read({ afresh: true })), GATHER);

function head() {
  write(find("#title"), view.title ?? `Ticket ${ticket}`);
  const created = view.created_at && written(inZone(view.created_at, zoneOf(desk)));
  const fields = [...FIELDS.map((name) => [name, view[name]]), ["created", created]].filter(([, value]) => value);
  const link = view.url && /^https?:/.test(view.url) && ["at its source", h("a", { href: view.url, rel: "noreferrer" }, view.url)];
  find("#fields").replaceChildren(...[...fields, link].filter(Boolean).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  find("#flags").hidden = view.flags.length === 0;
  write(find("#flags"), `Flags: ${view.flags.map((flag) => flag.replaceAll("_", " ")).join(", ")}`);
  const withheld = view.not_applicable.map(({ commitment, reason }) => h("li", {}, h("strong", {}, label(commitment)), `: ${reason}`));
  find("#withheld").replaceChildren(...(withheld.length ? [h("h3", {}, "Does not apply"), h("ul", {}, withheld)] : []));
}

const label = (id) => commitments.find((commitment) => commitment.id === id)?.label ?? id;
const keyOf = ({ commitment, cycle }) => `${commitment} ${cycle}`;

// A card is made anew when something in it changed or, afresh, when time has moved its marks; never under a person's
// hands. All are made before any is shown, so that nothing jumps while the explanations come in.
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
  arrange(find("#clocks"), elements.length ? elements : [h("p", { class: "hint" }, "No promise applies to this ticket.")]);
  // Whoever pressed a button that is gone stays at its clock.
  made.find(([, { focus }]) => focus)?.[1].element.querySelector("button, summary")?.focus();
  for (const [, each] of made) each.focus = false;
  tick();
}

async function card(clock) {
  const key = keyOf(clock);
  const open = opened.get(key) ?? (LIVE.has(clock.state) || view.clocks.length === 1);
  const body = h("div", {});
  const details = h("details", { class: "why", open, toggle: () => shown(details, body, key, clock) }, h("summary", {}, "Why: its days"), body);
  if (open) {
    body.dataset.asked = "";
    body.append(await explained(view, clock));
  }
  const title = clock.cycle > 1 ? `${clock.label}, cycle ${clock.cycle}` : clock.label;
  return h("article", { class: "panel clock", "data-clock": key, "data-commitment": clock.commitment, "data-state": clock.state },
    h("div", { class: "bar" }, h("h3", {}, title), h("span", { class: "hint" }, `${kind(clock.kind)} \u00b7 ${clock.measure}`)),
    h("div", { class: "facets" },
      facet("Working time left", h("span", { class: "left big" })),
      facet("Due", ...due(desk, clock)),
      facet("State", ...state(desk, clock), ...lateness(desk, clock)),
      facet("Target", clock.target ?? "none", clock.target_seconds !== null && h("small", {}, length(clock.target_seconds))),
      facet("Counted", length(clock.counted_seconds), h("small", {}, clock.calendar ?? "")),
      clock.started_at && facet("Started", written(inZone(clock.started_at, zoneOf(desk, clock.calendar)))),
      clock.stopped_at && facet("Stopped", written(inZone(clock.stopped_at, zoneOf(desk, clock.calendar))))),
    buttons(view, clock, commitments, read),
    details);
}

const facet = (name, ...content) => h("div", { class: "facet" }, h("div", { class: "name" }, name), h("div", {}, ...content));

// An explanation is asked for when a person opens it: a ticket may have dozens of clocks.
async function shown(details, body, key, clock) {
  opened.set(key, details.open);
  if (!details.open || "asked" in body.dataset) return;
  body.dataset.asked = "";
  await attempt(async () => body.append(await explained(view, clock)));
}

function place() {
  find("#queue").hidden = !view.queue;
  if (!view.queue) return;
  const { name, position, length: of, joined_at, moves, expected_reply_at, expected_reply_reason } = view.queue;
  const at = (instant) => written(inZone(instant, zoneOf(desk)));
  const reply = expected_reply_at ? `Reply expected ${at(expected_reply_at)}.` : `No reply can be forecast: ${expected_reply_reason ?? "unknown"}.`;
  find("#place").replaceChildren(
    h("p", {}, h("strong", {}, `${position ?? "?"} of ${of ?? "?"}`), " in ", h("a", { href: `/queues${path(desk, name)}` }, `queue ${name}`),
      `, in this place since ${at(joined_at)}. ${reply}`),
    h("ol", { class: "moves" }, moves.map((move) => h("li", {}, `${at(move.at)}: ${move.kind}, ${cause(move.cause)}`))));
}

function drawEvents(events) {
  const at = (instant) => written(inZone(instant, zoneOf(desk)));
  find("#events tbody").replaceChildren(...events.map((event) => h("tr", { class: event.stands ? null : "withdrawn", "data-id": event.id },
    h("td", {}, at(event.time)),
    h("td", {}, event.type, !event.known && h("small", {}, "unknown type: kept, moves nothing"), !event.stands && h("small", {}, "plays no part any more")),
    h("td", {}, says(event.data)),
    h("td", {}, at(event.received_at)),
    h("td", {}, h("code", {}, event.id)))));
}

const says = (data) => Object.entries(data).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("; ");

// A signal's cause is a word or, where an event brought it about, that event's id.
function drawSignals(signals, types) {
  const why = (cause) => (types.has(cause) ? `by ${types.get(cause)} (${cause})` : cause);
  const replaced = new Set(signals.filter((signal) => signal.kind.endsWith("_retracted")).map((signal) => signal.replaces));
  const rows = [...signals].reverse().map((signal) => {
    const zone = zoneOf(desk, signal.clock?.calendar);
    return h("tr", { class: replaced.has(signal.id) ? "withdrawn" : loudness(signal) || null, "data-kind": signal.kind },
      h("td", {}, written(inZone(signal.at, zone)), signal.late && h("small", {}, "learnt late")),
      h("td", {}, sentence(said(signal.kind)), replaced.has(signal.id) && h("small", {}, "taken back since")),
      h("td", {}, about(signal), signal.cause && signal.clock && h("small", {}, why(signal.cause))),
      h("td", {}, written(inZone(signal.detected_at, zone))));
  });
  find("#told tbody").replaceChildren(...rows);
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
  told: (signal) => {
    if (signal.desk === desk && signal.ticket === ticket) readAgain();
  },
});

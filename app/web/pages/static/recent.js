// What was told last? The newest signals, and a voice for those that say that a promise was missed.

import { zoneOf } from "./calendars.js";
import { find, h } from "./dom.js";
import { path } from "./api.js";
import { inZone, written } from "./time.js";
import { ALARMS, RETRACTIONS, cause, mark, sentence, signal as said } from "./words.js";

export const SHOWN = 20;
let told = new Map(); // by id, oldest first

// Show the latest signals, as the API gives them, together with those that came meanwhile.
export function begin(signals) {
  const all = [...signals, ...told.values()];
  all.sort((one, other) => Date.parse(one.detected_at) - Date.parse(other.detected_at));
  told = new Map(all.map((each) => [each.id, each]));
  trim();
  draw();
}

function trim() {
  for (const id of told.keys()) {
    if (told.size <= SHOWN) break;
    told.delete(id);
  }
}

export function add(signal) {
  if (told.has(signal.id)) return;
  told.set(signal.id, signal);
  trim();
  if (ALARMS.has(signal.kind)) find("#announced").append(h("p", {}, sentence(summary(signal))));
  while (find("#announced").childElementCount > SHOWN) find("#announced").firstElementChild.remove();
  draw();
}

export function draw() {
  find("#recent").replaceChildren(...[...told.values()].reverse().map(item));
}

function summary(signal) {
  return `${said(signal.kind)}: ${about(signal)}, ${[signal.desk, signal.ticket].filter(Boolean).join(" ")}`;
}

export function about(signal) {
  if (signal.clock) return signal.clock.label;
  if (signal.commitment) return signal.commitment;
  if (signal.reason) return signal.reason;
  const [before, after] = [signal.position_before, signal.position_after];
  const places = [before && `from ${before}`, after && `to ${after}`].filter(Boolean).join(" ");
  return [`queue ${signal.queue}`, places, cause(signal.cause)].filter(Boolean).join(", ");
}

export const loudness = (signal) =>
  RETRACTIONS.has(signal.kind) ? "taken-back" : ALARMS.has(signal.kind) ? `late ${signal.commitment_kind}` : "";

function item(signal) {
  const at = inZone(signal.at, zoneOf(signal.desk, signal.clock?.calendar));
  const loud = ALARMS.has(signal.kind) && !RETRACTIONS.has(signal.kind);
  return h("li", { class: loudness(signal), "data-kind": signal.kind, "data-ticket": signal.ticket },
    h("span", { class: "kind" },
      loud && h("span", { class: "mark", "aria-hidden": "true" }, mark(signal.commitment_kind), " "),
      sentence(said(signal.kind))),
    signal.ticket
      ? h("a", { href: `/tickets${path(signal.desk, signal.ticket)}` }, `${signal.desk} ${signal.ticket}`)
      : h("span", {}, signal.desk),
    h("small", {}, about(signal)),
    h("small", {}, `${written(at)}${signal.late ? ", learnt late" : ""}`));
}

// Latest activity: the newest signals. Breaches and retractions are also announced to screen readers.

import { zoneOf } from "./calendars.js";
import { find, h } from "./dom.js";
import { path } from "./api.js";
import { inZone, written } from "./time.js";
import { ALARMS, RETRACTIONS, cause, mark, sentence, signal as signalName } from "./words.js";

export const SHOWN = 20;
let shown = new Map(); // by id, oldest first

// Show the latest signals of the API, together with those that the stream has delivered meanwhile.
export function begin(signals) {
  const all = [...signals, ...shown.values()];
  all.sort((one, other) => Date.parse(one.detected_at) - Date.parse(other.detected_at));
  shown = new Map(all.map((each) => [each.id, each]));
  trim();
  draw();
}

function trim() {
  for (const id of shown.keys()) {
    if (shown.size <= SHOWN) break;
    shown.delete(id);
  }
}

export function add(signal) {
  if (shown.has(signal.id)) return;
  shown.set(signal.id, signal);
  trim();
  if (ALARMS.has(signal.kind)) find("#announced").append(h("p", {}, sentence(summary(signal))));
  while (find("#announced").childElementCount > SHOWN) find("#announced").firstElementChild.remove();
  draw();
}

export function draw() {
  find("#recent").replaceChildren(...[...shown.values()].reverse().map(item));
}

function summary(signal) {
  return `${signalName(signal.kind)}: ${about(signal)}, ${[signal.desk, signal.ticket].filter(Boolean).join(" ")}`;
}

export function about(signal) {
  if (signal.clock) return signal.clock.label;
  if (signal.commitment) return signal.commitment;
  if (signal.reason) return signal.reason;
  const [before, after] = [signal.position_before, signal.position_after];
  const position = before && after ? `from position ${before} to ${after}` : (before ?? after) && `position ${before ?? after}`;
  return [`queue ${signal.queue}`, position, cause(signal.cause)].filter(Boolean).join(", ");
}

export const loudness = (signal) =>
  RETRACTIONS.has(signal.kind) ? "retracted" : ALARMS.has(signal.kind) ? `late ${signal.commitment_kind}` : "";

function item(signal) {
  const at = inZone(signal.at, zoneOf(signal.desk, signal.clock?.calendar));
  const loud = ALARMS.has(signal.kind) && !RETRACTIONS.has(signal.kind);
  return h("li", { class: loudness(signal), "data-kind": signal.kind, "data-ticket": signal.ticket },
    h("span", { class: "kind" },
      loud && h("span", { class: "mark", "aria-hidden": "true" }, mark(signal.commitment_kind), " "),
      sentence(signalName(signal.kind))),
    signal.ticket
      ? h("a", { href: `/tickets${path(signal.desk, signal.ticket)}` }, `${signal.desk} ${signal.ticket}`)
      : h("span", {}, signal.desk),
    h("small", {}, about(signal)),
    h("small", {}, `${written(at)}${signal.late ? ", reported late" : ""}`));
}

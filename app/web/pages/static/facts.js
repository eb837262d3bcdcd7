// Records events by hand: buttons for the events that a clock waits for or stops on, a form to exclude a period, and one
// to withdraw an event. They are pushed to the API as any system's events are.

import { push } from "./api.js";
import { zoneOf } from "./calendars.js";
import { find, h } from "./dom.js";
import { attempt } from "./session.js";
import { fromZone, inZone, now, written } from "./time.js";
import { fact, sentence } from "./words.js";

const STATUS = "status:";
const AUTHOR = "agent";
const LIVE_STOPS = new Set(["running", "paused"]);

// The events that a clock waits for or, once it runs, those that stop it.
function facts(clock, commitments) {
  if (clock.state === "awaiting") return [...new Set(clock.awaiting.flatMap((each) => each.split("|")))];
  if (!LIVE_STOPS.has(clock.state)) return [];
  return commitments.find(({ id }) => id === clock.commitment)?.stops_on ?? [];
}

export function buttons(view, clock, commitments, done) {
  const found = facts(clock, commitments);
  if (!found.length) return null;
  return h("p", { class: "facts", role: "group", "aria-label": `Record an event for ${clock.label}` },
    h("span", {}, clock.state === "awaiting" ? "Start the clock:" : "Stop the clock:"),
    found.map((type) => h("button", { type: "button", "data-fact": type, click: ({ target }) => record(view, type, target, done) },
      sentence(fact(type)))));
}

async function record(view, type, button, done) {
  button.disabled = true;
  const [kind, data] = type.startsWith(STATUS)
    ? ["status.changed", { status: type.slice(STATUS.length) }]
    : [type, { author: AUTHOR }];
  await sent(view, kind, data, `Recorded: ${fact(type)}.`, done);
  button.disabled = false;
}

async function sent(view, type, data, message, done) {
  const time = new Date(now()).toISOString();
  if (!(await attempt(() => push(view.desk, view.ticket, type, time, data)))) return false;
  find("#recorded").textContent = message;
  await done();
  return true;
}

// The two forms of a ticket's page. `current` returns the ticket as it was last read.
export function forms(current, done) {
  submits("#exclusion", (entered) => {
    const view = current();
    const zone = zoneOf(view.desk);
    const commitments = entered.getAll("commitments");
    const data = {
      from: fromZone(entered.get("from"), zone), to: fromZone(entered.get("to"), zone),
      author: entered.get("author"), reason: entered.get("reason"), ...(commitments.length ? { commitments } : {}),
    };
    return sent(view, "exclusion.granted", data, "Exclusion granted.", done);
  });
  submits("#withdrawal", (entered) => {
    const data = { id: entered.get("id"), author: entered.get("author"), reason: entered.get("reason") };
    return sent(current(), "event.withdrawn", data, "Event withdrawn.", done);
  });
}

function submits(selector, send) {
  const form = find(selector);
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const entered = new FormData(form);
    const button = find("button", form);
    button.disabled = true;
    if (await send(entered)) form.reset();
    button.disabled = false;
  });
}

// Fill the choices of the forms, keeping what is selected.
export function choices(view, events) {
  find("#exclusion .zone").textContent = zoneOf(view.desk);
  const ids = new Map(view.clocks.map((clock) => [clock.commitment, clock.label]));
  const ticks = find("#exclusion-commitments");
  const ticked = new Set([...ticks.querySelectorAll(":checked")].map(({ value }) => value));
  ticks.replaceChildren(...[...ids].map(([id, label]) => h("label", { class: "tick" },
    h("input", { type: "checkbox", name: "commitments", value: id, checked: ticked.has(id) }), ` ${label}`)));
  const select = find("#withdrawal select");
  const chosen = select.value;
  const standing = events.filter(({ stands }) => stands);
  select.replaceChildren(h("option", { value: "" }, "Select an event"), ...standing.map((event) => h("option", { value: event.id },
    `${written(inZone(event.time, zoneOf(view.desk)))} ${event.type} (${event.id})`)));
  select.value = standing.some(({ id }) => id === chosen) ? chosen : "";
}

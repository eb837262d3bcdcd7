// A ticket: records facts and corrections as events, as any system pushes them. The server draws everything.

import { Problem, push } from "./api.js";
import { now } from "./countdown.js";
import { attempt } from "./session.js";
import { fromZone } from "./time.js";

const STATUS = "status:";
const AUTHOR = "agent";

const { desk, ticket, zone } = document.body.dataset;
const recorded = document.querySelector("#recorded");
const changed = () => document.dispatchEvent(new CustomEvent("changed"));
const instant = () => new Date(now()).toISOString();

function done(what) {
  recorded.textContent = [recorded.dataset.text, what].filter(Boolean).join(" ");
  changed();
}

async function record(button) {
  const { fact } = button.dataset;
  const [type, data] = fact.startsWith(STATUS)
    ? ["status.changed", { status: fact.slice(STATUS.length) }]
    : [fact, { author: AUTHOR }];
  button.disabled = true;
  if (await attempt(() => push(desk, ticket, type, instant(), data))) done(button.textContent);
  button.disabled = false;
}

const dialog = document.querySelector("#corrections");

document.addEventListener("click", (event) => {
  const { target } = event;
  const fact = target.closest("[data-fact]");
  const opens = target.closest("[data-open]") && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (fact || opens) event.preventDefault(); // without this script the form is sent, and the link opens a page
  if (fact) record(fact);
  if (opens) dialog?.showModal();
  if (target.matches("[data-close]")) dialog.close();
});

// By the id of the form, which is read as an attribute: a field is named "id" too.
const FORMS = {
  exclusion: (entered) => ["exclusion.granted", {
    from: fromZone(entered.get("from"), zone), to: fromZone(entered.get("to"), zone),
    author: entered.get("author"), reason: entered.get("reason"),
    ...(entered.getAll("commitments").length ? { commitments: entered.getAll("commitments") } : {}),
  }],
  withdrawal: (entered) => ["event.withdrawn", { id: entered.get("id"), author: entered.get("author"), reason: entered.get("reason") }],
};

dialog?.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const form = submitted.target;
  const button = form.querySelector("button");
  const [type, data] = FORMS[form.getAttribute("id")](new FormData(form));
  const problem = dialog.querySelector("#correction-error");
  button.disabled = true;
  try {
    await push(desk, ticket, type, instant(), data);
    problem.textContent = "";
    form.reset();
    dialog.close();
    done(button.textContent);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problem.textContent = [error.message, ...error.lines].join(" ");
  }
  button.disabled = false;
});

// What the visitor has opened stays open when the server's answer is swapped in, and so does the chosen event.
const opened = new Map();
const select = document.querySelector("#withdrawable");
let chosen = "";
select?.addEventListener("change", () => (chosen = select.value));

document.addEventListener("toggle", ({ target }) => {
  if (target.id) opened.set(target.id, target.open);
}, true);

document.addEventListener("swapped", () => {
  for (const [id, open] of opened) {
    const element = document.getElementById(id);
    if (element && element.tagName === "DETAILS" && element.open !== open) element.open = open;
  }
  if (select) select.value = chosen;
});

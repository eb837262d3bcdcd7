// Forms in dialogs: they stand outside of live regions, so that nothing replaces what somebody is writing.
//
// A button or link with `data-dialog` (an id) opens the dialog. Its `data-values` (JSON) fill the fields of the same names, and
// the elements with `data-fill`. A dialog closes when its form was sent; a problem is shown in it.

import { Problem } from "./api.js";
import { say } from "./spoken.js";

let values = {};

function open(dialog, button) {
  values = JSON.parse(button.dataset.values ?? "{}");
  const form = dialog.querySelector("form");
  form.reset();
  problem(dialog, []);
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
    for (const place of dialog.querySelectorAll(`[data-fill="${name}"]`)) place.textContent = value;
  }
  dialog.dispatchEvent(new CustomEvent("opened", { detail: values }));
  dialog.showModal();
}

function problem(dialog, lines) {
  const place = dialog.querySelector(".error");
  place.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
}

async function submit(event, dialog, send) {
  event.preventDefault();
  const buttons = [...dialog.querySelectorAll("button")];
  const entered = Object.fromEntries(new FormData(event.target, event.submitter));
  for (const each of buttons) each.disabled = true;
  try {
    await send({ ...values, ...entered });
    dialog.close();
    document.querySelector("#recorded").textContent = event.target.dataset.done;
    document.dispatchEvent(new CustomEvent("changed"));
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof TypeError)) throw error;
    problem(dialog, error instanceof Problem ? [error.message, ...error.lines] : [say("unreachable")]);
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

// Let the forms of these dialogs be sent by `send(entered, form)`, which gets all values of the button and the form.
export function followDialogs(send) {
  document.addEventListener("click", (event) => {
    const { target } = event;
    const button = target.closest("[data-dialog]");
    if (button && !event.ctrlKey && !event.metaKey && !event.shiftKey) event.preventDefault(); // a link to the form as a page
    if (event.defaultPrevented && button) open(document.getElementById(button.dataset.dialog), button);
    if (target.matches("dialog [data-cancel]")) target.closest("dialog").close();
  });
  for (const form of document.querySelectorAll("dialog form")) {
    form.addEventListener("submit", (event) => submit(event, form.closest("dialog"), (entered) => send(entered, form)));
  }
}

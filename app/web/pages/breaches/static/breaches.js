// Breaches: filters that apply at once, and taking a breach on.

import { post } from "./api.js";
import { attempt } from "./session.js";

const NAME = "slatimer-name"; // where this browser remembers its user's name

const filters = document.querySelector("#filters");
filters.addEventListener("change", ({ target }) => target.matches("select, [type=date]") && filters.requestSubmit());
filters.addEventListener("submit", () => { // an empty field filters nothing: it stays out of the address
  for (const field of filters.elements) if (field.name && !field.value) field.disabled = true;
});

const dialog = document.querySelector("#take-on");
let taken = null;

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-take-on]");
  if (button && dialog) {
    taken = button.dataset.takeOn;
    dialog.querySelector("[name=author]").value ||= localStorage.getItem(NAME) ?? "";
    dialog.showModal();
  }
  if (target.matches("[data-cancel]")) dialog.close();
});

dialog?.addEventListener("close", async () => {
  if (dialog.returnValue !== "take-on" || !taken) return;
  const { author, note } = Object.fromEntries(new FormData(dialog.querySelector("form")));
  localStorage.setItem(NAME, author);
  dialog.returnValue = "";
  const done = await attempt(() => post(`/v1/breaches/${encodeURIComponent(taken)}/acknowledgement`, { author, note: note || null }));
  if (done) dialog.querySelector("[name=note]").value = "";
  document.dispatchEvent(new CustomEvent("changed"));
});

// The title of the tab counts what no one has taken on.
document.addEventListener("swapped", () => {
  const count = document.querySelector(".tile.overdue")?.dataset.count ?? "0";
  document.title = document.title.replace(/^(\(\d+\) )?/, count === "0" ? "" : `(${count}) `);
});

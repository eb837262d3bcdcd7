// Takes breaches on: the dialog of `frame/take_on.html`, and the title of the tab, which counts what nobody has taken on.

import { post } from "./api.js";
import { attempt } from "./session.js";

const NAME = "slatimer-name"; // where this browser remembers its user's name

// Let the links of the page with `data-take-on`, the id of a breach, open the dialog. Without one, only count.
export function offerToTakeOn() {
  const dialog = document.querySelector("#take-on");
  if (dialog) follow(dialog);
  document.addEventListener("swapped", () => {
    const count = document.querySelector(".tile.overdue")?.dataset.count ?? "0";
    document.title = document.title.replace(/^(\(\d+\) )?/, count === "0" ? "" : `(${count}) `);
  });
}

function follow(dialog) {
  let breach = null;
  document.addEventListener("click", (event) => {
    const { target } = event;
    const button = target.closest("[data-take-on]");
    if (button && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault(); // without this script the link opens the same form as a page
      breach = button.dataset.takeOn;
      dialog.querySelector("[name=author]").value ||= localStorage.getItem(NAME) ?? "";
      dialog.querySelector("[data-about]").textContent = button.closest(".row, tr")?.querySelector(".title, a")?.textContent ?? "";
      dialog.showModal();
    }
    if (target.matches("#take-on [data-cancel]")) dialog.close();
  });
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue !== "take-on" || !breach) return;
    const { author, note } = Object.fromEntries(new FormData(dialog.querySelector("form")));
    localStorage.setItem(NAME, author);
    dialog.returnValue = "";
    const path = `/v1/breaches/${encodeURIComponent(breach)}/acknowledgement`;
    if (await attempt(() => post(path, { author, note: note || null }))) dialog.querySelector("[name=note]").value = "";
    document.dispatchEvent(new CustomEvent("changed"));
  });
}

// Credits: a person requests, grants or refuses one in a dialog, with a reason.

import { path, post } from "./api.js";
import { followDialogs } from "./dialogs.js";

const NAME = "slatimer-name"; // where this browser remembers its user's name
const dialog = document.querySelector("#decide");

dialog?.addEventListener("opened", ({ detail }) => {
  for (const each of dialog.querySelectorAll("[data-choice]")) each.hidden = !detail.choices.includes(each.dataset.choice);
  const author = dialog.querySelector("[name=author]");
  author.value ||= localStorage.getItem(NAME) ?? "";
});

followDialogs(({ id, decision, author, reason }) => {
  localStorage.setItem(NAME, author);
  return post(`/v1/credits${path(id, decision)}`, { author, reason });
});

// Imports contracts: a file fills the text, the text is previewed by the server, and then sent to the API.

import { attempt, send } from "./desk_file.js";

const form = document.querySelector("#import");
const preview = document.querySelector("#preview");
const { file, text, note } = form.elements;

// The API reads what the content type names; the server's preview looks at the same first sign.
function typeOf(content) {
  const start = content.trimStart()[0];
  return start === "[" ? "application/toml" : start === "{" ? "application/jsonl" : "text/csv";
}

file.addEventListener("change", async () => {
  if (file.files.length) text.value = await file.files[0].text();
  preview.replaceChildren();
});
text.addEventListener("input", () => preview.replaceChildren());

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const html = await send("POST", form.dataset.preview, { text: text.value });
    preview.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  });
});

preview.addEventListener("click", ({ target }) => {
  if (!("apply" in target.dataset)) return;
  target.disabled = true;
  attempt(async () => {
    const query = note.value ? `?${new URLSearchParams({ note: note.value })}` : "";
    const answer = JSON.parse(await send("POST", form.dataset.import + query, text.value, typeOf(text.value)));
    preview.replaceChildren();
    document.querySelector("#done").textContent = form.dataset.done.replace("{n}", answer.changed);
    form.reset();
  }).finally(() => { target.disabled = false; });
});

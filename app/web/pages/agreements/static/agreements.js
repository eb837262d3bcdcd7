// Agreements: the editor, and a simulation of the draft on past tickets.

import { attempt, editor, send } from "./desk_file.js";

const POLL = 1000; // milliseconds between two looks at a running simulation

if (document.querySelector("[data-editor]")) {
  const { text, form } = editor();
  const { desk } = document.querySelector("#simulate").dataset;
  const shown = document.querySelector("#simulation");

  const follow = (address, button) => attempt(async () => {
    const html = await send("GET", address);
    shown.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    if (shown.querySelector("[data-running]")) setTimeout(follow, POLL, address, button);
    else button.disabled = false;
    return true;
  }).then((done) => done || (button.disabled = false));

  form.addEventListener("submit", async ({ submitter: button }) => {
    if (button?.value !== "simulate") return;
    button.disabled = true;
    const span = { from: form.elements.from.value, to: form.elements.to.value };
    const started = await attempt(() => send("POST", "/v1/simulations", { desk, agreement: text(), ...span }));
    if (started === undefined) button.disabled = false;
    else follow(`/agreements/${encodeURIComponent(desk)}/simulations/${JSON.parse(started).id}`, button);
  });
}

// Agreements: the editor of the text, a simulation of the draft on past tickets, and the versions.

import { attempt, editor, send, versions } from "./desk_file.js";

const POLL = 1000; // milliseconds between two looks at a running simulation

versions();

if (document.querySelector("[data-editor]")) {
  const { text } = editor();
  const form = document.querySelector("#simulate");
  const shown = document.querySelector("#simulation");
  const button = form.querySelector("[type=submit]");

  const follow = (address) => attempt(async () => {
    const html = await send("GET", address);
    shown.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    if (shown.querySelector("[data-running]")) setTimeout(follow, POLL, address);
    else button.disabled = false;
    return true;
  }).then((done) => done || (button.disabled = false));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const asked = { desk: form.dataset.desk, agreement: text(), ...Object.fromEntries(new FormData(form)) };
    const started = await attempt(() => send("POST", "/v1/simulations", asked));
    if (started === undefined) button.disabled = false;
    else follow(`/agreements/${encodeURIComponent(asked.desk)}/simulations/${JSON.parse(started).id}`);
  });
}

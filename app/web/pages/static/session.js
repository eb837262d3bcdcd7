// Who is looking? A key is changed for a cookie that no script can read; it comes from the form or from `#key=`.

import { Problem, post } from "./api.js";
import { find, h } from "./dom.js";

const NOT_SIGNED_IN = 401;

// Do what a page does, and ask for a key whenever the service wants one.
export async function signedIn(work) {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) {
    history.replaceState(null, "", location.pathname + location.search);
    await attempt(() => post("/session", { key }));
  }
  return attempt(work);
}

// Run it. A refusal is shown with its places and gives false; where a key is lacking, one is asked for first.
export async function attempt(work) {
  try {
    const done = await work();
    show([]);
    return done ?? true;
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof TypeError)) throw error;
    if (error.status === NOT_SIGNED_IN) {
      await keyGiven();
      return attempt(work);
    }
    show(error instanceof Problem ? [error.message, ...error.lines] : ["The service cannot be reached."]);
    return false;
  }
}

function show([title, ...lines]) {
  find("#trouble").replaceChildren(...(title ? [h("strong", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : []));
}

let asking = null; // several calls may find at once that the key is lacking: one form for all

function keyGiven() {
  asking ??= new Promise((resolve) => {
    const section = find("#sign-in");
    const form = find("#sign-in-form");
    section.hidden = false;
    document.body.classList.add("signed-out");
    form.elements.key.focus();
    form.onsubmit = async (submitted) => {
      submitted.preventDefault();
      try {
        await post("/session", { key: form.elements.key.value.trim() });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        show([error.message, ...error.lines]);
        return;
      }
      form.reset();
      section.hidden = true;
      document.body.classList.remove("signed-out");
      asking = null;
      resolve();
    };
  });
  return asking;
}

// Signs the visitor in: exchanges an API key, from the form or from `#key=`, for a cookie that scripts cannot read.

import { Problem, post } from "./api.js";
import { find, h } from "./dom.js";

const NOT_SIGNED_IN = 401;

// Run the work of a page, signing in when the service requires it.
export async function signedIn(work) {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) {
    history.replaceState(null, "", location.pathname + location.search);
    await attempt(() => post("/session", { key }));
  }
  return attempt(work);
}

// Run `work`. A problem is shown and returns false; without a session, the sign-in form is shown first.
export async function attempt(work) {
  try {
    const done = await work();
    show([]);
    return done ?? true;
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof TypeError)) throw error;
    if (error.status === NOT_SIGNED_IN) {
      await keyEntered();
      return attempt(work);
    }
    show(error instanceof Problem ? [error.message, ...error.lines] : ["The service cannot be reached."]);
    return false;
  }
}

function show([title, ...lines]) {
  find("#error").replaceChildren(...(title ? [h("strong", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : []));
}

let entering = null; // several requests may need a key at the same time: they share one form

function keyEntered() {
  entering ??= new Promise((resolve) => {
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
      entering = null;
      resolve();
    };
  });
  return entering;
}

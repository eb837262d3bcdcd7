// Signs the visitor in: exchanges an API key for a cookie that scripts cannot read. A key from `#key=` fills the form: the
// visitor decides, since anybody can send a link. Who is signed in with another key signs out first.

import { Problem, post, remove } from "./api.js";
import { find, h } from "./dom.js";
import { say } from "./spoken.js";

const NOT_SIGNED_IN = 401;
const SIGNED_IN_AS_ANOTHER = 409;

// Wait until a visitor without a session has signed in with a key.
export async function signedIn() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) history.replaceState(null, "", location.pathname + location.search);
  document.body.classList.add("signed-out");
  return keyEntered(key);
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
      document.body.classList.add("signed-out");
      await keyEntered();
      return attempt(work);
    }
    show(error instanceof Problem ? [error.message, ...error.lines] : [say("unreachable")]);
    return false;
  }
}

function show([title, ...lines]) {
  find("#error").replaceChildren(...(title ? [h("strong", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : []));
}

let entering = null; // several requests may need a key at the same time: they share one form

function keyEntered(offered = null) {
  entering ??= new Promise((resolve) => {
    const section = find("#sign-in");
    const form = find("#sign-in-form");
    section.hidden = false;
    if (offered) form.elements.key.value = offered;
    find("#sign-in-link").hidden = !offered;
    if (!document.querySelector("#people-name")) form.elements.key.focus();
    form.onsubmit = async (submitted) => {
      submitted.preventDefault();
      try {
        await post("/session", { key: form.elements.key.value.trim() });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        find("#sign-out").hidden = error.status !== SIGNED_IN_AS_ANOTHER;
        show([error.message, ...error.lines]);
        return;
      }
      show([]);
      form.reset();
      section.hidden = true;
      document.body.classList.remove("signed-out");
      entering = null;
      resolve();
    };
    find("#sign-out").onclick = async () => {
      await remove("/session");
      find("#sign-out").hidden = true;
      show([]);
    };
  });
  return entering;
}

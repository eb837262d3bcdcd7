// The pages of a desk's file: the draft with its check, the preview, applying, and withdrawing a planned version.
//
// The server checks, previews and words everything; this sends the text and swaps the answers in. The draft is kept in this
// browser until it is applied or discarded.

import { Problem } from "./api.js";

const CHECK_AFTER = 500; // milliseconds without typing after which a draft is checked
const PROOF = { "X-Slatimer": "page" };

const find = (selector) => document.querySelector(selector);
const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;

export async function send(method, address, body, type = "application/json") {
  const headers = { ...PROOF, ...(body === undefined ? {} : { "Content-Type": type }) };
  const sent = type === "application/json" && body !== undefined ? JSON.stringify(body) : body;
  const response = await fetch(address, { method, headers, body: sent, credentials: "same-origin" });
  const text = await response.text();
  if (response.ok) return text;
  const json = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  // A page's problem is a page: its heading and its sentence say what is wrong.
  const [title, detail] = json ? [] : ["h1", "h1 + p"].map((each) => parsed(text).querySelector(each)?.textContent);
  throw new Problem(response.status, json ? JSON.parse(text) : { title, detail });
}

export async function attempt(work) {
  const shown = find("#error");
  try {
    const done = await work();
    shown.replaceChildren();
    return done;
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof TypeError)) throw error;
    const lines = error instanceof Problem ? [error.message, ...error.lines] : [error.message];
    shown.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    shown.scrollIntoView({ block: "nearest" });
    return undefined;
  }
}

// Make the page of a file's versions work: the withdrawal buttons, and what was applied just now.
export function versions() {
  document.addEventListener("click", ({ target }) => {
    const address = target.dataset?.withdraw;
    if (address) attempt(async () => (await send("DELETE", address), location.reload()));
  });
  const applied = find("#applied");
  const number = new URLSearchParams(location.search).get("applied");
  if (applied && /^\d+$/.test(number ?? "")) applied.textContent = applied.dataset.text.replace("{n}", number);
}

// Make the editor of a file work. `onChecked` is called with each answer of a check before it is swapped in.
export function editor({ onChecked = () => {} } = {}) {
  const base = find("[data-editor]").dataset.editor;
  const draft = find("#draft");
  const apply = find("#apply");
  const preview = find("#preview");
  const kept = `slatimer-draft:${base}`;
  const inForce = draft.value;
  let timer = null;
  let latest = 0;

  function keep() {
    const changed = draft.value !== inForce;
    if (changed) localStorage.setItem(kept, draft.value);
    else localStorage.removeItem(kept);
    find("#discard").hidden = find("#draft-note").hidden = !changed;
    preview.replaceChildren(); // it was of another text
  }

  async function check() {
    const mine = ++latest;
    const html = await attempt(() => send("POST", `${base}/check`, { text: draft.value }));
    if (html === undefined || mine !== latest) return;
    const answer = parsed(html);
    onChecked(answer);
    for (const part of answer.querySelectorAll("[data-into]")) {
      document.getElementById(part.dataset.into)?.replaceChildren(...part.childNodes);
    }
  }

  function changed() {
    keep();
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_AFTER);
  }

  function write(text) {
    if (text === draft.value) return;
    draft.value = text;
    changed();
  }

  draft.addEventListener("input", changed);
  find("#discard").addEventListener("click", () => write(inForce));
  document.addEventListener("click", ({ target }) => target.dataset?.line && goTo(draft, Number(target.dataset.line)));
  apply.addEventListener("input", () => preview.replaceChildren());

  const options = () => Object.fromEntries([...new FormData(apply)].filter(([, value]) => value));

  apply.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = apply.querySelector("[type=submit]");
    button.disabled = true;
    const html = await attempt(() => send("POST", `${base}/preview`, { text: draft.value, ...options() }));
    button.disabled = false;
    if (html !== undefined) preview.replaceChildren(...parsed(html).childNodes);
  });

  preview.addEventListener("click", async ({ target }) => {
    if (!target.matches("[data-apply]")) return;
    target.disabled = true;
    const address = `/v1${base}?${new URLSearchParams(options())}`;
    const done = await attempt(() => send("PUT", address, draft.value, "application/toml"));
    target.disabled = false;
    if (done === undefined) return;
    localStorage.removeItem(kept);
    location.assign(`${base}?applied=${JSON.parse(done).version}`);
  });

  const restored = localStorage.getItem(kept);
  if (restored !== null && restored !== inForce) write(restored);
  return { write, text: () => draft.value };
}

function goTo(draft, line) {
  const lines = draft.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  draft.focus();
  draft.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  draft.scrollTop = (draft.scrollHeight / lines.length) * Math.max(0, line - 5);
}

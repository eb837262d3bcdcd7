// The editor of a desk's file: the draft with its check, its form, the preview, and applying.
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

// Make the editor of a file work: its form and its text, each from the other, the check, the preview and applying.
export function editor() {
  const form = find("form[data-editor]");
  const base = form.dataset.editor;
  const draft = find("#draft");
  const preview = find("#preview");
  const kept = `slatimer-draft:${base}`;
  const inForce = draft.value;
  const shown = form.elements.base; // the text that the fields were made from
  let fromForm = false; // the text was written by the form: the form stays as it is, with its focus and unfinished rows
  let timer = null;
  let latest = 0; // an answer that a later one has overtaken is dropped
  let writing = 0;

  function keep() {
    const changed = draft.value !== inForce;
    if (changed) localStorage.setItem(kept, draft.value);
    else localStorage.removeItem(kept);
    find("#discard").hidden = find("#draft-note").hidden = !changed;
    preview.replaceChildren(); // it was of another text
  }

  async function check() {
    const mine = ++latest;
    const text = draft.value;
    const html = await attempt(() => send("POST", `${base}/check`, { text }));
    if (html === undefined || mine !== latest) return;
    const answer = parsed(html);
    shown.value = text;
    if (fromForm) keepForm(answer);
    fromForm = false;
    const focused = find("#form").contains(document.activeElement) ? document.activeElement.name : null;
    for (const part of answer.querySelectorAll("[data-into]")) {
      document.getElementById(part.dataset.into)?.replaceChildren(...part.childNodes);
    }
    if (focused && !find("#form").contains(document.activeElement)) find(`#form [name="${CSS.escape(focused)}"]`)?.focus();
    markFaulty();
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

  // Write the fields into the text. `pressed`: a button of the form, as to add or remove something. `remakes`: the form is
  // made anew, since other fields belong to it now.
  async function writeText(pressed, remakes = Boolean(pressed)) {
    const mine = ++writing;
    const fields = new URLSearchParams([...new FormData(form, pressed)].filter(([name]) => pressed || !name.startsWith("new.")));
    const before = draft.value;
    const written = await attempt(() => send("POST", `${base}/text`, fields.toString(), "application/x-www-form-urlencoded"));
    if (written === undefined || mine !== writing || draft.value !== before || written === before) return;
    fromForm = !remakes;
    if (fromForm) shown.value = written;
    write(written);
  }

  const options = () =>
    Object.fromEntries(["effective_from", "applies_to", "note"].map((name) => [name, form.elements[name].value]).filter(([, value]) => value));

  async function showPreview(button) {
    button.disabled = true;
    const html = await attempt(() => send("POST", `${base}/preview`, { text: draft.value, ...options() }));
    button.disabled = false;
    if (html !== undefined) preview.replaceChildren(...parsed(html).childNodes);
  }

  async function apply(button) {
    button.disabled = true;
    const address = `/v1${base}?${new URLSearchParams(options())}`;
    const done = await attempt(() => send("PUT", address, draft.value, "application/toml"));
    button.disabled = false;
    if (done === undefined) return;
    localStorage.removeItem(kept);
    location.assign(`${base}?applied=${JSON.parse(done).version}`);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? {};
    if (button.value === "preview") showPreview(button);
    else if (button.value === "apply") apply(button);
    else if (button.value === "write" || button.value === "add") writeText(button.value === "add" ? button : undefined);
    else if (button.name === "drop") writeText(button);
  });

  form.addEventListener("click", (event) => {
    const { target } = event;
    if (target.dataset?.line) goTo(draft, Number(target.dataset.line));
    if (target.dataset?.add) {
      event.preventDefault();
      addRow(target);
    }
    if (target.matches("[data-remove-row]")) {
      event.preventDefault();
      target.closest("li").remove();
      writeText();
    }
  });

  find("#form").addEventListener("change", ({ target }) => {
    target.toggleAttribute("data-unfinished", isUnfinished(target));
    if (!target.name?.startsWith("new.") && !isUnfinished(target)) writeText(undefined, "remakes" in target.dataset);
  });
  find("#form").addEventListener("focusout", ({ target }) => {
    if (target.hasAttribute("data-unfinished")) writeText();
    target.removeAttribute("data-unfinished");
  });
  draft.addEventListener("input", changed);
  find("#discard").addEventListener("click", () => write(inForce));
  find("#apply").addEventListener("input", () => preview.replaceChildren());
  markFaulty();

  const restored = localStorage.getItem(kept);
  if (restored !== null && restored !== inForce) write(restored);
  return { text: () => draft.value, form };
}

// Leave the form of the page in its place; only the faults at its fields are those of the answer.
function keepForm(answer) {
  const fresh = answer.querySelector('[data-into="form"]');
  for (const each of document.querySelectorAll("#form .field-faults")) {
    each.textContent = fresh?.querySelector(`[id="${CSS.escape(each.id)}"]`)?.textContent ?? "";
  }
  fresh?.remove();
}

function markFaulty() {
  for (const field of document.querySelectorAll("#form [aria-describedby]")) {
    const isFaulty = Boolean(document.getElementById(field.getAttribute("aria-describedby"))?.textContent);
    if (isFaulty) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

// While a year is typed, a field for dates has the years 2, 20 and 202, and nothing between two dates.
const isUnfinished = (field) => field.type === "date" && field.value < "1000";

function addRow(button) {
  const group = button.closest("[data-group]");
  const list = group.querySelector(`[data-rows="${button.dataset.add}"]`);
  list.append(group.querySelector(`template[data-for="${button.dataset.as ?? button.dataset.add}"]`).content.cloneNode(true));
  list.lastElementChild.querySelector("input").focus();
}

function goTo(draft, line) {
  const lines = draft.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  draft.focus();
  draft.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  draft.scrollTop = (draft.scrollHeight / lines.length) * Math.max(0, line - 5);
}

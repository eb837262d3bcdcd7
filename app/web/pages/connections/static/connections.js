// Connections and deliveries: buttons and forms that send to the API, and a new secret, which is shown once.
//
// An element with `data-send` (a method), `data-address` and perhaps `data-body` sends them. A refusal is in #error.

import { Problem } from "./api.js";
import { find } from "./dom.js";

async function send(method, address, body = null) {
  const headers = { "X-Slatimer": "page", ...(body === null ? {} : { "Content-Type": "application/json" }) };
  const response = await fetch(address, { method, headers, credentials: "same-origin", body });
  const text = await response.text();
  const answer = text && /\bjson\b/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

async function attempt(control, work) {
  const error = find("#error");
  error.textContent = "";
  find("#done").textContent = "";
  control.disabled = true;
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    error.textContent = [problem.message, ...problem.lines].join(" ");
    error.scrollIntoView({ block: "nearest" });
  } finally {
    control.disabled = false;
  }
}

const changed = () => document.dispatchEvent(new CustomEvent("changed"));

// What a test has answered, as the API writes it: the outcome of a delivery, or the id of a webhook.
function report({ outcome, reason, id }) {
  find("#done").textContent = [outcome ?? id, reason].filter(Boolean).join(": ");
}

function show(name, text) {
  const element = find(`[data-shown="${name}"]`);
  element.textContent = text ?? "";
  element.hidden = !text;
}

function entered({ url, secret, headers, template }) {
  show("url", url);
  show("secret", secret);
  show("headers", Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n"));
  find("[data-headers]").hidden = Object.keys(headers).length === 0;
  show("template", template);
  find("[data-test]").hidden = false;
  changed();
}

function showSecret(form, secret) {
  const place = find(".secret", form);
  place.hidden = !secret;
  find("code", place).textContent = secret ?? "";
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-send], button[data-connect]");
  if (!button) return;
  const { send: method, address, body, connect } = button.dataset;
  attempt(button, async () => {
    if (connect) {
      const where = button.closest("[data-connection]").dataset.connection;
      entered(await send("PUT", where, JSON.stringify({ rotate: connect === "rotate" })));
      button.hidden = connect === "create";
      return;
    }
    const answer = await send(method, address, body ?? null);
    if ("showsSecret" in button.dataset) showSecret(button.closest("form"), answer.secret);
    if ("test" in button.dataset) report(answer);
    if ("reloads" in button.dataset) location.reload();
    changed();
  });
});

document.addEventListener("submit", (submitted) => {
  const form = submitted.target;
  const { embed, given, subscribe } = form.dataset;
  if (!embed && !given && !subscribe) return;
  submitted.preventDefault();
  attempt(submitted.submitter ?? form, async () => {
    if (given) {
      entered(await send("PUT", given, JSON.stringify({ secret: form.elements.secret.value.trim() })));
      form.reset();
      return;
    }
    if (subscribe) {
      const { url, kinds, ...rest } = Object.fromEntries(new FormData(form));
      const channel = /^https?:/.test(url.trim()) ? "webhook" : "notice";
      const body = JSON.stringify({ ...rest, url: url.trim(), kinds: kinds.split(" "), channel });
      showSecret(form.closest("section"), (await send("POST", subscribe, body)).secret);
      form.reset();
      changed();
      return;
    }
    const origins = form.elements.origins.value.split(/\s+/).filter(Boolean);
    const body = JSON.stringify({ frame_ancestors: origins });
    showSecret(form, (await send("PUT", `/v1/embedding/${encodeURIComponent(embed)}`, body)).secret);
  });
});

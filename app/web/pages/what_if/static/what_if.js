// What if: sends what is tried to the API, and asks for a running simulation again until it has ended.

import { path, post, remove } from "./api.js";

const POLL = 1_000; // milliseconds between two looks at a running simulation

const form = document.querySelector("#what-if");
const simulation = document.querySelector("#simulation");

const dayAfter = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

// The values of the fields that were filled in, by their keys. A day's hours are a list; a dash is a closed day.
function changes() {
  const found = {};
  for (const field of form.querySelectorAll("[data-key]")) {
    const value = field.value.trim();
    if (!value) continue;
    const hours = value === "-" ? [] : value.split(",").map((span) => span.trim()).filter(Boolean);
    found[field.dataset.key] = "list" in field.dataset ? hours : value;
  }
  for (const line of form.elements.changes.value.split("\n")) {
    const [key, ...rest] = line.split("=");
    if (key.trim()) found[key.trim()] = parsed(rest.join("=").trim());
  }
  return found;
}

function parsed(value) {
  try {
    return JSON.parse(value);
  } catch {
    return value; // a text without quotes; the API says what is wrong with it
  }
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = document.querySelector("#what-if-error");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  error.textContent = "";
  try {
    const span = { from: form.elements.from.value, to: dayAfter(form.elements.to.value) };
    const { id } = await post("/v1/simulations", { desk: form.dataset.desk, ...span, changes: changes() });
    location.assign(path("reports", "what-if", id));
  } catch (problem) {
    error.textContent = [problem.message, ...(problem.lines ?? [])].join("\n");
    button.disabled = false;
  }
});

async function refresh() {
  const response = await fetch(`${path("reports", "what-if", simulation.dataset.id)}/state`, { credentials: "same-origin" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  simulation.replaceChildren(...fresh.childNodes);
}

async function follow() {
  while (simulation.querySelector("[data-running]")) {
    await new Promise((resolve) => setTimeout(resolve, POLL));
    await refresh().catch(() => {}); // the service cannot be reached just now: the next look finds it
  }
}

simulation?.addEventListener("click", async ({ target }) => {
  if (target.id !== "cancel") return;
  target.disabled = true;
  await remove(path("v1", "simulations", simulation.dataset.id));
  await refresh();
});

if (simulation) follow();

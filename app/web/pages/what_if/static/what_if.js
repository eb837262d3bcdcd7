// What if: asks for a running simulation again until it has ended.

import { path } from "./api.js";

const POLL = 1_000; // milliseconds between two looks at a running simulation

const simulation = document.querySelector("#simulation");

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

if (simulation) follow();

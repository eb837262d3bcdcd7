// Now: filters that apply at once, the panel beside the list, taking a breach on, and the wall that turns its pages.

import { alertOnBreaches } from "./alerts.js";
import { tickAll } from "./countdown.js";
import { offerToTakeOn } from "./take_on.js";

const WALL_PAGE = 20_000; // milliseconds for which a page of the wall is shown

const list = document.querySelector("#list");
const panel = document.querySelector("#panel");
const filters = document.querySelector("#filters");

filters?.addEventListener("change", ({ target }) => target.matches("select") && filters.requestSubmit());
filters?.addEventListener("submit", () => { // an empty field filters nothing: it stays out of the address
  for (const field of filters.elements) if (field.name && !field.value) field.disabled = true;
});

async function showPanel(key) {
  const response = await fetch(`/now/ticket?${new URLSearchParams({ selected: key })}`, { credentials: "same-origin" });
  if (!response.ok) return false;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  panel.replaceChildren(...fresh.childNodes);
  panel.hidden = false;
  panel.parentElement.classList.add("with-panel");
  tickAll();
  return true;
}

function hidePanel() {
  panel.hidden = true;
  panel.parentElement.classList.remove("with-panel");
}

function selected() {
  return new URLSearchParams(location.search).get("selected");
}

function select(key) {
  const address = new URL(location.href);
  if (key) address.searchParams.set("selected", key);
  else address.searchParams.delete("selected");
  history.pushState(null, "", address);
}

list.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-panel]");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (!link || !panel || !plain) return;
  event.preventDefault();
  if (!await showPanel(link.dataset.panel)) {
    location.assign(link.href);
    return;
  }
  select(link.dataset.panel);
  panel.focus();
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !panel || panel.hidden || document.querySelector("dialog[open], details.menu[open]")) return;
  const row = [...list.querySelectorAll("[data-panel]")].find((link) => link.dataset.panel === selected());
  hidePanel();
  select(null);
  row?.focus();
});

// Keys: "/" searches, "j" and "k" go through the rows, "t" takes on the breach of the row. Not while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "/" && filters) {
    event.preventDefault();
    filters.elements.q.focus();
  }
  const take = event.key === "t" && document.activeElement?.closest(".row")?.querySelector("[data-take-on]");
  if (take) {
    event.preventDefault(); // the note of the dialog would get the letter
    take.click();
  }
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return;
  const links = [...list.querySelectorAll(".title a")];
  const at = links.indexOf(document.activeElement?.closest(".row")?.querySelector(".title a"));
  links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
});

window.addEventListener("popstate", () => (selected() && panel ? showPanel(selected()) : panel && hidePanel()));

document.addEventListener("swapped", () => {
  if (panel && !panel.hidden && selected()) showPanel(selected());
});

if (panel) alertOnBreaches();

offerToTakeOn();

// The wall turns its pages; after the last comes the first.
if (document.documentElement.dataset.view === "wall") {
  setInterval(() => {
    const next = list.querySelector("[rel=next]")?.getAttribute("href");
    const address = new URL(list.dataset.live, location.href);
    const cursor = next && new URL(next, location.href).searchParams.get("cursor");
    if (!cursor && !address.searchParams.has("cursor")) return;
    if (cursor) address.searchParams.set("cursor", cursor);
    else address.searchParams.delete("cursor");
    list.dataset.live = address.pathname + address.search;
    document.dispatchEvent(new CustomEvent("changed"));
  }, WALL_PAGE);
}

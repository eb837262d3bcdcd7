// Live regions. The stream says what has changed; the server renders it; this swaps it in.
//
// An element with `data-live` (an address) is fetched again after signals, and its content is replaced. Among its
// descendants, elements with `data-key` are kept and moved: those that no signal was about are named in `keep`, and the
// server answers a place for each (`data-keep`) instead of rendering it. The order is always the server's.
// An element of the answer with `data-into` replaces the content of the element with that id, wherever it is.
// `data-live-kinds` limits the signals, by beginnings of kinds; `data-live-desk` and `data-live-ticket` by what they are
// about. The event "changed" on the document, sent by a page's own script, fetches everything anew; "swapped" comes
// after a region has new content. `data-refresh-at` on any element is an instant at which everything is fetched anew, without a signal.

import { synchronize, now, tickAll } from "./countdown.js";
import { say } from "./spoken.js";

const GATHER = 40; // milliseconds in which signals are collected before a region is fetched: one event has several
const PAUSE = 400; // milliseconds from one fetch of a region to the next, however many signals come
const SLOW = 1.5; // and so many times as long as the last one took: who waits for a busy service asks less often
const RETRY = 3000; // milliseconds; EventSource reconnects after a lost connection, not after an error status
const REFRESH = 60_000; // milliseconds; some texts change without a signal: "today" becomes a date
const SIGNED_OUT = 401;
const ANNOUNCED = 20;
const BREACHES = new Set(["clock.breached", "clock.missed", "clock.lapsed"]);

class Region {
  constructor(element) {
    this.element = element;
    this.stale = new Set(); // keys that must be rendered again
    this.all = false; // or all of them
    this.broken = new Set(); // keys of which a breach was reported: their rows are highlighted and announced once
    this.timer = null;
    this.nextAt = -Infinity; // before that no signal has it fetched
    this.busy = false;
    this.waiting = false; // a fetch was due while another was under way
  }

  concerns({ kind, desk, ticket }) {
    const { liveKinds, liveDesk, liveTicket } = this.element.dataset;
    const ofKind = !liveKinds || liveKinds.split(" ").some((start) => kind.startsWith(start));
    return ofKind && (!liveDesk || liveDesk === desk) && (!liveTicket || liveTicket === ticket);
  }

  onSignal(signal) {
    if (!this.concerns(signal)) return;
    this.stale.add(keyOf(signal));
    if (BREACHES.has(signal.kind)) this.broken.add(keyOf(signal));
    this.plan(this.wait());
  }

  renew() {
    this.all = true;
    this.plan(0);
  }

  renewNow() {
    this.all = true;
    return this.fetch();
  }

  // The first signal after a while is shown at once, the next ones together.
  wait() {
    return Math.max(GATHER, this.nextAt - performance.now());
  }

  plan(delay) {
    this.timer ??= setTimeout(() => this.fetch(), delay);
  }

  async fetch() {
    this.timer = null;
    if (this.busy) {
      this.waiting = true;
      return null;
    }
    this.busy = true;
    const began = performance.now();
    const { stale, all, broken } = this;
    [this.stale, this.all, this.broken] = [new Set(), false, new Set()];
    try {
      if (!await this.swap(stale, all, broken)) this.again(broken);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the network
      this.again(broken);
    } finally {
      this.nextAt = began + Math.max(PAUSE, SLOW * (performance.now() - began));
      this.busy = false;
      if (this.waiting) this.plan(this.wait());
      this.waiting = false;
    }
    return null;
  }

  // The service is busy or away: what has changed meanwhile comes with the next answer.
  again(broken) {
    this.all = true;
    broken.forEach((key) => this.broken.add(key));
    this.plan(RETRY);
  }

  // Fetch and swap in; false if there was no answer to swap in.
  async swap(stale, all, broken) {
    const address = new URL(this.element.dataset.live, location.href);
    const keys = all ? [] : keyed(this.element).map((row) => row.dataset.key).filter((key) => !stale.has(key));
    for (const key of keys) address.searchParams.append("keep", key);
    if (!all) address.searchParams.set("seen", followed);
    const response = await fetch(address, { credentials: "same-origin" });
    if (response.status === SIGNED_OUT) location.reload();
    if (!response.ok) return false;
    streamAt = response.headers.get("X-Slatimer-Stream-At");
    synchronize(response.headers.get("X-Slatimer-At"));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
    for (const part of fresh.querySelectorAll("[data-into]")) {
      part.remove();
      patch(document.getElementById(part.dataset.into), part, broken);
    }
    patch(this.element, fresh, broken);
    tickAll();
    document.dispatchEvent(new CustomEvent("swapped", { detail: this.element }));
    planRefresh();
    return true;
  }
}

const keyOf = ({ desk, ticket }) => `${desk}/${ticket ?? ""}`;
const keyed = (element) => [...element.querySelectorAll("[data-key]")];

// Give an element the content of a fresh one. Rows that are kept, or equal, stay the same elements, so that the focus, the
// selection and an open menu stay.
function patch(element, fresh, broken) {
  const focus = focused(element);
  if (element.querySelector(ROW) && fits(element, fresh)) renew(element, fresh);
  else rebuild(element, fresh);
  for (const row of keyed(element)) row.classList.toggle("highlight", broken.has(row.dataset.key) && row.matches(".late"));
  focus?.();
}

const ROW = "[data-key], [data-keep]";

// Whether a fresh element has the same rows at the same places: then only what differs is replaced, and nothing else is
// laid out again. What contains rows contains no text beside them.
function fits(element, fresh) {
  const same = [...fresh.children];
  return same.length === element.children.length && same.every((each, place) => {
    const old = element.children[place];
    if (each.matches(ROW)) return old.dataset.key === (each.dataset.key ?? each.dataset.keep);
    return !each.querySelector(ROW) && !old.querySelector(ROW) || old.tagName === each.tagName && fits(old, each);
  });
}

function renew(element, fresh) {
  for (const [place, each] of [...fresh.children].entries()) {
    const old = element.children[place];
    if (each.dataset.keep !== undefined || old.isEqualNode(each)) continue;
    if (each.matches(ROW) || !each.querySelector(ROW)) old.replaceWith(each);
    else {
      for (const { name, value } of each.attributes) old.setAttribute(name, value);
      renew(old, each);
    }
  }
}

function rebuild(element, fresh) {
  const old = new Map(keyed(element).map((row) => [row.dataset.key, row]));
  for (const place of fresh.querySelectorAll("[data-keep]")) {
    const row = old.get(place.dataset.keep);
    if (row) place.replaceWith(row);
    else place.remove();
  }
  element.replaceChildren(...fresh.childNodes);
}

// What restores the focus: the element, or the one that has taken its place.
function focused(element) {
  const active = document.activeElement;
  if (!active || active === element || !element.contains(active)) return null;
  const row = active.closest("[data-key]")?.dataset.key;
  const href = active.getAttribute("href");
  return () => {
    if (active.isConnected) return active.focus();
    const within = row ? keyed(element).find(({ dataset }) => dataset.key === row) : element;
    const found = [...(within?.querySelectorAll("a, button, input, select, summary") ?? [])];
    return (found.find((each) => each.id === active.id && each.getAttribute("href") === href) ?? found[0])?.focus();
  };
}

let regions = [];
let followed = null; // the place in the stream that the signals have come to
let streamAt = null; // the place in the stream that the last answer has
let refresh = null;

function planRefresh() {
  clearTimeout(refresh);
  const at = [...document.querySelectorAll("[data-refresh-at]")].map(({ dataset }) => Number(dataset.refreshAt));
  const next = Math.min(...at.map((each) => each - now()), REFRESH);
  refresh = setTimeout(() => {
    if (!document.hidden) regions.forEach((region) => region.renew());
    planRefresh();
  }, Math.max(next, PAUSE));
}

function connected(state, text) {
  const element = document.querySelector("#connection");
  element.dataset.state = state;
  if (element.textContent !== text) element.textContent = text;
}

function announce(element) {
  const place = document.querySelector("#announced");
  for (const row of element.querySelectorAll(".highlight[data-spoken]")) {
    const line = document.createElement("p");
    line.textContent = row.dataset.spoken;
    place.append(line);
  }
  while (place.childElementCount > ANNOUNCED) place.firstElementChild.remove();
}

// Follow the stream from the place that the page was rendered at, so that nothing is missed between the two. A hidden tab
// closes its stream: a browser opens at most six connections to a host, and people keep many tabs open.
export function followRegions() {
  regions = [...document.querySelectorAll("[data-live]")].map((element) => new Region(element));
  if (!regions.length) return;
  let source = null;
  followed = document.body.dataset.streamAt;

  function open() {
    if (source || document.hidden) return;
    source = new EventSource(`/v1/stream?named=false&after=${followed}`);
    source.onopen = () => connected("live", say("live"));
    source.onmessage = (message) => {
      followed = message.lastEventId || followed;
      const signal = JSON.parse(message.data);
      regions.forEach((region) => region.onSignal(signal));
    };
    source.addEventListener("reset", ({ lastEventId }) => {
      followed = lastEventId;
      regions.forEach((region) => region.renew());
    });
    source.onerror = () => {
      connected("lost", say("reconnecting"));
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(recover, RETRY);
    };
  }

  // The stream was refused: the session has ended, or it no longer has the place. Everything is fetched, which says so.
  async function recover() {
    await Promise.all(regions.map((region) => region.renewNow()));
    followed = streamAt ?? followed;
    open();
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("changed", () => regions.forEach((region) => region.renew()));
  document.addEventListener("swapped", ({ detail }) => announce(detail));
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
  planRefresh();
}

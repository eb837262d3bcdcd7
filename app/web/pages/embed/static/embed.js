// An embedded ticket: counts down, and fetches the clocks again when the stream says that something has changed. It has
// the token of the page's address and sends no cookie.

import { countDown, synchronize, tickAll } from "./countdown.js";
import { say } from "./spoken.js";

const GATHER = 250; // milliseconds in which changes are collected
const RETRY = 5000; // milliseconds
const REFRESH = 60_000; // milliseconds; places in the queue change without a signal about this ticket
const OVER = new Set([404, 410]); // the token is not valid any more

const main = document.querySelector("main");
const connection = document.querySelector("#connection");
let source = null;
let timer = null;

async function renew() {
  timer = null;
  let response;
  try {
    response = await fetch(main.dataset.clocks, { credentials: "omit" });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the network
    return plan(RETRY);
  }
  if (OVER.has(response.status)) return location.reload();
  if (!response.ok) return plan(RETRY);
  synchronize(response.headers.get("X-Slatimer-At"));
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  document.querySelector("#clocks").replaceChildren(...fresh.childNodes);
  return tickAll();
}

function plan(delay) {
  timer ??= setTimeout(renew, delay);
}

function open() {
  if (source || document.hidden) return;
  source = new EventSource(main.dataset.stream);
  source.onopen = () => {
    connection.textContent = say("live");
    plan(0); // what has changed while there was no stream
  };
  source.onmessage = () => plan(GATHER);
  source.onerror = () => {
    connection.textContent = say("reconnecting");
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    plan(0);
    setTimeout(open, RETRY);
  };
}

function close() {
  source?.close();
  source = null;
}

countDown();
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", open);
setInterval(() => document.hidden || plan(0), REFRESH);
open();

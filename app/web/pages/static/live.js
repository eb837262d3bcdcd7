// Keeps a page up to date: follows the event stream, and reads everything again whenever the stream is opened.
// A hidden tab closes its stream: a browser opens at most six connections to a host, and people keep many tabs open.

import { get } from "./api.js";
import { find, write } from "./dom.js";
import { attempt } from "./session.js";

const RETRY = 3000; // milliseconds; EventSource reconnects after a lost connection, not after an error status

// Follow the stream: `onSignal` is called for every signal after a cursor, and `read` once the cursor is known, with the
// latest signals before it. So no signal is missed between the two.
export function follow({ read, onSignal, latest = 1 }) {
  let source = null;
  let opening = false;

  async function open() {
    if (source || opening || document.hidden) return;
    opening = true;
    const recent = await attempt(() => get(`/v1/signals?latest=true&limit=${latest}`));
    opening = false;
    if (!recent) setTimeout(open, RETRY);
    if (!recent || document.hidden) return;
    source = new EventSource(`/v1/stream?named=false&after=${recent.next}`);
    source.onopen = () => connected("live", "Live");
    source.onmessage = (message) => onSignal(JSON.parse(message.data));
    source.onerror = () => {
      connected("lost", "Reconnecting…");
      if (source?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, RETRY);
      }
    };
    await attempt(() => read(recent.signals));
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  return open();
}

function connected(state, text) {
  const element = find("#connection");
  element.dataset.state = state;
  write(element, text);
}

// Debounce: call `work` once after a burst of calls, and never twice at the same time.
export function debounced(work, delay) {
  let timer = null;
  let running = false;
  let again = false;
  async function run() {
    timer = null;
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
    } finally {
      running = false;
    }
    if (again) {
      again = false;
      call();
    }
  }
  function call() {
    timer ??= setTimeout(run, delay);
  }
  return call;
}

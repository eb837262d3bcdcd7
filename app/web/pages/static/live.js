// How does a page stay true? It listens to the stream, and reads everything anew whenever it begins to listen.
// A hidden tab does not listen: a browser opens six connections to a host and no more, and people keep many tabs.

import { get } from "./api.js";
import { find, write } from "./dom.js";
import { attempt } from "./session.js";

const COME_BACK = 3000; // milliseconds; a browser comes back by itself only from a cut, not from a refusal

// Listen: `told` is called for every signal from a place in the stream on, `read` after that place is known, with the
// latest signals before it. So nothing falls between the two.
export function follow({ read, told, latest = 1 }) {
  let source = null;
  let beginning = false;

  async function begin() {
    if (source || beginning || document.hidden) return;
    beginning = true;
    const recent = await attempt(() => get(`/v1/signals?latest=true&limit=${latest}`));
    beginning = false;
    if (!recent) setTimeout(begin, COME_BACK);
    if (!recent || document.hidden) return;
    source = new EventSource(`/v1/stream?after=${recent.next}`);
    source.onopen = () => connected("live", "live");
    source.onmessage = (message) => told(JSON.parse(message.data));
    source.onerror = () => {
      connected("cut", "reconnecting");
      if (source?.readyState === EventSource.CLOSED) {
        end();
        setTimeout(begin, COME_BACK);
      }
    };
    await attempt(() => read(recent.signals));
  }

  function end() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  window.addEventListener("pagehide", end);
  window.addEventListener("pageshow", begin);
  return begin();
}

function connected(state, text) {
  const element = find("#connection");
  element.dataset.state = state;
  write(element, text);
}

// Call `work` once after a burst of calls, and never twice at a time.
export function gathered(work, delay) {
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

// Counts down: the one thing that the browser computes. An element has the seconds that were left at an instant of the
// service (`data-left`, `data-at`), and until when they run (`data-until`); without `data-until` they stand still.

import { say } from "./spoken.js";

const TICK = 1000; // milliseconds
const MANY_HOURS = 10; // from here on minutes are left out, as the server does

let ahead = -Infinity; // the service's time minus this tab's monotonic clock, in milliseconds

// A response arrives after it was made, so the estimate is never ahead and the greatest one is the most accurate.
export function synchronize(at) {
  ahead = Math.max(ahead, Number(at) - performance.now());
}

export const now = () => ahead + performance.now();

export function length(seconds) {
  const minutes = Math.trunc(Math.abs(seconds) / 60);
  const [hours, rest] = [Math.trunc(minutes / 60), minutes % 60];
  if (hours >= MANY_HOURS || (hours && !rest)) {
    return say("hours", { h: new Intl.NumberFormat(document.documentElement.lang).format(hours) });
  }
  if (hours) return say("hours_minutes", { h: hours, min: rest });
  return minutes ? say("minutes", { min: minutes }) : say("seconds", { s: Math.abs(seconds) });
}

function tick(element) {
  const { left, at, until } = element.dataset;
  const passed = until ? Math.max(0, Math.floor((Math.min(now(), Number(until)) - Number(at)) / 1000)) : 0;
  const seconds = Number(left) - passed;
  const text = seconds >= 0 ? length(seconds) : say("over", { time: length(seconds) });
  if (element.textContent !== text) element.textContent = text;
}

export const tickAll = () => document.querySelectorAll("[data-left]").forEach(tick);

export function countDown() {
  synchronize(document.body.dataset.at);
  tickAll();
  setInterval(tickAll, TICK);
}

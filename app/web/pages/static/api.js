// How does a page ask, and what does it say when something is wrong? Everything goes through the public API.

import { heard } from "./time.js";

// A refusal, with every faulty place that the service names.
export class Problem extends Error {
  constructor(status, body) {
    super(body.title ?? `The service answered ${status}.`);
    this.status = status;
    const places = (body.errors ?? []).map(({ place, reason }) => [place, reason].filter(Boolean).join(": "));
    const refused = (body.refused ?? []).map(({ reason }) => reason);
    this.lines = [body.detail, ...places, ...refused].filter(Boolean);
  }
}

async function asked(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  const text = await response.text();
  const body = text && /\bjson\b/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(response.status, body);
  if (typeof body.at === "string") heard(body.at);
  return body;
}

export const get = (path) => asked(path);

export function post(path, body) {
  const headers = { "Content-Type": "application/json", "X-Slatimer": "page" };
  return asked(path, { method: "POST", headers, body: JSON.stringify(body) });
}

// A path whose parts are whatever a desk, a ticket or a queue may be called.
export const path = (...parts) => parts.map((part) => "/" + encodeURIComponent(part)).join("");

export function query(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

// Push one event. A repetition of a refused or lost push is a new one: it takes a new id.
export async function push(desk, ticket, type, time, data) {
  const event = { specversion: "1.0", id: `page-${fresh()}`, source: desk, type, subject: ticket, time, data };
  const answer = await post("/v1/events", event);
  if (answer.refused.length) throw new Problem(422, { title: "The event was refused", refused: answer.refused });
  return answer;
}

// randomUUID is there on https and localhost only; a page may be served on a plain address within a house.
const fresh = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

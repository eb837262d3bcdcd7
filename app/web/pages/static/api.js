// Requests to the public API, and their errors.

import { say, titleOf } from "./spoken.js";
import { synchronize } from "./time.js";

// A problem document (RFC 9457), with one line for each invalid field.
export class Problem extends Error {
  constructor(status, body) {
    super(titleOf(body.type) ?? body.title ?? say("status", { status }));
    this.status = status;
    const places = (body.errors ?? []).map(({ place, reason }) => [place, reason].filter(Boolean).join(": "));
    const refused = (body.refused ?? []).map(({ reason }) => reason);
    this.lines = [body.detail, ...places, ...refused].filter(Boolean);
  }
}

async function request(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  const text = await response.text();
  const body = text && /\bjson\b/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(response.status, body);
  if (typeof body.at === "string") synchronize(body.at);
  return body;
}

export const get = (path) => request(path);

export function post(path, body) {
  const headers = { "Content-Type": "application/json", "X-Slatimer": "page" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

export const remove = (path) => request(path, { method: "DELETE", headers: { "X-Slatimer": "page" } });

// A path of encoded parts: names of desks, tickets and queues may contain any character.
export const path = (...parts) => parts.map((part) => "/" + encodeURIComponent(part)).join("");

export function query(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

// Push one event. Each attempt has a new event id, so a retry is never taken for a duplicate.
export async function push(desk, ticket, type, time, data) {
  const event = { specversion: "1.0", id: `page-${randomId()}`, source: desk, type, subject: ticket, time, data };
  const answer = await post("/v1/events", event);
  if (answer.refused.length) throw new Problem(422, { title: say("refused"), refused: answer.refused });
  return answer;
}

// Not crypto.randomUUID: it exists only on https and localhost, and a page may be served over plain http in a network.
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// A queue: the waiting tickets in order, since when, and their moves.

import { get, path, query } from "./api.js";
import { learn, zoneOf } from "./calendars.js";
import { find, h, write } from "./dom.js";
import { debounced, follow } from "./live.js";
import { attempt, signedIn } from "./session.js";
import { inZone, written } from "./time.js";
import { moved } from "./words.js";

const PAGE = 100;
const MAX_PAGE = 500;
const GATHER = 300; // milliseconds in which signals are collected
const REFRESH = 60_000;

const { desk, queue } = document.body.dataset;
let limit = PAGE;

async function read() {
  const [desks, found] = await Promise.all([
    get(query("/v1/desks", { desk })),
    get(query(`/v1/queues${path(desk, queue)}`, { limit })),
  ]);
  learn(desks.desks);
  const why = found.expected_reply_reason ? ` No reply time can be forecast: ${found.expected_reply_reason}.` : "";
  write(find("#length"), `${found.length} ${found.length === 1 ? "ticket" : "tickets"} waiting.${why}`);
  find("#waiting tbody").replaceChildren(...found.tickets.map(row));
  find("#none").hidden = found.length > 0;
  find("#more").hidden = !found.next || limit >= MAX_PAGE;
}

const at = (instant) => written(inZone(instant, zoneOf(desk)));

function row({ ticket, position, joined_at, moves, expected_reply_at }) {
  return h("tr", { "data-ticket": ticket },
    h("td", { class: "number" }, position),
    h("th", { scope: "row" }, h("a", { href: `/tickets${path(desk, ticket)}` }, ticket)),
    h("td", {}, at(joined_at)),
    h("td", {}, expected_reply_at ? at(expected_reply_at) : "Unknown"),
    h("td", {}, h("ol", { class: "moves" }, moves.map((move) => h("li", {}, `${at(move.at)} \u00b7 ${moved(move)}`)))));
}

const readAgain = debounced(() => attempt(read), GATHER);

find("#more").addEventListener("click", () => {
  limit = Math.min(MAX_PAGE, limit + PAGE);
  readAgain();
});
setInterval(() => document.hidden || readAgain(), REFRESH);

await signedIn(() => null);
await follow({
  read,
  onSignal: (signal) => {
    if (signal.desk === desk) readAgain();
  },
});

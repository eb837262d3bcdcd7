// A queue: who waits, in which order, since when, and how each came to its place.

import { get, path, query } from "./api.js";
import { learn, zoneOf } from "./calendars.js";
import { find, h, write } from "./dom.js";
import { follow, gathered } from "./live.js";
import { attempt, signedIn } from "./session.js";
import { inZone, written } from "./time.js";
import { cause } from "./words.js";

const PAGE = 100;
const LONGEST_PAGE = 500;
const GATHER = 300; // milliseconds in which signals are gathered
const REFRESH = 60_000;

const { desk, queue } = document.body.dataset;
let limit = PAGE;

async function read() {
  const [desks, line] = await Promise.all([
    get(query("/v1/desks", { desk })),
    get(query(`/v1/queues${path(desk, queue)}`, { limit })),
  ]);
  learn(desks.desks);
  const why = line.expected_reply_reason ? ` No reply can be forecast: ${line.expected_reply_reason}.` : "";
  write(find("#length"), `${line.length} waiting.${why}`);
  find("#line tbody").replaceChildren(...line.tickets.map(row));
  find("#none").hidden = line.length > 0;
  find("#more").hidden = !line.next || limit >= LONGEST_PAGE;
}

const at = (instant) => written(inZone(instant, zoneOf(desk)));

function row({ ticket, position, joined_at, moves, expected_reply_at }) {
  return h("tr", { "data-ticket": ticket },
    h("td", { class: "number" }, position),
    h("th", { scope: "row" }, h("a", { href: `/tickets${path(desk, ticket)}` }, ticket)),
    h("td", {}, at(joined_at)),
    h("td", {}, expected_reply_at ? at(expected_reply_at) : "unknown"),
    h("td", {}, h("ol", { class: "moves" }, moves.map((move) => h("li", {}, `${at(move.at)}: ${move.kind}, ${cause(move.cause)}`)))));
}

const readAgain = gathered(() => attempt(read), GATHER);

find("#more").addEventListener("click", () => {
  limit = Math.min(LONGEST_PAGE, limit + PAGE);
  readAgain();
});
setInterval(() => document.hidden || readAgain(), REFRESH);

await signedIn(() => null);
await follow({
  read,
  told: (signal) => {
    if (signal.desk === desk) readAgain();
  },
});

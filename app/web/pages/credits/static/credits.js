// Credits: what contracts are owed, by when it must be claimed, decisions of a person, and statements.

import { get, path, post, query } from "./api.js";
import { learn, zoneOf } from "./calendars.js";
import { find, h } from "./dom.js";
import { debounced, follow } from "./live.js";
import { money, sum } from "./money.js";
import { learnPermissions, may } from "./permissions.js";
import { attempt, signedIn } from "./session.js";
import { inZone, written } from "./time.js";
import { CREDITS_BY_STATE, creditMark, creditState, sentence } from "./words.js";

const GATHER = 300; // milliseconds in which signals are collected
const REFRESH = 60_000;
const PAGES = 10; // answers that are read in one go: one ends at the last contract of a desk
const CONCERNS = /^(credit|contract|allowance|agreement|calendar)\./;
const CLOSED = new Set(["refused", "lapsed", "withdrawn"]); // in no total

const filters = find("#filters");
const rows = new Map(); // what is shown, by credit
const opened = new Set(); // credits whose explanation the visitor has opened
let pages = PAGES;

const chosen = () => Object.fromEntries(new FormData(filters));
const at = (desk, instant) => written(inZone(instant, zoneOf(desk)));

async function read({ afresh = false } = {}) {
  const { desk, period } = chosen();
  const [desks, { credits, next }, { allowances }] = await Promise.all([
    get("/v1/desks"), list(), get(query("/v1/allowances", { desk, period })), learnPermissions(),
  ]);
  learn(desks.desks);
  offer(desks.desks);
  drawTotals(credits);
  drawCredits(credits, afresh);
  drawAllowances(allowances);
  find("#none").hidden = credits.length > 0 || next !== null;
  find("#more").hidden = next === null;
  find("#some").hidden = next === null;
}

// An answer has the credits of so many contracts: what follows is read when it is asked for.
async function list() {
  const found = [];
  let cursor = null;
  for (let read = 0; read < pages; read += 1) {
    const answer = await get(query("/v1/credits", { ...chosen(), cursor }));
    found.push(...answer.credits);
    cursor = answer.next ?? null;
    if (cursor === null) break;
  }
  return { credits: found, next: cursor };
}

function offer(desks) {
  for (const select of document.querySelectorAll("select[name=desk]")) {
    const wanted = select.value || (select.form === filters && new URLSearchParams(location.search).get("desk")) || "";
    const first = select.form === filters ? [h("option", { value: "" }, "All")] : [];
    if (select.options.length === desks.length + first.length && select.value === wanted) continue;
    select.replaceChildren(...first, ...desks.map(({ desk }) => h("option", { value: desk }, desk)));
    if (wanted) select.value = wanted;
  }
}

// What is owed, by state and currency: amounts of different states or currencies are never added.
function drawTotals(credits) {
  const groups = CREDITS_BY_STATE.filter((state) => !CLOSED.has(state)).flatMap((state) => {
    const of = credits.filter((credit) => credit.state === state);
    const known = of.filter(({ amount }) => amount !== null);
    const currencies = [...new Set(known.map(({ currency }) => currency))].sort();
    const amounts = currencies.map((currency) =>
      money(sum(known.filter((each) => each.currency === currency).map(({ amount }) => amount)), currency));
    const unknown = of.length - known.length;
    return of.length ? [[state, [...amounts, unknown && `${unknown} without an amount`].filter(Boolean), of.length]] : [];
  });
  find("#totals").replaceChildren(...groups.map(([state, amounts, count]) => h("div", { class: "facet", "data-state": state },
    h("div", { class: "name" }, `${creditMark(state)} ${creditState(state)}`),
    amounts.map((amount) => h("div", { class: "big amount" }, amount)),
    h("small", {}, `${count} ${count === 1 ? "credit" : "credits"}`))));
}

// A row in which the visitor is writing is not rebuilt, unless that is what was sent.
function drawCredits(credits, afresh) {
  const kept = new Map(rows);
  rows.clear();
  for (const credit of credits) {
    const content = JSON.stringify(credit);
    const old = kept.get(credit.id);
    const writing = old && !afresh && find("form", old.element)?.closest("details[open]");
    rows.set(credit.id, old && (old.content === content || writing) ? old : { content, element: row(credit) });
  }
  find("#credits tbody").replaceChildren(...[...rows.values()].map(({ element }) => element));
}

const cell = (label, name, ...content) => h(name, { "data-label": label, role: name === "th" ? "rowheader" : "cell", scope: name === "th" && "row" },
  h("div", {}, ...content));

function row(credit) {
  const { id, desk, state } = credit;
  return h("tr", { role: "row", "data-credit": id, "data-state": state, class: CLOSED.has(state) && "closed-line" },
    cell("Contract", "th", h("strong", {}, credit.contract), h("small", {}, [credit.customer, desk].filter(Boolean).join(" \u00b7 "))),
    cell("Credit", "td", credit.label, h("small", {}, object(credit)), why(credit)),
    cell("Amount", "td", h("span", { class: "amount" }, amountOf(credit))),
    cell("State", "td", h("span", { class: "state" }, `${creditMark(state)} ${creditState(state)}`), decided(credit)),
    cell("By", "td", deadline(credit)),
    cell("Statement", "td", h("a", { href: statement(desk, credit.contract, credit.period) }, credit.period), decide(credit)));
}

const amountOf = ({ amount, currency }) => (amount === null ? "Not known" : money(amount, currency));

const statement = (desk, contract, period) => `/v1/statements${path(desk, contract, period)}`;

function object({ service, ticket, desk, availability, commitment }) {
  if (ticket) return h("a", { href: `/tickets${path(desk, ticket)}` }, `ticket ${ticket}`);
  return service ?? availability ?? commitment;
}

function why({ id, explanation }) {
  const toggle = ({ target }) => (target.open ? opened.add(id) : opened.delete(id));
  return h("details", { open: opened.has(id), toggle }, h("summary", {}, "Explanation"),
    h("ul", { class: "explained-by" }, explanation.map((each) => h("li", {}, each))));
}

function decided({ desk, transitions }) {
  const latest = transitions.at(-1);
  if (!latest) return null;
  return h("small", {}, [at(desk, latest.at), latest.author, latest.reason].filter(Boolean).join(" \u00b7 "));
}

function deadline({ desk, state, claim_by: claim, arises_at: arises }) {
  if (state === "claimable") return claim ? `Claim by ${at(desk, claim)}` : "No deadline to claim";
  if (state === "accruing") return arises ? `Accrues until ${at(desk, arises)}` : "Accrues until the interruption is over";
  return state === "claimed" ? "Waiting for an answer" : "\u2013";
}

// What a person may decide now: the API refuses the others.
function decisions({ desk, state, owed }) {
  const correct = may("correct", desk) && !["accruing", "withdrawn"].includes(state);
  return [
    may("record", desk) && owed !== "automatic" && state === "claimable" && "request",
    correct && state !== "granted" && "grant",
    correct && state !== "refused" && "refuse",
  ].filter(Boolean);
}

function decide(credit) {
  const found = decisions(credit);
  if (!found.length) return null;
  const send = async (submitted) => {
    submitted.preventDefault();
    const { author, reason } = Object.fromEntries(new FormData(submitted.target));
    const decision = submitted.submitter?.value ?? found[0];
    const buttons = [...submitted.target.querySelectorAll("button")];
    for (const each of buttons) each.disabled = true;
    if (await attempt(() => post(`/v1/credits${path(credit.id, decision)}`, { author, reason }))) {
      find("#recorded").textContent = `${credit.contract}, ${credit.label}: ${decision} recorded.`;
      await attempt(() => read({ afresh: true }));
    }
    for (const each of buttons) each.disabled = false;
  };
  return h("details", { class: "record" }, h("summary", {}, "Decide"),
    h("form", { class: "entry", submit: send, "aria-label": `Decide the credit of ${credit.contract}` },
      h("label", {}, "Author", h("input", { name: "author", required: true, maxlength: 500, autocomplete: "name" })),
      h("label", {}, "Reason", h("input", { name: "reason", required: true, maxlength: 500 })),
      h("div", { class: "choices" }, found.map((each) => h("button", { type: "submit", value: each }, sentence(each))))));
}

function drawAllowances(allowances) {
  find("#allowances").hidden = allowances.length === 0;
  find("#allowances tbody").replaceChildren(...allowances.map((each) => h("tr", { role: "row" },
    cell("Contract", "th", h("strong", {}, each.contract ?? each.customer ?? each.desk), h("small", {}, [each.contract && each.customer, each.desk].filter(Boolean).join(" \u00b7 "))),
    cell("Allowance", "td", each.label, h("small", {}, each.period)),
    cell("Used", "td", `${each.used} of ${each.limit ?? "no limit"}`),
    cell("Left", "td", each.left ?? "\u2013"),
    cell("Tickets", "td", each.uses.map(({ ticket, exceeded }) => [
      h("a", { href: `/tickets${path(each.desk, ticket)}` }, ticket), exceeded ? " (past the allowance) " : " "]).flat()))));
}

const readAgain = debounced(() => attempt(read), GATHER);

const asked = new URLSearchParams(location.search);
for (const name of ["period", "state", "contract"]) filters.elements[name].value = asked.get(name) ?? "";
filters.addEventListener("change", () => {
  if (!filters.reportValidity()) return;
  pages = PAGES;
  history.replaceState(null, "", query(location.pathname, chosen()));
  readAgain();
});
filters.addEventListener("submit", (submitted) => submitted.preventDefault());
find("#more").addEventListener("click", () => {
  pages += PAGES;
  readAgain();
});
find("#statement").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const { desk, contract, period } = Object.fromEntries(new FormData(submitted.target));
  location.assign(statement(desk, contract.trim(), period));
});
setInterval(() => document.hidden || readAgain(), REFRESH);

await signedIn(() => null);
await follow({
  read: () => read(),
  onSignal: (signal) => {
    if (CONCERNS.test(signal.kind)) readAgain();
  },
});

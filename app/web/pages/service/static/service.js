// Services: the uptime of each this month, what is left, its days, its outages and its announced maintenance.

import { get, query } from "./api.js";
import { bars, lost, spare } from "./bars.js";
import { learn, zoneOf } from "./calendars.js";
import { arrange, find, h, table } from "./dom.js";
import { debounced, follow } from "./live.js";
import { causes, isOpen, list, starting } from "./outages.js";
import { learnPermissions, may } from "./permissions.js";
import { attempt, signedIn } from "./session.js";
import { inZone, now, written } from "./time.js";
import { flag, kind, sentence, uptimeState } from "./words.js";

const DAYS = 90;
const GATHER = 300; // milliseconds in which signals are collected
const REFRESH = 60_000;
const CONCERNS = /^(availability|average|agreement|calendar)\./;

const filters = find("#filters");
const cards = new Map(); // what is shown, by desk, commitment and service
const opened = new Map(); // what the visitor has opened, by card and part

const chosen = () => Object.fromEntries(new FormData(filters));
const at = (desk, instant) => written(inZone(instant, zoneOf(desk)));
const keyOf = ({ desk, id, service }) => JSON.stringify([desk, id, service]);

async function read({ afresh = false } = {}) {
  const { desk, period } = chosen();
  const [desks, { availability }, { averages }] = await Promise.all([
    get("/v1/desks"),
    get(`/v1/availability?${new URLSearchParams({ resource: "", ...given({ desk, period }), days: DAYS })}`),
    get(query("/v1/averages", { desk, period })),
    learnPermissions(),
  ]);
  learn(desks.desks);
  offer(desks.desks);
  draw(availability, afresh);
  drawAverages(averages);
  find("#none").hidden = availability.length > 0;
  wake(availability);
}

const given = (parameters) => Object.fromEntries(Object.entries(parameters).filter(([, value]) => value));

function offer(desks) {
  const select = filters.elements.desk;
  const wanted = select.value || new URLSearchParams(location.search).get("desk") || "";
  if (select.options.length !== desks.length + 1) {
    select.replaceChildren(h("option", { value: "" }, "All"), ...desks.map(({ desk }) => h("option", { value: desk }, desk)));
    select.value = wanted;
  }
}

// The most urgent first: down now, then breached, then by the share of the allowance that is left.
function urgency(uptime) {
  if (uptime.outages.some(isOpen)) return -2;
  if (uptime.state === "breached") return -1;
  return uptime.allowance_seconds > 0 ? uptime.remaining_seconds / uptime.allowance_seconds : 1;
}

// A card in which the visitor is writing is not rebuilt, unless that is what was sent.
function draw(availability, afresh) {
  const kept = new Map(cards);
  cards.clear();
  const desks = new Map();
  for (const uptime of [...availability].sort((one, other) => urgency(one) - urgency(other))) {
    const key = keyOf(uptime);
    const content = JSON.stringify(uptime);
    const old = kept.get(key);
    const same = old && (old.content === content || (!afresh && find("form", old.element)?.closest("details[open]")));
    const each = same ? old : { content, element: card(uptime, key) };
    cards.set(key, each);
    desks.set(uptime.desk, [...(desks.get(uptime.desk) ?? []), each.element]);
  }
  const sections = [...desks].sort().map(([desk, elements]) => {
    const section = [...find("#services").children].find((each) => each.dataset.desk === desk) ??
      h("section", { class: "stack", "data-desk": desk, "aria-label": `Services of ${desk}` }, h("h2", {}, desk));
    arrange(section, [find("h2", section), ...elements]);
    return section;
  });
  arrange(find("#services"), sections);
}

function card(uptime, key) {
  const down = uptime.outages.filter(isOpen);
  const part = (name) => `${key} ${name}`;
  const remember = (name) => (open) => opened.set(part(name), open);
  const count = uptime.outages.length;
  return h("article", { class: "panel service", "data-service": uptime.service, "data-state": uptime.state },
    h("div", { class: "bar" }, h("h3", {}, uptime.service),
      h("span", { class: "hint" }, `${uptime.label} \u00b7 ${kind(uptime.kind)} \u00b7 ${uptime.period}`)),
    h("p", {}, down.length
      ? h("span", { class: "condition down" }, `Down since ${at(uptime.desk, down[0].from)}${down.length > 1 ? `, ${down.length} outages` : ""}`)
      : h("span", { class: "condition up" }, "Up")),
    h("div", { class: "facets" },
      facet("Uptime", h("span", { class: "big uptime" }, `${uptime.uptime} %`)),
      facet("Downtime left", h("span", { class: "big left-of" }, spare(uptime.remaining_seconds))),
      facet("State", state(uptime)),
      facet("Target", uptime.target),
      facet("Downtime", lost(uptime.downtime_seconds), h("small", {}, `of ${spare(uptime.allowance_seconds)} allowed`)),
      facet("Excluded", lost(uptime.excluded_seconds))),
    uptime.flags.map((each) => each !== "nothing_reported" && h("p", { class: "hint" }, `${flag(each)}.`)),
    uptime.flags.includes("nothing_reported") && h("p", { class: "hint" }, "Nothing was reported in this month."),
    uptime.days && bars(uptime.days, opened.get(part("days")) ?? false, remember("days")),
    count > 0 && section(`${count} ${count === 1 ? "outage" : "outages"}`, opened.get(part("outages")) ?? down.length > 0,
      remember("outages"), list(uptime, reread)),
    uptime.maintenance.length > 0 && section("Announced maintenance", opened.get(part("windows")) ?? true, remember("windows"), windows(uptime)),
    resources(uptime),
    may("record", uptime.desk) && h("div", { class: "records" }, starting(uptime, reread)));
}

const reread = () => attempt(() => read({ afresh: true }));

const facet = (name, ...content) => h("div", { class: "facet" }, h("div", { class: "name" }, name), h("div", {}, ...content));

const state = ({ desk, state: word, breached_at: since }) =>
  h("span", { class: `condition ${word}` }, uptimeState(word) + (since ? ` ${at(desk, since)}` : ""));

function section(title, open, remember, ...content) {
  return h("details", { open, toggle: ({ target }) => remember(target.open) }, h("summary", {}, title), ...content);
}

function windows({ desk, maintenance }) {
  return h("ul", { class: "windows" }, maintenance.map((window) => h("li", { "data-event": window.event },
    h("p", {}, h("strong", {}, `${at(desk, window.from)} to ${at(desk, window.to)}`), ` \u00b7 ${window.resource ?? "the whole service"}`,
      window.emergency && " \u00b7 emergency", Date.parse(window.to) <= now() && " \u00b7 over"),
    h("p", { class: "spans-of" }, `Downtime in it ${window.counted ? "counts" : "does not count"}: ${window.reason}. Announced ${at(desk, window.announced_at)}.`))));
}

// Resources are read when they are asked for: a service may have thousands.
function resources(uptime) {
  const body = h("div", {});
  const show = async ({ target }) => {
    if (!target.open || body.childElementCount) return;
    const { desk, id, service, period } = uptime;
    await attempt(async () => {
      const { availability } = await get(query("/v1/availability", { desk, id, service, period }));
      const rows = availability.filter(({ resource }) => resource !== null).map((each) =>
        [each.resource, `${each.uptime} %`, spare(each.remaining_seconds), state(each)]);
      body.replaceChildren(rows.length ? table(["Resource", "Uptime", "Downtime left", "State"], rows)
        : h("p", { class: "hint" }, "No event has named a resource of this service."));
    });
  };
  return h("details", { class: "resources", toggle: show }, h("summary", {}, "Resources"), body);
}

function drawAverages(averages) {
  find("#averages").hidden = averages.length === 0;
  find("#averages tbody").replaceChildren(...averages.map((each) => h("tr", { role: "row" },
    h("th", { role: "rowheader", scope: "row", "data-label": "Commitment" }, h("span", {}, `${each.desk}: ${each.label}`)),
    h("td", { role: "cell", "data-label": "Mean" }, each.mean_seconds === null ? "\u2013" : `${each.mean_seconds} s`),
    h("td", { role: "cell", "data-label": "Target" }, each.target),
    h("td", { role: "cell", "data-label": "Answered" }, each.count),
    h("td", { role: "cell", "data-label": "Abandoned" }, each.abandoned),
    h("td", { role: "cell", "data-label": "State" }, h("span", { class: `condition ${each.state}` }, uptimeState(each.state))))));
}

const readAgain = debounced(() => attempt(read), GATHER);
let alarm = null;

// Read again when a warning or a breach comes though nothing is reported.
function wake(availability) {
  clearTimeout(alarm);
  const ahead = availability.map(({ next_at: next }) => Date.parse(next ?? "") - now()).filter((each) => each > 0);
  const soonest = Math.min(...ahead, Infinity);
  if (soonest < REFRESH) alarm = setTimeout(readAgain, soonest + GATHER);
}

setInterval(() => document.hidden || readAgain(), REFRESH);

const asked = new URLSearchParams(location.search);
filters.elements.period.value = asked.get("period") ?? "";
filters.addEventListener("change", () => {
  if (!filters.reportValidity()) return;
  history.replaceState(null, "", query(location.pathname, chosen()));
  readAgain();
});
filters.addEventListener("submit", (submitted) => submitted.preventDefault());
document.body.append(causes([]));

await signedIn(() => null);
await follow({
  read: () => read(),
  onSignal: (signal) => {
    if (CONCERNS.test(signal.kind)) readAgain();
  },
});

// The outages of a service, with what of them counts and why, and forms to record their start, end and cause by hand.

import { push } from "./api.js";
import { zoneOf } from "./calendars.js";
import { lost } from "./bars.js";
import { find, h } from "./dom.js";
import { may } from "./permissions.js";
import { attempt } from "./session.js";
import { fromZone, inZone, now, written } from "./time.js";
import { sentence } from "./words.js";

const CAUSES = ["network", "hardware", "software", "power", "maintenance", "third_party", "force_majeure"];
const LOCAL_SECONDS = 19; // "2026-03-06T11:20:00"

export const isOpen = (outage) => outage.to === null;

const at = (desk, instant) => written(inZone(instant, zoneOf(desk)));

export function list(uptime, done) {
  const latest = new Map(uptime.outages.map((outage) => [keyOf(outage), outage])); // the last one of each resource
  return h("ul", { class: "outages" }, [...uptime.outages].reverse().map((outage) =>
    item(uptime, outage, latest.get(keyOf(outage)) === outage, done)));
}

const keyOf = ({ reference, resource, service }) => JSON.stringify([service, reference, reference === null ? resource : null]);

function item(uptime, outage, isLatest, done) {
  const until = isOpen(outage) ? "not ended" : `to ${at(uptime.desk, outage.to)}`;
  const named = [outage.resource ?? `all of ${outage.service}`, outage.cause ?? "cause not stated", outage.reference && `reference ${outage.reference}`];
  return h("li", { "data-event": outage.event, "data-open": isOpen(outage) },
    h("p", {}, h("strong", {}, `${at(uptime.desk, outage.from)} ${until}`), ` \u00b7 ${named.filter(Boolean).join(" \u00b7 ")}`),
    h("ul", { class: "spans-of" }, outage.spans.map((span) => h("li", {}, spanText(uptime.desk, span)))),
    may("record", uptime.desk) && isLatest && h("div", { class: "records" },
      isOpen(outage) && ending(uptime, outage, done), causing(uptime, outage, done)));
}

function spanText(desk, { from, to, counted, reason }) {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return `${counted ? "Counted" : "Excluded"}: ${lost(seconds)}, ${at(desk, from)} to ${at(desk, to)}. ${sentence(reason)}.`;
}

// What says which outage a further fact is about.
const about = ({ reference, resource }) => ({ ...(reference === null ? {} : { reference }), ...(resource === null ? {} : { resource }) });

export function starting(uptime, done) {
  return form(uptime, "Record an outage", [
    instant(uptime.desk, "Since"),
    h("label", {}, "Resource (empty: the whole service)", h("input", { name: "resource", maxlength: 200 })),
    cause(false),
  ], "Record the start", async (entered, zone) => {
    const data = { reference: `page-${now().toFixed(0)}`, ...given(entered, "resource"), ...given(entered, "cause") };
    return record(uptime.desk, uptime.service, "outage.started", fromZone(entered.get("time"), zone), data);
  }, done);
}

const ending = (uptime, outage, done) => form(uptime, "Record its end", [instant(uptime.desk, "Until"), cause(false)],
  "Record the end", (entered, zone) => record(uptime.desk, outage.service, "outage.ended", fromZone(entered.get("time"), zone),
    { ...about(outage), ...given(entered, "cause") }), done);

const causing = (uptime, outage, done) => form(uptime, outage.cause === null ? "State its cause" : "Correct its cause", [cause(true)],
  "Record the cause", (entered) => record(uptime.desk, outage.service, "outage.verified", new Date(now()).toISOString(),
    { ...about(outage), ...given(entered, "cause") }), done);

const record = (desk, service, type, time, data) => attempt(() => push(desk, `service:${service}`, type, time, data));

function given(entered, name) {
  const value = entered.get(name)?.trim();
  return value ? { [name]: value } : {};
}

const instant = (desk, label) => h("label", {}, `${label} (${zoneOf(desk)})`,
  h("input", { name: "time", type: "datetime-local", step: 1, required: true, value: inZone(now(), zoneOf(desk)).slice(0, LOCAL_SECONDS) }));

const cause = (required) => h("label", {}, required ? "Cause" : "Cause (if known)",
  h("input", { name: "cause", list: "causes", maxlength: 200, required }));

export const causes = (agreements) => h("datalist", { id: "causes" },
  [...new Set([...CAUSES, ...agreements])].map((value) => h("option", { value })));

function form(uptime, title, fields, action, send, done) {
  const sending = async (submitted) => {
    submitted.preventDefault();
    const form = submitted.target;
    const button = find("button", form);
    button.disabled = true;
    if (await send(new FormData(form), zoneOf(uptime.desk))) {
      find("#recorded").textContent = `${uptime.service}: ${title.toLowerCase()}, done.`;
      await done();
    }
    button.disabled = false;
  };
  return h("details", { class: "record" }, h("summary", {}, title),
    h("form", { class: "entry", submit: sending }, fields, h("button", { type: "submit" }, action)));
}

// Services: records outages, their causes and announced maintenance. They are pushed to the API as any system's events are.

import { push } from "./api.js";
import { now } from "./countdown.js";
import { followDialogs } from "./dialogs.js";
import { fromZone, inZone } from "./time.js";

const LOCAL_SECONDS = 19; // "2026-03-06T11:20:00"
const NEWLY = "outage.started";

const given = (values, ...names) =>
  Object.fromEntries(names.map((name) => [name, values[name]?.trim()]).filter(([, value]) => value));

function data(type, values) {
  const { from, to, zone, emergency } = values;
  const about = given(values, "reference", "resource", "cause");
  if (type === NEWLY) return { reference: `page-${Math.round(now())}`, ...about };
  if (!from) return about;
  return { from: fromZone(from, zone), to: fromZone(to, zone), ...about, ...(emergency ? { emergency: true } : {}) };
}

// The time fields of a dialog begin with the desk's time of now.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("opened", ({ detail }) => {
    const local = inZone(now(), detail.zone).slice(0, LOCAL_SECONDS);
    for (const field of dialog.querySelectorAll("[type=datetime-local]")) field.value = local;
  });
}

followDialogs((values, form) => {
  const { event } = form.dataset;
  const time = values.time ? fromZone(values.time, values.zone) : new Date(now()).toISOString();
  return push(values.desk, `service:${values.service}`, event, time, data(event, values));
});

// The opening hours and time zones of calendars, as `/v1/desks` lists them.

import { now } from "./time.js";

const known = new Map(); // by reference, as "haisoft/tickets"
const zones = new Map(); // a desk's own zone: that of its first calendar

export function learn(desks) {
  for (const desk of desks) {
    for (const hours of desk.hours) known.set(hours.calendar, hours);
    if (desk.hours.length) zones.set(desk.desk, desk.hours[0].time_zone);
  }
}

export const hoursOf = (calendar) => known.get(calendar);
export const zoneOf = (desk, calendar = null) => known.get(calendar)?.time_zone ?? zones.get(desk) ?? "UTC";

// When a calendar next opens or closes; infinity if never.
export const changesAt = (calendar) => Date.parse(known.get(calendar)?.next_change_at ?? "") || Infinity;

// Milliseconds until the next calendar opens or closes.
export function untilChange() {
  const ahead = [...known.values()].map((hours) => Date.parse(hours.next_change_at ?? "") - now());
  return Math.min(...ahead.filter((milliseconds) => milliseconds > 0), Infinity);
}

// Downtime by day as bars. A day's bar says in words what it shows, and so does the table below it.

import { h, svg, table } from "./dom.js";
import { day, length, wall } from "./time.js";
import { sentence } from "./words.js";

const WIDTH = 10;
const GAP = 2;
const HEIGHT = 40;
const LEAST = 8; // so that a second of downtime is seen
const NONE = 4;
const WHOLE_DAY = 86_400;

const dayOf = (date) => day(wall(`${date}T00:00`));

// Downtime is rounded up and what is left is rounded down, to whole seconds: a commitment never reads better than it is.
export const lost = (seconds) => length(Math.ceil(seconds));
export const spare = (seconds) => length(Math.floor(seconds));

// Logarithmic: a minute and a day are both seen.
const tall = (seconds) => LEAST + (HEIGHT - LEAST) * Math.min(1, Math.log1p(seconds) / Math.log1p(WHOLE_DAY));

function words({ downtime_seconds: down, excluded_seconds: excluded }) {
  const parts = [down > 0 && `${lost(down)} down`, excluded > 0 && `${lost(excluded)} excluded`].filter(Boolean);
  return parts.join(", ") || "no downtime";
}

function bar(each, index) {
  const { downtime_seconds: down, excluded_seconds: excluded } = each;
  const kind = down > 0 ? "down" : excluded > 0 ? "excluded" : "none";
  const height = kind === "none" ? NONE : tall(down || excluded);
  return svg("rect", { class: kind, x: index * WIDTH + GAP / 2, y: HEIGHT - height, width: WIDTH - GAP, height },
    svg("title", {}, `${dayOf(each.date)}: ${words(each)}`));
}

export function bars(days, open, toggled) {
  const down = days.filter((each) => each.downtime_seconds > 0);
  const noted = days.filter((each) => each.downtime_seconds > 0 || each.excluded_seconds > 0);
  const span = `${dayOf(days[0].date)} to ${dayOf(days.at(-1).date)}`;
  const count = down.length === 1 ? "1 day with downtime" : `${down.length || "no"} days with downtime`;
  const rows = [...noted].reverse().map((each) => [dayOf(each.date), sentence(words(each))]);
  const details = noted.length > 0 && h("details", { open, toggle: ({ target }) => toggled(target.open) },
    h("summary", {}, "Days with an outage"), table(["Day", "Downtime"], rows));
  return h("div", {},
    svg("svg", { class: "bars", role: "img", viewBox: `0 0 ${days.length * WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
      "aria-label": `Downtime of each day, ${span}: ${count}` }, days.map(bar)),
    h("p", { class: "hint" }, `Last ${days.length} days, ${span}: ${count}.`),
    h("ul", { class: "legend" }, h("li", { class: "bar-none" }, "no downtime"), h("li", { class: "bar-down" }, "downtime"),
      h("li", { class: "bar-excluded" }, "all of it excluded")),
    details || null);
}

// Calendars: the form of the editor and its text, each from the other, and the addresses for calendar programs.

import { attempt, editor, send, versions } from "./desk_file.js";

const form = document.querySelector("#form");
const feed = document.querySelector("#feed");

versions();

feed?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { note } = Object.fromEntries(new FormData(feed));
  const made = await attempt(() => send("POST", feed.dataset.address, { note }));
  if (made === undefined) return;
  const shown = document.querySelector("#feed-address");
  const code = Object.assign(document.createElement("code"), { textContent: JSON.parse(made).url });
  shown.replaceChildren(`${shown.dataset.text} `, code);
});

const value = (within, name) => within.querySelector(`[name="${name}"]`)?.value ?? "";

const rows = (calendar, kind, read) => [...calendar.querySelectorAll(`li[data-row="${kind}"]`)].map(read);

function fields(calendar) {
  return {
    name: calendar.dataset.calendar,
    time_zone: value(calendar, "time_zone"),
    hours: Array.from({ length: 7 }, (_, day) => value(calendar, `hours-${day}`)),
    exceptions: rows(calendar, "exceptions", (row) => ({
      day: value(row, "day"), hours: value(row, "hours"), reason: value(row, "reason"),
    })),
    country: value(calendar, "country"),
    subdivision: value(calendar, "subdivision"),
    categories: value(calendar, "categories"),
    half_day_hours: value(calendar, "half_day_hours"),
    make_up_days: calendar.querySelector('[name="make_up_days"]').checked,
    added: rows(calendar, "added", (row) => ({ day: value(row, "day"), name: value(row, "name") })),
    removed: rows(calendar, "removed", (row) => value(row, "day")),
  };
}

if (form) {
  let fromForm = false; // the text was written by the form: the form stays as it is, with its focus and unfinished rows
  const { write, text } = editor({
    onChecked(answer) {
      if (fromForm) answer.querySelector('[data-into="form"]')?.remove();
      fromForm = false;
    },
  });

  let latest = 0; // an answer that a later one has overtaken is dropped

  const writeText = async () => {
    const mine = ++latest;
    const calendars = [...form.querySelectorAll("[data-calendar]")].map(fields);
    const before = text();
    const written = await attempt(() => send("POST", `${document.querySelector("[data-editor]").dataset.editor}/text`, { text: before, calendars }));
    if (written === undefined || written === before || mine !== latest) return;
    fromForm = true;
    write(written);
  };

  form.addEventListener("change", writeText);
  form.addEventListener("click", ({ target }) => {
    const kind = target.dataset?.add;
    if (kind) {
      const calendar = target.closest("[data-calendar]");
      const list = calendar.querySelector(`[data-rows="${kind}"]`);
      list.append(calendar.querySelector(`template[data-for="${kind}"]`).content.cloneNode(true));
      list.lastElementChild.querySelector("input").focus();
    }
    if (target.matches("[data-remove-row]")) {
      target.closest("li").remove();
      writeText();
    }
  });
}

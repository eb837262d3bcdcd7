// What every page does: one menu is open at a time and closes with Escape, regions are live, times count down.

import { countDown } from "./countdown.js";
import { keepDetails } from "./details.js";
import { followRegions } from "./regions.js";

const menus = () => [...document.querySelectorAll("details.menu")];

document.addEventListener("toggle", ({ target }) => {
  if (target.open && target.matches("details.menu")) menus().forEach((menu) => menu === target || (menu.open = false));
}, true);

document.addEventListener("click", ({ target }) => {
  for (const menu of menus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  const open = key === "Escape" && menus().find((menu) => menu.open);
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// The server writes the reader's own time beside the desk's where they differ.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; Secure" : "";
if (zone) document.cookie = `slatimer_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;

countDown();
keepDetails();
followRegions();

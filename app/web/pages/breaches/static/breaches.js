// Breaches: filters that apply at once, and taking a breach on.

import { offerToTakeOn } from "./take_on.js";

const filters = document.querySelector("#filters");
filters?.addEventListener("change", ({ target }) => target.matches("select, [type=date]") && filters.requestSubmit());
filters?.addEventListener("submit", () => { // an empty field filters nothing: it stays out of the address
  for (const field of filters.elements) if (field.name && !field.value) field.disabled = true;
});

offerToTakeOn();

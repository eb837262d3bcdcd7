// Keeps what the reader has opened in a live region open when the region's content is replaced: `details` with an id.

const toggled = new Map(); // by id: whether the reader has it open

export function keepDetails() {
  document.addEventListener("toggle", ({ target }) => {
    if (target.matches("details[id]") && target.closest("[data-live]")) toggled.set(target.id, target.open);
  }, true);
  document.addEventListener("swapped", ({ detail }) => {
    for (const each of detail.querySelectorAll("details[id]")) each.open = toggled.get(each.id) ?? each.open;
  });
}

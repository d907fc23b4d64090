// The rest of the page: the lamp, what phones do with the next call, keys that are pressed for a newcomer, and how many
// lines of what has happened are kept. Decides nothing.

import { change, post } from "/static/forms.js";

const MOST_LINES = 60;

function light(isOn) {
  const lamp = document.getElementById("lamp");
  lamp.dataset.on = isOn ? "yes" : "no";
  lamp.setAttribute("aria-label", isOn ? "Lamp on" : "Lamp off");
}

document.addEventListener("lamp", ({ detail }) => light(detail.on));

document.addEventListener("change", async ({ target }) => {
  if (!target.dataset.behaviour) return;
  const said = await change(target.dataset.behaviour, new URLSearchParams({ behaviour: target.value }));
  if (said === null) target.value = [...target.options].find((option) => option.defaultSelected)?.value ?? target.value;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-keys]");
  if (!button || button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  await post("/type", new URLSearchParams({ keys: button.dataset.keys }));
  button.removeAttribute("aria-busy");
});

document.addEventListener("piece", ({ detail }) => {
  if (!detail.isNew || !detail.id.startsWith("l-")) return;
  const lines = document.getElementById("lines");
  while (lines.children.length > MOST_LINES) lines.lastElementChild.remove();
});

// Chooses many terminals, shows who is affected by a change of them, and then makes it. Decides nothing.

import { post } from "./forms.js";

const form = document.getElementById("many");
const all = document.getElementById("choose-all");
const chosen = new Set();

const boxes = () => [...document.querySelectorAll("#terminals input[name=terminal]")];
const shown = () => boxes().filter((box) => !box.closest("tr").hidden);

function show() {
  for (const box of boxes()) if (box.checked !== chosen.has(box.value)) box.checked = chosen.has(box.value);
  form.hidden = chosen.size === 0;
  document.getElementById("chosen").textContent = chosen.size;
  const some = shown().filter((box) => chosen.has(box.value)).length;
  all.checked = some > 0 && some === shown().length;
  all.indeterminate = some > 0 && !all.checked;
  if (chosen.size === 0) forget();
}

function forget() {
  const preview = document.createElement("div");
  preview.id = "bulk-preview";
  document.getElementById("bulk-preview").replaceWith(preview);
}

function fields(what) {
  const said = new URLSearchParams({ what });
  for (const tid of chosen) said.append("terminal", tid);
  return said;
}

if (form) {
  document.addEventListener("change", (event) => {
    if (event.target === all) for (const box of shown()) all.checked ? chosen.add(box.value) : chosen.delete(box.value);
    else if (event.target.name === "terminal") event.target.checked ? chosen.add(event.target.value) : chosen.delete(event.target.value);
    else return;
    forget();
    show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    post("/terminals/preview", fields(form.elements.what.value)).then(() => (document.getElementById("carry-out") ?? document.getElementById("leave-it"))?.focus());
  });
  document.addEventListener("click", async (event) => {
    if (event.target.id === "choose-none") { chosen.clear(); show(); }
    if (event.target.id === "leave-it") forget();
    if (event.target.id === "carry-out") {
      event.target.setAttribute("aria-busy", "true");
      if (await post("/terminals/change", fields(event.target.dataset.what))) { chosen.clear(); show(); }
      event.target.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("piece", show);
  document.addEventListener("filtered", show);
}

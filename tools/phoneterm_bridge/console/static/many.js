// Chooses many terminals, shows who is affected by a change of them, and then makes exactly that. Decides nothing.

import { ask, post } from "./forms.js";

const form = document.getElementById("many");
const all = document.getElementById("choose-all");
const chosen = new Set();
let asked = null; // what the preview was asked for: the change is made with the same, whatever is chosen since

const boxes = () => [...document.querySelectorAll("#terminals input[name=terminal]")];
const shown = () => boxes().filter((box) => !box.closest("tr").hidden);

function show() {
  const there = boxes();
  for (const box of there) if (box.checked !== chosen.has(box.value)) box.checked = chosen.has(box.value);
  form.hidden = chosen.size === 0;
  document.getElementById("chosen").textContent = chosen.size;
  const some = shown().filter((box) => chosen.has(box.value)).length;
  document.getElementById("chosen-hidden").textContent = some < chosen.size ? `${chosen.size - some} of them not shown below` : "";
  all.checked = some > 0 && some === shown().length;
  all.indeterminate = some > 0 && !all.checked;
  if (chosen.size === 0) empty("bulk-preview");
}

function empty(id) {
  const place = document.createElement("div");
  place.id = id;
  document.getElementById(id).replaceWith(place);
}

// Some changes need a word more.
function showFields() {
  for (const label of form.querySelectorAll("[data-of]")) label.hidden = label.dataset.of !== form.elements.what.value;
}

function fields() {
  const said = new URLSearchParams();
  for (const name of ["what", "group", "mqtt_host"]) said.append(name, form.elements[name].value);
  for (const tid of chosen) said.append("terminal", tid);
  return said;
}

async function carryOut(button) {
  if (button.dataset.question && !(await ask(button.dataset.question))) return;
  const said = new URLSearchParams(asked);
  said.append("mark", button.dataset.mark);
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  const answer = await post("/terminals/change", said);
  button.removeAttribute("aria-busy");
  button.disabled = false;
  if (!answer) return;
  chosen.clear();
  show();
  (document.getElementById("result-head") ?? all).focus();
}

if (form) {
  document.addEventListener("change", (event) => {
    if (event.target === form.elements.what) showFields();
    if (event.target === all) for (const box of shown()) all.checked ? chosen.add(box.value) : chosen.delete(box.value);
    else if (event.target.name === "terminal") event.target.checked ? chosen.add(event.target.value) : chosen.delete(event.target.value);
    else if (event.target.form !== form) return;
    empty("bulk-preview");
    show();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    empty("bulk-result");
    asked = fields();
    if (await post("/terminals/preview", asked)) (document.getElementById("carry-out") ?? document.getElementById("leave-it"))?.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.id === "choose-none") { chosen.clear(); show(); }
    if (event.target.id === "leave-it") { empty("bulk-preview"); form.elements.what.focus(); }
    if (event.target.id === "close-result") { empty("bulk-result"); all.focus(); }
    if (event.target.id === "carry-out") carryOut(event.target);
  });
  document.addEventListener("piece", show);
  document.addEventListener("filtered", show);
  showFields();
}

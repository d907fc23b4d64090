// Filters and sorts a long table where it is: what is searched for stands in the address, and what is filtered by stands
// above the table, with one button that clears it. Follows what live.js changes.

const form = document.querySelector("form[data-filters]");
const body = document.getElementById(form.dataset.filters);
const active = document.querySelector("[data-active]");
const collator = new Intl.Collator(undefined, { numeric: true });
const WORDS = { q: "search", state: "state", standing: "permissions", group: "site group", troubled: "only with faults", outdated: "only outdated firmware" };
let sorting = { by: "tid", down: false };

let newest = "";

// What is newest, and which groups there are, follows from the rows, as they are now.
function gather() {
  const groups = new Set();
  newest = "";
  for (const { dataset } of body.rows) {
    if (dataset.group) groups.add(dataset.group);
    if (dataset.firmware && dataset.firmware !== newest && dataset.state !== "revoked" && collator.compare(dataset.firmware, newest) > 0) newest = dataset.firmware;
  }
  const label = document.querySelector("span[data-newest]");
  const words = newest ? `(not ${newest})` : "";
  if (label && label.textContent !== words) label.textContent = words;
  for (const list of document.querySelectorAll("[data-fill=group]")) {
    const options = list.tagName === "SELECT" ? [...list.options].slice(1) : [...list.options];
    const names = [...groups, ...(list.value && !groups.has(list.value) ? [list.value] : [])].sort(collator.compare);
    if (names.length === options.length && names.every((name, place) => name === options[place].value)) continue;
    const kept = list.value;
    for (const one of options) one.remove();
    list.append(...names.map((name) => new Option(name)));
    if (list.tagName === "SELECT") list.value = kept;
  }
}

function wanted() {
  return new Map([...new FormData(form)].map(([name, value]) => [name, value.trim().toLowerCase()]).filter(([, value]) => value));
}

function fits(row, filters) {
  for (const [name, value] of filters) {
    if (name === "q" && !value.split(/\s+/).every((word) => row.dataset.text.includes(word))) return false;
    if ((name === "state" || name === "standing" || name === "group") && row.dataset[name].toLowerCase() !== value) return false;
    if (name === "troubled" && !row.dataset.troubled) return false;
    if (name === "outdated" && (!row.dataset.firmware || row.dataset.firmware === newest)) return false;
  }
  return true;
}

function showActive(filters) {
  active.hidden = filters.size === 0;
  active.replaceChildren();
  if (filters.size === 0) return;
  active.append("Only ");
  for (const [name, value] of filters) {
    const chip = document.createElement("span");
    chip.className = "chip filter";
    chip.textContent = value === "yes" ? WORDS[name] : `${WORDS[name]}: ${form.elements[name].value}`;
    active.append(chip, " ");
  }
  const clear = document.createElement("button");
  clear.type = "button";
  clear.textContent = "Show everything";
  clear.addEventListener("click", () => { form.reset(); for (const one of form.elements) { if (one.type === "checkbox") one.checked = false; else if ("value" in one && one.type !== "submit") one.value = ""; } apply(); form.elements[0].focus(); });
  active.append(clear);
}

function apply() {
  gather();
  const filters = wanted();
  let shown = 0;
  for (const row of body.rows) {
    const isShown = fits(row, filters);
    if (row.hidden === isShown) row.hidden = !isShown;
    shown += isShown;
  }
  const count = document.querySelector("[data-count]");
  if (count.textContent !== String(shown)) count.textContent = shown;
  const total = document.querySelector("[data-total]");
  if (total) total.textContent = body.rows.length;
  const none = document.querySelector("[data-none]");
  if (none) none.hidden = shown > 0 || body.rows.length === 0;
  showActive(filters);
  const query = new URLSearchParams([...filters.keys()].map((name) => [name, form.elements[name].value])).toString();
  const address = query ? `?${query}` : location.pathname;
  if (location.search !== (query ? `?${query}` : "")) history.replaceState(null, "", address);
  document.dispatchEvent(new CustomEvent("filtered"));
}

function sort() {
  const rows = [...body.rows];
  const value = (row) => row.dataset[sorting.by] ?? "";
  rows.sort((one, other) => (value(one) === "") - (value(other) === "") || (sorting.down ? -1 : 1) * collator.compare(value(one), value(other)) || collator.compare(one.dataset.tid, other.dataset.tid));
  if (rows.some((row, place) => body.rows[place] !== row)) body.append(...rows);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sort]");
  if (!button) return;
  sorting = { by: button.dataset.sort, down: sorting.by === button.dataset.sort && !sorting.down };
  for (const head of document.querySelectorAll("th[aria-sort]")) head.removeAttribute("aria-sort");
  button.closest("th").setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
  sort();
});

// The address says what is searched for: when the page is opened, and when it was loaded again by itself.
function restore() {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (!Object.hasOwn(WORDS, name)) continue;
    const one = form.elements[name];
    if (one?.dataset?.fill && value && ![...one.options].some((option) => option.value === value)) one.append(new Option(value));
    if (one?.type === "checkbox") one.checked = value === "yes";
    else if (one) one.value = value;
  }
}

restore();
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
let due = 0;
document.addEventListener("piece", (event) => {
  if (event.detail.isNew) sort();
  if (!due) due = requestAnimationFrame(() => { due = 0; apply(); });
});
document.addEventListener("loaded", () => { restore(); sort(); apply(); });
if (form.dataset.filters === "terminals" || location.search) apply();

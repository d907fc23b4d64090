// Presses the phone's keys as mouse, fingers and keyboard press them: a key that is held is held down at the phone.
// Decides nothing: what the phone says of its keys is what the page shows. A press lasts long enough to be scanned.

import { post } from "/static/forms.js";

const LEAST_MS = 60;
const page = document.querySelector('meta[name="topics"]').content.split(" ").find((topic) => topic.startsWith("page:"));
const typing = document.getElementById("typing");
const held = new Map(); // who presses, a pointer or a key of the keyboard -> legend
const moved = new Map(); // legend -> when it was moved last
let sending = Promise.resolve();

const button = (legend) => document.querySelector(`.key[data-legend="${CSS.escape(legend)}"]`);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// One after the other: two requests might overtake each other.
function move(legend, isDown) {
  sending = sending.then(async () => {
    await pause(Math.max(0, (moved.get(legend) ?? -LEAST_MS) + LEAST_MS - performance.now()));
    moved.set(legend, performance.now());
    await post("/key", new URLSearchParams({ legend, page, down: isDown ? "yes" : "no" }));
  });
}

function press(who, legend) {
  if (held.has(who)) return;
  const isFirst = ![...held.values()].includes(legend);
  held.set(who, legend);
  if (isFirst) move(legend, true);
}

function letGo(who) {
  const legend = held.get(who);
  if (legend === undefined) return;
  held.delete(who);
  if (![...held.values()].includes(legend)) move(legend, false);
}

function letGoAll() {
  for (const who of [...held.keys()]) letGo(who);
}

const keypad = document.querySelector(".keypad");
keypad.addEventListener("pointerdown", (event) => {
  const key = event.target.closest(".key");
  if (!key || event.button !== 0) return;
  event.preventDefault();
  key.focus({ preventScroll: true });
  key.setPointerCapture(event.pointerId);
  press(`pointer ${event.pointerId}`, key.dataset.legend);
});
for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
  keypad.addEventListener(name, (event) => letGo(`pointer ${event.pointerId}`));
}
keypad.addEventListener("contextmenu", (event) => event.preventDefault());
// A screen reader clicks, without any pointer.
keypad.addEventListener("click", (event) => {
  const key = event.target.closest(".key");
  if (!key || event.detail !== 0) return;
  press("click", key.dataset.legend);
  letGo("click");
});

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -4, ArrowDown: 4 };

function walk(key, step) {
  const keys = [...keypad.querySelectorAll(".key")];
  const place = keys.indexOf(key) + step;
  const isOver = Math.abs(step) === 1 && Math.floor(place / 4) !== Math.floor(keys.indexOf(key) / 4);
  if (isOver || !keys[place]) return;
  keys[place].focus();
}

keypad.addEventListener("focusin", (event) => {
  for (const key of keypad.querySelectorAll(".key")) key.tabIndex = key === event.target ? 0 : -1;
});

function legendOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const key = event.target.closest?.(".key");
  if (key && (event.key === " " || event.key === "Enter")) return key.dataset.legend;
  if (!typing.checked || event.target.matches?.("select, textarea, input:not([type=checkbox])")) return null;
  return /^[0-9*#a-d]$/i.test(event.key) ? event.key.toUpperCase() : null;
}

document.addEventListener("keydown", (event) => {
  const key = event.target.closest?.(".key");
  if (key && STEPS[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    walk(key, STEPS[event.key]);
    return;
  }
  const legend = legendOf(event);
  if (legend === null) return;
  event.preventDefault();
  if (!event.repeat) press(event.code || event.key, legend);
});
document.addEventListener("keyup", (event) => {
  if (held.has(event.code || event.key)) event.preventDefault(); // no click after it
  letGo(event.code || event.key);
});
addEventListener("blur", letGoAll);
addEventListener("pagehide", letGoAll);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && letGoAll());

document.addEventListener("key", ({ detail }) => {
  const key = button(detail.legend);
  if (key) key.dataset.down = detail.down ? "yes" : "no";
});

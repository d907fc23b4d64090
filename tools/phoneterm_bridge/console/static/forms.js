// Sends what somebody changes on a page, and shows the answer: a sentence, new pieces of the page, or another page.
// Asks first where an element has data-ask. Decides nothing: the bridge does.

import { putUnlessOlder } from "./live.js";

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

export function say(sentence, isBad = false) {
  const place = document.getElementById("said");
  if (!place) return;
  const line = document.createElement("p");
  line.textContent = sentence;
  line.className = isBad ? "bad" : "good";
  place.replaceChildren(line);
  clearTimeout(say.timer);
  if (!isBad) say.timer = setTimeout(() => place.replaceChildren(), 6000);
}

export async function ask(sentence) {
  const question = document.getElementById("question");
  document.getElementById("question-text").textContent = sentence;
  question.returnValue = "no";
  question.showModal();
  return new Promise((done) => question.addEventListener("close", () => done(question.returnValue === "yes"), { once: true }));
}

// The settings that are on their way: connections may overtake each other, so what is asked for later waits for them,
// but not for ever.
const CHANGE_MS = 15000;
let changes = Promise.resolve();

export async function post(where, body, headers = {}) {
  await changes;
  return send(where, body, { headers });
}

// Sends a setting after those that were changed before.
export function change(where, body) {
  const sent = changes.then(() => send(where, body, { withinMs: CHANGE_MS }));
  changes = sent.catch(() => null);
  return sent;
}

// Without withinMs it takes as long as it takes, as an import may.
async function send(where, body, { headers = {}, withinMs = 0 }) {
  const askedAt = performance.now();
  const asking = new AbortController();
  const timer = withinMs ? setTimeout(() => asking.abort(), withinMs) : 0;
  const allHeaders = { "X-CSRF-Token": csrf(), Accept: "application/json", ...headers };
  let answer, said;
  try {
    answer = await fetch(where, { method: "POST", body, headers: allHeaders, signal: asking.signal });
    said = await answer.json().catch(() => ({}));
    asking.signal.throwIfAborted();
  } catch {
    say("The bridge does not answer; nothing is known about what was asked.", true);
    return null;
  } finally {
    clearTimeout(timer);
  }
  if (!answer.ok) {
    say(said.detail ?? `It did not work (${answer.status}).`, true);
    return null;
  }
  for (const [id, html] of Object.entries(said.put ?? {})) putUnlessOlder(id, html, askedAt);
  if (said.say) say(said.say);
  if (said.go) location.assign(said.go);
  return said;
}

async function flip(box, where) {
  const form = new URLSearchParams({ what: box.dataset.what, on: box.checked ? "yes" : "no", terminal: box.dataset.terminal ?? "" });
  box.setAttribute("aria-busy", "true");
  const said = await change(where, form);
  box.removeAttribute("aria-busy");
  if (said === null) box.checked = box.hasAttribute("checked");
}

document.addEventListener("change", (event) => {
  const where = event.target.closest("form[data-flips]")?.dataset.flips;
  if (where && event.target.dataset.what) flip(event.target, where);
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.send) {
    if (form.dataset.flips) event.preventDefault();
    return;
  }
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  if (button?.hasAttribute("aria-busy")) return;
  if (form.dataset.ask && !(await ask(form.dataset.ask))) return;
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  button?.setAttribute("aria-busy", "true");
  const said = await post(form.dataset.send, fields);
  button?.removeAttribute("aria-busy");
  if (said && form.hasAttribute("data-clear")) form.reset();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (button && !button.hasAttribute("aria-busy")) {
    if (button.dataset.ask && !(await ask(button.dataset.ask))) return;
    button.setAttribute("aria-busy", "true");
    await post(button.dataset.post, new URLSearchParams(button.dataset.fields ?? ""));
    button.removeAttribute("aria-busy");
  }
  const saved = event.target.closest("[data-save]");
  if (saved) {
    const text = document.getElementById(saved.dataset.save).textContent;
    const isZip = saved.dataset.kind === "zip";
    const content = isZip ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : text;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: isZip ? "application/zip" : "application/json" }));
    link.download = saved.dataset.name;
    link.click();
    URL.revokeObjectURL(link.href);
  }
});

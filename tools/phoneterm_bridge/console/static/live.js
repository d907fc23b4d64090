// Keeps a page as it is at the bridge: takes its event stream, and changes the pieces that it names without flicker.
// Does not decide what changes. A page has one stream; the browser comes back by itself, with the last id that it has.

import { Idiomorph } from "./vendor/idiomorph.esm.js";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

export function put(id, html, container = null) {
  const present = document.getElementById(id);
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  const piece = holder.content.firstElementChild;
  if (present) {
    keepOpen(present, piece);
    // What is typed or chosen right now stays; the server's word counts for everything else, a button's words too.
    const ignoreActiveValue = document.activeElement?.matches("input, select, textarea") ?? false;
    const callbacks = { beforeNodeMorphed: (node) => !isBegun(node) };
    Idiomorph.morph(present, piece, { morphStyle: "outerHTML", ignoreActiveValue, restoreFocus: true, callbacks });
  } else if (container) {
    document.getElementById(container)?.prepend(piece);
  }
  const now = document.getElementById(id);
  if (now) syncBoxes(now);
  document.dispatchEvent(new CustomEvent("piece", { detail: { id, isNew: !present } }));
}

// A box that somebody has clicked no longer follows its attribute.
function syncBoxes(piece) {
  for (const box of piece.querySelectorAll("input[type=checkbox][data-what]")) box.checked = box.hasAttribute("checked");
}

// Whoever has begun to fill in a form does not begin again.
function isBegun(node) {
  if (!node.matches?.("form[data-send], #import-form")) return false;
  return [...node.elements].some((one) => one.tagName === "INPUT" && one.type !== "hidden" && one.value !== one.defaultValue);
}

function keepOpen(present, piece) {
  if (present.tagName === "DETAILS" && present.open) piece.setAttribute("open", "");
  for (const one of present.querySelectorAll("details[open][id]")) {
    piece.querySelector(`#${CSS.escape(one.id)}`)?.setAttribute("open", "");
  }
}

export async function loadAgain() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (answer.redirected || !answer.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  // A place for an answer is empty on a new page. What stands in it here may be secrets that are shown only once.
  for (const place of page.querySelectorAll("[data-answer]")) {
    const answer = document.getElementById(place.id);
    if (answer) place.replaceWith(document.importNode(answer, true));
  }
  for (const id of ["status", "main"]) {
    const now = page.getElementById(id);
    if (now) put(id, now.outerHTML);
  }
  document.dispatchEvent(new CustomEvent("loaded"));
}

const streamed = new Map(); // when the stream brought each piece

// An answer may come after what the stream has said since; the stream is always in order, and says what is so.
export function putUnlessOlder(id, html, askedAt) {
  const place = document.getElementById(id);
  const isOlder = [...streamed].some(([other, at]) => at > askedAt && (other === id || document.getElementById(other)?.contains(place)));
  if (!isOlder) put(id, html);
}

const actions = {
  put: (said) => {
    put(said.id, said.html, said.in);
    streamed.set(said.id, performance.now());
  },
  drop: (said) => {
    document.getElementById(said.id)?.remove();
    document.dispatchEvent(new CustomEvent("piece", { detail: { id: said.id, isNew: false } }));
  },
  reload: loadAgain,
};

// What only one page knows how to do is told there, as an event of that name.
const tell = (said) => document.dispatchEvent(new CustomEvent(said.do, { detail: said }));

function show(state) {
  const place = document.getElementById("live");
  if (place) place.dataset.live = state;
  document.documentElement.dataset.live = state;
}

// A page that nobody sees has no stream: a browser allows six connections to one host, for all its pages together.
function follow(topics, since) {
  let source = null;
  let last = since;

  function open() {
    source = new EventSource(`/events?${new URLSearchParams({ topics, since: last })}`);
    source.onopen = () => show("live");
    source.onmessage = (event) => {
      last = event.lastEventId;
      const said = JSON.parse(event.data);
      (actions[said.do] ?? tell)(said);
      show("live");
    };
    source.onerror = () => {
      show("away");
      if (source.readyState === EventSource.CLOSED) setTimeout(askWhy, 3000);
    };
  }

  // The bridge said no: too many pages, so this one looks from time to time; or signed out, as a new page says.
  function askWhy() {
    if (source.readyState !== EventSource.CLOSED || document.visibilityState === "hidden") return;
    fetch(location.href, { method: "HEAD" }).then((answer) => {
      if (answer.ok && !answer.redirected) return loadAgain().then(open);
      return answer.status === 503 ? open() : location.reload();
    }).catch(open);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") source.close();
    else if (source.readyState === EventSource.CLOSED) open();
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  open();
}

if (meta("topics")) follow(meta("topics"), meta("since"));

// Draws the calls as cords between the phones: a call is a plug with its letter and a cord to everybody in it, and it
// slides to where its people are. Decides nothing: who is in which call stands in the page.

const NS = "http://www.w3.org/2000/svg";
const SLIDE_MS = 420;
const APART = 40;
const board = document.getElementById("board");
const svg = document.getElementById("cords");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const shown = new Map(); // a call's name -> where its plug is, and what is drawn of it

function make(kind, attributes, parent) {
  const one = document.createElementNS(NS, kind);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  parent.append(one);
  return one;
}

// The places of the cards, in the coordinates of the drawing.
function places() {
  const origin = board.getBoundingClientRect();
  const found = new Map();
  for (const card of board.querySelectorAll(".party")) {
    const box = card.getBoundingClientRect();
    found.set(card.id.slice(2), { left: box.left - origin.left, top: box.top - origin.top, width: box.width, height: box.height, x: box.left - origin.left + box.width / 2, y: box.top - origin.top + box.height / 2 });
  }
  return found;
}

// Where a line from a point to the middle of a card meets the card's edge.
function edge(card, from) {
  const dx = from.x - card.x;
  const dy = from.y - card.y;
  const part = Math.min(Math.abs(card.width / 2 / (dx || 1e-6)), Math.abs(card.height / 2 / (dy || 1e-6)));
  return part >= 1 ? { x: card.x, y: card.y } : { x: card.x + dx * part, y: card.y + dy * part };
}

function aim(call, cards) {
  const ends = [...new Set([...call.parties.map((party) => party.endpoint), ...call.held_by])].map((name) => cards.get(name)).filter(Boolean);
  if (ends.length === 0) return null;
  if (ends.length === 1) {
    const [only] = ends;
    const middle = { x: svg.clientWidth / 2, y: svg.clientHeight / 2 };
    const at = edge(only, middle);
    const far = Math.hypot(middle.x - at.x, middle.y - at.y) || 1;
    return { x: at.x + ((middle.x - at.x) / far) * 34, y: at.y + ((middle.y - at.y) / far) * 34 };
  }
  const points = ends.length === 2 ? [edge(ends[0], ends[1]), edge(ends[1], ends[0])] : ends;
  return { x: points.reduce((sum, one) => sum + one.x, 0) / points.length, y: points.reduce((sum, one) => sum + one.y, 0) / points.length };
}

// The word stands below its plug, or beside it where the cords run up and down.
function putWord(one, cards) {
  const ends = [...one.call.parties.map((party) => party.endpoint), ...one.call.held_by].map((name) => cards.get(name)).filter(Boolean);
  const gap = (axis, size) => Math.max(...ends.map((card) => card[axis] - card[size] / 2)) - Math.min(...ends.map((card) => card[axis] + card[size] / 2));
  const isBeside = ends.length > 1 && gap("y", "height") > 0 && gap("x", "width") < APART;
  const side = one.at.x < svg.clientWidth / 2 ? -1 : 1;
  one.word.setAttribute("x", isBeside ? side * 22 : 0);
  one.word.setAttribute("y", isBeside ? 4 : 32);
  one.word.setAttribute("text-anchor", isBeside ? (side < 0 ? "end" : "start") : "middle");
}

function draw(name) {
  const one = shown.get(name);
  const cards = places();
  one.group.setAttribute("class", `call colour-${one.call.colour}`);
  one.lines.replaceChildren();
  const held = one.call.held_by.map((endpoint) => ({ endpoint, state: "holds" }));
  for (const party of [...one.call.parties, ...held]) {
    const card = cards.get(party.endpoint);
    if (!card) continue;
    const end = edge(card, one.at);
    make("line", { x1: one.at.x, y1: one.at.y, x2: end.x, y2: end.y, class: `cord ${party.state.replaceAll(" ", "-")}` }, one.lines);
    if (party.state !== "holds") make("circle", { cx: end.x, cy: end.y, r: 5, class: "end" }, one.lines);
  }
  one.plug.setAttribute("transform", `translate(${one.at.x} ${one.at.y})`);
  one.letter.textContent = one.call.name;
  one.word.textContent = one.call.words;
  putWord(one, cards);
  const box = one.word.getBBox();
  for (const [attribute, value] of Object.entries({ x: box.x - 5, y: box.y - 1, width: box.width + 10, height: box.height + 2 })) one.ground.setAttribute(attribute, value);
}

function slide(name) {
  const one = shown.get(name);
  cancelAnimationFrame(one.frame);
  const from = { ...one.at };
  const began = performance.now();
  const step = (now) => {
    const part = still.matches ? 1 : Math.min(1, Math.max(0, (now - began) / SLIDE_MS));
    const eased = 1 - (1 - part) ** 3;
    one.at = { x: from.x + (one.to.x - from.x) * eased, y: from.y + (one.to.y - from.y) * eased };
    draw(name);
    if (part < 1) one.frame = requestAnimationFrame(step);
  };
  step(began);
}

function add(call, at) {
  const group = make("g", {}, svg);
  const lines = make("g", {}, group);
  const plug = make("g", {}, group);
  const ground = make("rect", { rx: 4, class: "ground" }, plug);
  const word = make("text", { y: 32, class: "word" }, plug);
  make("circle", { r: 15, class: "plug" }, plug);
  const letter = make("text", { y: 5, class: "letter" }, plug);
  shown.set(call.name, { call, at, to: at, group, lines, plug, ground, word, letter, frame: 0 });
}

function show() {
  const calls = JSON.parse(document.getElementById("calls").dataset.cords);
  const cards = places();
  const aims = [];
  for (const [name, one] of shown) {
    if (calls.some((call) => call.name === name)) continue;
    cancelAnimationFrame(one.frame);
    one.group.remove();
    shown.delete(name);
  }
  for (const call of calls) {
    const to = aim(call, cards);
    if (to === null) continue;
    while (aims.some((other) => Math.hypot(other.x - to.x, other.y - to.y) < APART)) to.y += APART + 8;
    aims.push(to);
    if (!shown.has(call.name)) add(call, to);
    const one = shown.get(call.name);
    one.call = call;
    one.to = to;
    slide(call.name);
  }
}

function settle() {
  for (const one of shown.values()) one.at = one.to;
  show();
  for (const [name, one] of shown) {
    cancelAnimationFrame(one.frame);
    one.at = one.to;
    draw(name);
  }
}

document.addEventListener("piece", ({ detail }) => detail.id === "calls" && show());
document.addEventListener("loaded", show);
new ResizeObserver(settle).observe(board);
show();

// Plays the phone's buzzer, a moment late and in the phone's own rhythm. A browser lets a page sound once somebody has
// touched it. Knows no tone by name.

const LEAD_S = 0.06;
const MOST_LATE_S = 1;
const LOUD = 0.07;
const box = document.getElementById("sound");
const phone = () => document.getElementById("phone");
let context = null;
let oscillator = null;
let gain = null;
let offset_s = null; // of this page's clock after the phone's

function begin() {
  if (!box.checked) return;
  if (context === null) {
    context = new AudioContext();
    gain = new GainNode(context, { gain: 0 });
    oscillator = new OscillatorNode(context, { type: "square", frequency: 440 });
    const soft = new BiquadFilterNode(context, { type: "lowpass", frequency: 3200 });
    oscillator.connect(soft).connect(gain).connect(context.destination);
    oscillator.start();
    play(Number(phone().dataset.hz), null);
  }
  if (context.state === "suspended") context.resume();
}

function play(hz, at_ms) {
  phone().dataset.hz = hz;
  if (context === null) return;
  let at_s = context.currentTime;
  if (at_ms !== null) {
    at_s = at_ms / 1000 + (offset_s ?? -Infinity);
    if (at_s < context.currentTime || at_s > context.currentTime + MOST_LATE_S) {
      offset_s = context.currentTime + LEAD_S - at_ms / 1000;
      at_s = context.currentTime + LEAD_S;
    }
  }
  const isHeard = hz > 0 && box.checked;
  if (isHeard) oscillator.frequency.setValueAtTime(hz, at_s);
  gain.gain.setTargetAtTime(isHeard ? LOUD : 0, at_s, 0.002);
}

document.addEventListener("tone", ({ detail }) => play(detail.hz, detail.at_ms));
document.addEventListener("loaded", () => play(Number(phone().dataset.hz), null));
box.checked = localStorage.getItem("sound") !== "off";
box.addEventListener("change", () => {
  localStorage.setItem("sound", box.checked ? "on" : "off");
  begin();
  play(Number(phone().dataset.hz), null);
});
for (const name of ["pointerdown", "keydown"]) addEventListener(name, begin, { capture: true });

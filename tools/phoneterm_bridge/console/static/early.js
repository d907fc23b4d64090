// Keeps what somebody does on a page before its modules are there, and has them do it then: left to itself, a browser
// would send a form its own way, with what was typed in the address. The one script that a page waits for.

{
  const kept = [];

  const keep = (event) => {
    const { type, target, submitter } = event;
    const form = target.closest("form");
    const isOurs = !form || (!form.hasAttribute("action") && form.method !== "dialog");
    const button = target.closest("button");
    if (!isOurs || (type === "click" && button?.type !== "button")) return;
    if (type === "click" || type === "submit") {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    const wanted = type === "click" ? button : target;
    if (kept.some((one) => one.type === type && one.wanted === wanted)) return;
    kept.push({ type, wanted, submitter });
  };

  const again = ({ type, wanted, submitter }) => {
    if (type === "click") wanted.click();
    else if (type === "submit") wanted.requestSubmit(submitter);
    else wanted.dispatchEvent(new Event(type, { bubbles: true }));
  };

  const kinds = ["click", "submit", "change", "input"];
  for (const kind of kinds) addEventListener(kind, keep, true);
  document.addEventListener("DOMContentLoaded", () => {
    for (const kind of kinds) removeEventListener(kind, keep, true);
    kept.forEach(again);
  });
}

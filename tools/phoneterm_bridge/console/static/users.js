// Loads the list of users again, as it is, when something in the directory was changed.

import { loadAgain } from "./live.js";

const TOGETHER_MS = 300; // an import makes many changes
let due = 0;

document.addEventListener("piece", (event) => {
  if (event.detail.id.startsWith("c-") && !due) due = setTimeout(() => { due = 0; loadAgain(); }, TOGETHER_MS);
});

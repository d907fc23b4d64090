// Sends the chosen file for a dry run, and then exactly the same bytes for the import.

import { post } from "./forms.js";

const form = document.getElementById("import-form");
let content = null;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  content = await form.elements.file.files[0].arrayBuffer();
  await post("/import/plan", content, { "Content-Type": "text/csv" });
});

document.addEventListener("click", async (event) => {
  if (event.target.id !== "carry-out-import" || content === null) return;
  if (event.target.hasAttribute("aria-busy")) return;
  event.target.setAttribute("aria-busy", "true");
  const fields = { mqtt_host: form.elements.mqtt_host.value, mark: event.target.dataset.mark };
  await post(`/import?${new URLSearchParams(fields)}`, content, { "Content-Type": "text/csv" });
  event.target.removeAttribute("aria-busy");
});

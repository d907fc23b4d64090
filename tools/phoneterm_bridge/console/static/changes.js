// Keeps changes of others out of a page that shows those of one.

const body = document.getElementById("changes");
document.addEventListener("piece", (event) => {
  const row = event.detail.id.startsWith("c-") ? document.getElementById(event.detail.id) : null;
  if (row && body.dataset.subject && row.dataset.subject !== body.dataset.subject) row.remove();
});

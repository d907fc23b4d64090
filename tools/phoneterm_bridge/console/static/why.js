// Keeps what comes live out of a page that shows only some: the same filters as the bridge's.

const stories = document.getElementById("stories");
const asked = stories.dataset;

function fits(story) {
  const said = story.dataset;
  return (!asked.terminal || said.terminal === asked.terminal)
    && (!asked.extension || said.extension === asked.extension)
    && (!asked.number || said.number.includes(asked.number))
    && (!asked.result || asked.result === said.state || asked.result === said.reason);
}

document.addEventListener("piece", (event) => {
  if (!event.detail.id.startsWith("s-")) return;
  const story = document.getElementById(event.detail.id);
  if (!story) return;
  story.hidden = !fits(story);
  document.getElementById("no-stories").hidden = stories.querySelector("article:not([hidden])") !== null;
  if (event.detail.isNew) while (stories.children.length > 200) stories.lastElementChild.remove();
});

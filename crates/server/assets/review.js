// The page "Review": sends decisions, takes what is decided away, and goes on to the next. The keys that stand in the
// buttons work only where the focus is inside the list.
import { ask, by, reloadWith, showEnded } from "./events.js";

const audio = by("audio");
// What was decided in this tab can be taken back after a page is loaded anew, too.
const decisions = JSON.parse(sessionStorage.getItem("decisions") ?? "[]");
const remember = () => {
  sessionStorage.setItem("decisions", JSON.stringify(decisions));
  by("undo").disabled = decisions.length === 0;
};
remember();

const step = (doubt, forward) => {
  const all = [...document.querySelectorAll(".doubt")];
  const next = all[all.indexOf(doubt) + (forward ? 1 : -1)];
  next?.querySelector("button").focus();
  return next;
};

function hear(doubt) {
  const { path, from } = doubt.dataset;
  const source = `/api/v1/audio?name=${encodeURIComponent(path)}`;
  if (!audio.src.endsWith(source)) audio.src = source;
  audio.currentTime = Number(from);
  audio.play().catch((error) => { by("said").textContent = error.message; });
}

async function decide(doubt, verb) {
  const { id, path, at } = doubt.dataset;
  const about = id ? { passages: [id] } : { boundaries: [{ path, at_seconds: Number(at) }] };
  by("said").textContent = "";
  doubt.setAttribute("aria-busy", "true");
  try {
    const told = await ask("/api/v1/review", { verb, ...about });
    const [one] = [...told.passages, ...told.boundaries];
    if (!one.decided) throw new Error(one.message);
    decisions.push(one.decision);
    remember();
    if (!step(doubt, true) && !step(doubt, false)) by("undo").focus();
    doubt.remove();
    // The page is empty: what is left begins the next one.
    if (!document.querySelector(".doubt")) location.reload();
  } catch (error) {
    by("said").textContent = error.message;
    doubt.removeAttribute("aria-busy");
  }
}

for (const doubt of document.querySelectorAll(".doubt")) {
  doubt.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || doubt.hasAttribute("aria-busy")) return;
    if (button.dataset.do === "hear") hear(doubt);
    else decide(doubt, button.dataset.verb);
  });
  doubt.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "j" || event.key === "ArrowDown") step(doubt, true);
    else if (event.key === "ArrowUp") step(doubt, false);
    else {
      const button = doubt.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (!button) return;
      button.click();
    }
    event.preventDefault();
  });
}

by("undo").addEventListener("click", async () => {
  try {
    const undone = await ask(`/api/v1/review/${decisions.at(-1)}/undo`, {});
    decisions.pop();
    remember();
    reloadWith(undone);
  } catch (error) {
    // One that is no longer in force is out of the way of those before it; what a later one holds stays to be taken back.
    if (error.status === 404) decisions.pop();
    remember();
    by("said").textContent = error.message;
  }
});

showEnded();

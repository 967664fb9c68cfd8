// The page "File": plays, and sends what a person says about a passage. Only what was changed is sent.
import { ask, by, reloadWith, showEnded } from "./events.js";
import { show } from "./waveform.js";

const audio = by("audio");

async function say(form, said) {
  by("said").textContent = "";
  try {
    await ask(`/api/v1/passages/${form.dataset.id}/edits`, said, "PUT", { "If-Match": form.dataset.etag });
    location.reload();
  } catch (error) {
    by("said").textContent = error.message;
  }
}

function play(form) {
  const end = Number(form.elements.end.value);
  audio.currentTime = Number(form.elements.start.value);
  audio.ontimeupdate = () => {
    if (audio.currentTime >= end) {
      audio.ontimeupdate = null;
      audio.pause();
    }
  };
  audio.play().catch((error) => { by("said").textContent = error.message; });
}

/** Where a position in a form is, or `otherwise` where it has none. */
const at = (form, name, otherwise) => (form.elements[name].value === "" ? otherwise : Number(form.elements[name].value));

/** Plays the end of a passage and lets the next one in where their leads overlap, as a player does. */
function transition(form, next) {
  const [start, end] = [at(form, "start", 0), at(form, "end", audio.duration)];
  const begin = at(next, "start", 0);
  const overlap = Math.max(0, Math.min(end - at(form, "lead_out", end), at(next, "lead_in", begin) - begin));
  const second = new Audio(audio.src);
  second.preload = "auto";
  second.currentTime = begin;
  audio.ontimeupdate = null;
  audio.currentTime = Math.max(start, end - overlap - 4);
  const step = () => {
    if (audio.currentTime >= end - overlap && second.paused && second.currentTime <= begin) second.play();
    if (audio.currentTime >= end) audio.pause();
    if (second.currentTime >= begin + overlap + 4) {
      second.pause();
    } else if (!audio.paused || !second.paused) {
      requestAnimationFrame(step);
    }
  };
  audio.play().then(() => requestAnimationFrame(step), (error) => { by("said").textContent = error.message; });
}

const forms = [...document.querySelectorAll(".passage")];
for (const [number, form] of forms.entries()) {
  // The last passage of a file has no other to lead to.
  form.querySelector("[data-do=transition]").hidden = number + 1 === forms.length;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = {};
    for (const input of form.querySelectorAll("input")) {
      if (input.value !== input.defaultValue && input.value !== "") {
        said[input.name] = input.type === "number" ? Number(input.value) : input.value;
      }
    }
    say(form, said);
  });
  form.addEventListener("click", (event) => {
    switch (event.target.dataset.do) {
      case "hear": play(form); break;
      case "transition": transition(form, forms[number + 1]); break;
      case "split": say(form, { split_at: audio.currentTime }); break;
      case "join": say(form, { join: true }); break;
      case "no_song": say(form, { no_song: true }); break;
      case "reset": say(form, { reset: true }); break;
      default: break;
    }
  });
}

for (const button of document.querySelectorAll(".undo")) {
  button.addEventListener("click", async () => {
    try {
      reloadWith(await ask(`/api/v1/edits/${button.dataset.id}/undo`, {}));
    } catch (error) {
      by("said").textContent = error.message;
    }
  });
}

show(by("waveform"), forms, audio).catch((error) => { by("said").textContent = error.message; });
showEnded();

// The page "File": plays, and sends what a person says about a passage. Only what was changed is sent.
import { ask, by } from "./events.js";

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

for (const form of document.querySelectorAll(".passage")) {
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
      await ask(`/api/v1/edits/${button.dataset.id}/undo`, {});
      location.reload();
    } catch (error) {
      by("said").textContent = error.message;
    }
  });
}

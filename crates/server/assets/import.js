// The page "Import": chooses a folder, starts and stops, and shows how far it is. Texts from files are set as text only.
import { ask, by, follow } from "./events.js";

let root = "";
let folder = "";
let running = false;
let latest = null;
let asked = false;

const clock = (seconds) => {
  if (seconds === null || seconds === undefined) return "–";
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
};

const item = (text) => {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
};

async function open(path) {
  try {
    const tree = await ask(`/api/folders/tree?root=${encodeURIComponent(path)}`);
    root = tree.root;
    folder = tree.path;
    by("folder").textContent = folder;
    by("up").disabled = folder === root;
    by("folders").replaceChildren(...tree.folders.map((child) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = child.name;
      button.addEventListener("click", () => open(child.path));
      const row = document.createElement("li");
      row.append(button);
      return row;
    }));
  } catch (error) {
    by("said").textContent = error.message;
  }
}

function show(event) {
  running = ["Scanning", "Processing", "PAUSED"].includes(event.state);
  by("stop").disabled = !running;
  by("operation").textContent = event.current_operation;
  by("bar").value = event.percentage;
  by("files").textContent = `${event.current} / ${event.total}`;
  const figures = new Map(event.phase_statistics.map((one) => [one.phase_name, one]));
  by("passages").textContent = figures.get("PASSAGES_COMPLETE").passages_completed;
  by("failed").textContent = figures.get("EXTRACTING").failures;
  by("elapsed").textContent = clock(event.elapsed_seconds);
  by("remaining").textContent = clock(event.estimated_remaining_seconds);
  by("steps").replaceChildren(...event.phases.map((one) =>
    item(`${one.description}: ${one.status}, ${one.progress_current} / ${one.progress_total}`)));
  by("workers").replaceChildren(...figures.get("PROCESSING").workers.map((one) =>
    item(`${one.phase_name}: ${one.file_path} (${Math.round(one.elapsed_ms / 1000)} s)`)));
}

async function problems(id) {
  const status = await ask(`/import/status/${id}`);
  by("problems").replaceChildren(...status.errors.map((one) => item(`${one.file_path}: ${one.error_message}`)));
}

/** Shows the imports that wait, each with a button that takes it out. */
async function waiting() {
  const { jobs } = await ask("/api/v1/jobs");
  by("queue").replaceChildren(...jobs.filter((job) => job.state === "waiting").reverse().map((job) => {
    const row = item(`${job.folder || root} `);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = by("stop").textContent;
    button.addEventListener("click", () => ask(`/api/v1/jobs/${job.id}/stop`, {}).then(waiting, (error) => {
      by("said").textContent = error.message;
    }));
    row.append(button);
    return row;
  }));
}

function told(event) {
  if (event.type !== "ImportProgressUpdate") waiting().catch(() => {});
  if (event.type === "ImportProgressUpdate") {
    latest = event;
    if (!asked) {
      // No more often than a screen is drawn.
      asked = true;
      requestAnimationFrame(() => { asked = false; show(latest); });
    }
    if (event.state !== "Scanning") problems(event.session_id).catch(() => {});
  }
}

by("up").addEventListener("click", () => open(folder.slice(0, folder.lastIndexOf("/")) || "/"));
by("start").addEventListener("click", async () => {
  by("said").textContent = "";
  by("start").disabled = true;
  try {
    const plan = await ask("/api/v1/plans", { folder });
    for (const one of document.querySelectorAll("[data-plan]")) one.textContent = plan[one.dataset.plan];
    const leftOut = plan.left_out.map((one) => item(`${one.count} ${one.reason}: ${one.examples.join(", ")}`));
    by("left-out").replaceChildren(...leftOut, ...plan.warnings.map(item));
    by("plan").dataset.folder = folder;
    by("plan").hidden = false;
    by("planned").focus();
  } catch (error) {
    by("said").textContent = error.message;
  }
  by("start").disabled = false;
});
by("commit").addEventListener("click", async () => {
  by("said").textContent = "";
  try {
    await ask("/api/v1/jobs", { folder: by("plan").dataset.folder });
    by("plan").hidden = true;
    await waiting();
  } catch (error) {
    by("said").textContent = error.message;
  }
});
by("dismiss").addEventListener("click", () => {
  by("plan").hidden = true;
  by("start").focus();
});
by("stop").addEventListener("click", async () => {
  try {
    await ask("/import/cancel", {});
  } catch (error) {
    by("said").textContent = error.message;
  }
});
follow(told, (connected) => { by("connection").textContent = connected ? "Connected" : "Not connected: trying again"; });
open("");
waiting().catch(() => {});

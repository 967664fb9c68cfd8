// The page of a run of books: asks every few seconds while it is looked at. Texts from GRIN are set as text only.
import { ask, by } from "./events.js";

const item = (text) => {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
};

async function look() {
  try {
    const run = await ask("/api/v1/run");
    for (const id of ["books", "enriched", "not_found", "vanished"]) by(id).textContent = run[id].toLocaleString("en");
    by("states").replaceChildren(...run.states.map((one) => item(`${one.count.toLocaleString("en")} ${one.name}`)));
    by("problems").replaceChildren(
      ...run.failures.map((one) => item(`${one.barcode}: ${one.stage}: ${one.reason} (${one.tries}×)`)),
      ...run.problems.slice(0, 100).map((one) => item(`${one.command}: ${one.item}: ${one.reason}`)),
    );
    by("connection").textContent = "Connected";
  } catch (error) {
    by("connection").textContent = `Not connected: ${error.message}`;
  }
}

look();
setInterval(() => { if (!document.hidden) look(); }, 5000);

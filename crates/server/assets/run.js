// The page of a run of books: asks every few seconds while it is looked at. Texts from GRIN are set as text only.
import { ask, by } from "./events.js";

const item = (text) => {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
};

const number = (value) => value.toLocaleString("en");
const time = (seconds) => seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;

const worker = (one) => {
  const state = one.is_lost ? `silent for ${time(one.silent_seconds)}, given up` : one.is_draining ? "comes to an end" : "works";
  const book = one.oldest_book ? `, ${one.oldest_book} for ${time(one.oldest_seconds ?? 0)}` : "";
  return `${one.host}, process ${one.process}: ${state}, since ${time(one.since_seconds)}; ${number(one.stored)} stored `
    + `(${one.stored_a_minute.toFixed(1)} a minute), ${number(one.failed)} failed, ${number(one.holds)} under way${book}`;
};

// Who works on the run; nothing of it where the run is a file.
function show(crew) {
  by("crew").hidden = !crew;
  if (!crew) return;
  const { total, oldest_transaction_seconds: oldest, dead_rows: dead } = crew;
  by("warnings").hidden = crew.warnings.length === 0;
  by("warnings").replaceChildren(...crew.warnings.map(item));
  const server = (dead ?? oldest) == null ? "" : `; on the server ${number(dead ?? 0)} dead rows, `
    + (oldest == null ? "no open transaction" : `the oldest transaction ${time(oldest)} old`);
  by("total").textContent = `${number(total.stored)} stored, ${total.stored_a_minute.toFixed(1)} a minute, ${number(total.failed)} failed, `
    + `${number(total.holds)} under way, ${number(crew.waiting)} wait${server}`;
  by("workers").replaceChildren(...crew.workers.map((one) => item(worker(one))));
}

async function look() {
  try {
    const run = await ask("/api/v1/run");
    for (const id of ["books", "enriched", "not_found", "vanished"]) by(id).textContent = run[id].toLocaleString("en");
    by("states").replaceChildren(...run.states.map((one) => item(`${one.count.toLocaleString("en")} ${one.name}`)));
    show(run.crew);
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

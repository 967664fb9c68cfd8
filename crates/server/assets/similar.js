// The page "Similar": passages on a plane. Each is a button in the drawing and a line in the list; both play it.
import { by } from "./events.js";

const map = by("map");
const audio = by("audio");
const SVG = "http://www.w3.org/2000/svg";

function play(place) {
  const name = encodeURIComponent(place.id);
  audio.src = `/api/v1/wav?name=${name}`;
  audio.play().catch((error) => { by("said").textContent = error.message; });
  by("said").textContent = called(place);
}

/** What a passage is called, in one line. */
function called(place) {
  return `${place.title ?? place.path} – ${place.artist ?? "?"}`;
}

function dot(place, isCentre) {
  const circle = document.createElementNS(SVG, "circle");
  circle.setAttribute("cx", place.x * 100);
  circle.setAttribute("cy", -place.y * 100);
  circle.setAttribute("r", isCentre ? 4 : 2.5);
  circle.setAttribute("class", isCentre ? "centre" : "place");
  const title = document.createElementNS(SVG, "title");
  title.textContent = called(place);
  circle.append(title);
  circle.addEventListener("click", () => play(place));
  return circle;
}

function line(place) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = called(place);
  button.addEventListener("click", () => play(place));
  const around = document.createElement("a");
  around.href = `/similar?passage=${encodeURIComponent(place.id)}`;
  around.textContent = "⌖";
  around.setAttribute("aria-label", `${document.title.split(" – ")[0]}: ${called(place)}`);
  item.append(button, " ", around);
  return item;
}

const around = map.dataset.passage;
const AGAIN_MS = 1500;

async function draw() {
  const response = await fetch(`/api/v1/map?passage=${encodeURIComponent(around)}`);
  if (!response.ok) {
    by("said").textContent = (await response.json()).error.message;
    return;
  }
  const { passages, still_reading: stillReading } = await response.json();
  const centre = (place) => around !== "" && place.id === around;
  // The one in the middle is drawn last, so that nothing covers it.
  const sorted = [...passages].sort((a, b) => centre(a) - centre(b));
  map.replaceChildren(...sorted.map((place) => dot(place, centre(place))));
  by("places").replaceChildren(...passages.map(line));
  by("said").textContent = stillReading ? map.dataset.reading : "";
  if (stillReading) setTimeout(draw, AGAIN_MS);
}

await draw();

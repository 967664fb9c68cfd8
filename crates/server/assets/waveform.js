// A file's waveform: shows passages, moves their lines, and where the sound is. Numbers live in the forms, so that keyboard
// and screen reader reach everything that a mouse does; a line that is dragged writes into its form.
import { by } from "./events.js";

/** Lines of a passage: the form's field and the colour. */
const LINES = [
  ["start", "#1a8a4a"], ["end", "#c03030"], ["lead_in", "#1a8a4a"], ["lead_out", "#c03030"],
  ["fade_in", "#8a5a1a"], ["fade_out", "#8a5a1a"],
];

/** Dashes of a line, by the beginning of its field. */
const DASHES = { lead: [4, 4], fade: [1, 3] };

/** How near a pointer must be to a line, in pixels. */
const NEAR = 10;

/** The shortest stretch that is shown, in seconds. */
const CLOSEST = 0.01;

/** Below this length in seconds the sound itself is drawn, and not the points that were stored when it was heard. */
const FINE = 10;

/** How long the view must stay where it is before the sound is asked for, in milliseconds. */
const STILL = 150;

/** Draws `canvas` for the passages in `forms`, and follows `audio`. */
export async function show(canvas, forms, audio) {
  const name = encodeURIComponent(canvas.dataset.name);
  // Of long files a coarser drawing comes first; ten points a second are drawn from once they are there.
  const load = async (every) => {
    const response = await fetch(`/api/v1/peaks?name=${name}&every=${every}`);
    if (!response.ok) throw new Error("there is no waveform of this file");
    return {
      rate: Number(response.headers.get("x-points-in-ten-seconds")) / 10,
      points: new Int8Array(await response.arrayBuffer()),
    };
  };
  let seconds = Number(canvas.dataset.seconds);
  let isFinest = !(seconds > 1800);
  let peaks = await load(isFinest ? 1 : 10);
  seconds ||= peaks.points.length / 2 / peaks.rate;
  let [from, to] = [0, seconds];
  let dragged = null;
  let asked = false;
  let fine = null;
  let waiting = 0;
  const [undone, moves] = [[], []];

  const width = () => canvas.clientWidth;
  const x = (second) => (second - from) / (to - from) * width();
  const second = (pixel) => from + pixel / width() * (to - from);
  const value = (form, field) => (form.elements[field].value === "" ? null : Number(form.elements[field].value));

  function extremes(first, last) {
    const isFine = fine && first >= fine.from && last <= fine.to + 1e-9;
    const { points, rate } = isFine ? fine : peaks;
    if (isFine) {
      first -= fine.from;
      last -= fine.from;
    }
    const begin = Math.max(0, Math.floor(first * rate));
    const end = Math.min(points.length / 2, Math.max(begin + 1, Math.ceil(last * rate)));
    let [least, greatest] = [0, 0];
    for (let at = begin; at < end; at += 1) {
      least = Math.min(least, points[2 * at]);
      greatest = Math.max(greatest, points[2 * at + 1]);
    }
    return [least, greatest];
  }

  function draw() {
    asked = false;
    const scale = window.devicePixelRatio || 1;
    const [w, h] = [width(), canvas.clientHeight];
    canvas.width = w * scale;
    canvas.height = h * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (variable) => style.getPropertyValue(variable);
    pen.fillStyle = colour("--raised");
    for (const form of forms) {
      const [start, end] = [value(form, "start"), value(form, "end")];
      pen.fillRect(x(start), 0, x(end) - x(start), h);
    }
    pen.fillStyle = colour("--accent");
    for (let column = 0; column < w; column += 1) {
      const [least, greatest] = extremes(second(column), second(column + 1));
      const top = h / 2 - greatest / 127 * h / 2;
      pen.fillRect(column, top, 1, Math.max(1, (greatest - least) / 127 * h / 2));
    }
    for (const form of forms) {
      for (const [field, line] of LINES) {
        const where = value(form, field);
        if (where === null) continue;
        pen.strokeStyle = line;
        pen.lineWidth = 2;
        pen.setLineDash(DASHES[field.slice(0, 4)] ?? []);
        pen.beginPath();
        pen.moveTo(x(where), 0);
        pen.lineTo(x(where), h);
        pen.stroke();
      }
    }
    pen.setLineDash([]);
    pen.fillStyle = colour("--text");
    pen.fillRect(x(audio.currentTime), 0, 1, h);
    pen.fillText(from.toFixed(3), 2, h - 4);
    pen.fillText(to.toFixed(3), w - 60, h - 4);
  }

  function redraw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(draw);
  }

  /** The quietest spot near a pixel, so that a line falls between sounds. */
  function quiet(pixel) {
    let best = [Infinity, pixel];
    for (let step = 0; step <= NEAR; step += 1) {
      for (const column of [pixel - step, pixel + step]) {
        const [least, greatest] = extremes(second(column), second(column + 1));
        if (greatest - least < best[0]) best = [greatest - least, column];
      }
    }
    return second(best[1]);
  }

  function nearest(pixel) {
    let best = null;
    for (const form of forms) {
      for (const [field] of LINES) {
        const where = value(form, field);
        const distance = where === null ? Infinity : Math.abs(x(where) - pixel);
        if (distance <= NEAR && (best === null || distance < best.distance)) best = { distance, form, field };
      }
    }
    return best;
  }

  function look(middle, length) {
    const shown = Math.min(seconds, Math.max(CLOSEST, length));
    from = Math.min(Math.max(0, middle - shown / 2), seconds - shown);
    to = from + shown;
    redraw();
    if (!isFinest && shown < 600) {
      // Once, however often the view moves until they are there.
      isFinest = true;
      load(1).then((all) => { peaks = all; redraw(); }).catch(() => { isFinest = false; });
    }
    clearTimeout(waiting);
    if (shown <= FINE) waiting = setTimeout(refine, STILL);
  }

  /** Asks for the sound of what is shown, and as much again on either side. */
  async function refine() {
    const shown = to - from;
    const [first, last] = [Math.max(0, from - shown), Math.min(seconds, to + shown)];
    if (last <= first || (fine && fine.from <= from && fine.to >= to && fine.length <= 4 * shown)) return;
    const points = Math.min(8192, Math.round(3 * width()));
    const address = `/api/v1/detail?name=${name}&from=${first}&to=${last}&points=${points}`;
    const response = await fetch(address).catch(() => null);
    if (!response?.ok) return;
    fine = {
      from: first, to: last, length: last - first, rate: points / (last - first),
      points: new Int8Array(await response.arrayBuffer()),
    };
    redraw();
  }

  /** Writes where a line was, or is to be again. */
  function put({ input, value: text }, other) {
    other.push({ input, value: input.value });
    input.value = text;
    input.closest("details").open = true;
    settle();
  }

  function settle() {
    by("zoom").querySelector("[data-zoom=undo]").disabled = moves.length === 0;
    by("zoom").querySelector("[data-zoom=redo]").disabled = undone.length === 0;
    redraw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    dragged = nearest(event.offsetX);
    if (dragged) {
      canvas.setPointerCapture(event.pointerId);
      dragged.form.closest("details").open = true;
      const input = dragged.form.elements[dragged.field];
      dragged.before = { input, value: input.value };
    } else {
      audio.currentTime = second(event.offsetX);
      redraw();
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const pixel = Math.min(Math.max(0, event.offsetX), width());
    const where = event.altKey ? second(pixel) : quiet(pixel);
    dragged.form.elements[dragged.field].value = Math.min(Math.max(0, where), seconds).toFixed(3);
    redraw();
  });
  const drop = () => {
    if (dragged && dragged.before.input.value !== dragged.before.value) {
      moves.push(dragged.before);
      undone.length = 0;
      settle();
    }
    dragged = null;
  };
  canvas.addEventListener("pointerup", drop);
  canvas.addEventListener("pointercancel", drop);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const pixels = event.deltaX || event.deltaY;
      look((from + to) / 2 + pixels / width() * (to - from), to - from);
      return;
    }
    const middle = second(event.offsetX);
    const share = (middle - from) / (to - from);
    const length = (to - from) * (event.deltaY > 0 ? 1.25 : 0.8);
    look(middle + length * (0.5 - share), length);
  }, { passive: false });
  by("zoom").addEventListener("click", (event) => {
    const [middle, length] = [(from + to) / 2, to - from];
    switch (event.target.dataset.zoom) {
      case "in": look(middle, length / 2); break;
      case "out": look(middle, length * 2); break;
      case "earlier": look(middle - length / 2, length); break;
      case "later": look(middle + length / 2, length); break;
      case "undo": if (moves.length > 0) put(moves.pop(), undone); break;
      case "redo": if (undone.length > 0) put(undone.pop(), moves); break;
      default: break;
    }
  });
  for (const form of forms) form.addEventListener("input", redraw);
  audio.addEventListener("timeupdate", redraw);
  audio.addEventListener("seeked", redraw);
  new ResizeObserver(redraw).observe(canvas);
  canvas.hidden = false;
  by("zoom").hidden = false;
  by("picture").hidden = true;
  redraw();
}

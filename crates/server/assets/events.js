// Follows the import: one stream a page, which the browser opens again when it breaks off.

/** Calls `told` with each event of the import, and `connected` with whether there is a connection. */
export function follow(told, connected) {
  const source = new EventSource("/import/events");
  source.onopen = () => connected(true);
  source.onerror = () => connected(false);
  const names = [
    "ImportSessionStarted", "ImportProgressUpdate", "ImportSessionCompleted", "ImportSessionFailed",
    "ImportSessionCancelled",
  ];
  for (const name of names) {
    source.addEventListener(name, (event) => told(JSON.parse(event.data)));
  }
}

/** Asks the server; what it refuses is thrown in its own words. */
export async function ask(path, body, method = "POST", headers = {}) {
  const options = body === undefined ? {} : {
    method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  if (!response.ok) {
    const text = await response.text();
    let message = text;
    try { message = JSON.parse(text).error.message; } catch { /* It is plain text. */ }
    const error = new Error(message || `the server answered ${response.status}`);
    throw Object.assign(error, { status: response.status });
  }
  return response.json();
}

/** The element with an id. */
export const by = (id) => document.getElementById(id);

/** Loads the page anew after something was taken back, and tells there what lost its passage by that. */
export function reloadWith({ ended = [] }) {
  const words = ended.map(({ field, value }) => `${field} ${value}`).join(", ");
  if (words) sessionStorage.setItem("ended", `No passage any more for what was said: ${words}`);
  location.reload();
}

/** Shows what the page was loaded anew with. */
export function showEnded() {
  const words = sessionStorage.getItem("ended");
  if (words) by("said").textContent = words;
  sessionStorage.removeItem("ended");
}

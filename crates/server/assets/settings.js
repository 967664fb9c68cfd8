// The page "Settings": has a key checked and saved. The key that is stored never comes to this page.
import { ask, by } from "./events.js";

const said = (text) => { by("said").textContent = text; };

by("check").addEventListener("click", async () => {
  try {
    said((await ask("/import/validate-acoustid", { api_key: by("key").value })).message);
  } catch (error) {
    said(error.message);
  }
});
by("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    said((await ask("/api/settings/acoustid_api_key", { api_key: by("key").value })).message);
    by("key").value = "";
  } catch (error) {
    said(error.message);
  }
});

async function change(key, value) {
  try {
    await ask("/api/v1/settings", { [key]: value }, "PATCH");
    location.reload();
  } catch (error) {
    said(error.message);
    by("said").scrollIntoView();
  }
}

for (const form of document.querySelectorAll(".setting")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(form.dataset.key, form.elements.value.value);
  });
  form.querySelector("[data-do=default]").addEventListener("click", () => change(form.dataset.key, null));
}

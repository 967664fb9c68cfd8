// The page "Review": sends a decision and takes the row away once it is recorded.
import { ask, by } from "./events.js";

for (const button of document.querySelectorAll(".decide")) {
  button.addEventListener("click", async () => {
    by("said").textContent = "";
    try {
      const told = await ask("/api/v1/review", { verb: button.dataset.verb, passages: [button.dataset.id] });
      const [one] = told.passages;
      if (!one.decided) throw new Error(one.message);
      button.closest("li").remove();
    } catch (error) {
      by("said").textContent = error.message;
    }
  });
}

/** Lists what is in a photo, from the template of _sisters.html. */

import { percent } from "./messages.js";

/** List `predictions` of the API, in place of those before. */
export function showGuesses(predictions) {
  const template = document.getElementById("guess").content;
  const rows = predictions.map((one) => {
    const row = template.cloneNode(true);
    row.querySelector("[data-name]").textContent = one.label;
    row.querySelector("[data-name-zh]").textContent = one.label_zh;
    row.querySelector("meter").value = one.probability;
    row.querySelector("meter").setAttribute("aria-label", row.querySelector(".guess-name span").textContent); // in the language of the page
    row.querySelector(".guess-share").textContent = percent(one.probability);
    return row;
  });
  document.getElementById("guesses").replaceChildren(...rows);
}

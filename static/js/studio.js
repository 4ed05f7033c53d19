/** The studio's page: a photo in, its pictures and what is in it out. */

import { showPictures } from "./gallery.js";
import { showGuesses } from "./guesses.js";
import { begin, fields } from "./sister.js";

const GUESSES = "3";

const { stylizeUrl, recognizeUrl } = document.getElementById("sister").dataset;
const again = document.getElementById("again");

const studio = begin(async (file, ask) => {
  const few = new FormData();
  few.append("top_k", GUESSES);
  const [made, found] = await Promise.all([
    ask(stylizeUrl, fields()),
    ask(recognizeUrl, few).catch(() => null), // the pictures are what was asked for
  ]);
  return () => {
    showPictures(made.pictures);
    document.getElementById("guessed").hidden = !found;
    if (found) showGuesses(found.predictions);
    again.hidden = false;
  };
});
again.addEventListener("click", studio.again);

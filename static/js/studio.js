/** The studio's page: a photo in, its pictures and what is in it out. */

import { showPictures } from "./gallery.js";
import { showGuesses } from "./guesses.js";
import { begin, fields } from "./sister.js";
import { followEffect } from "./tuning.js";

const GUESSES = "3";

const form = document.getElementById("sister");
const { stylizeUrl, recognizeUrl } = form.dataset;

followEffect(form);
begin(async (file, ask) => {
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
  };
});

/** The page of recognition: a photo in, the most likely classes out. */

import { showGuesses } from "./guesses.js";
import { begin, fields } from "./sister.js";

const url = document.getElementById("sister").dataset.recognizeUrl;
const preview = document.getElementById("preview");

begin(async (file, ask) => {
  const answer = await ask(url, fields());
  return () => {
    showGuesses(answer.predictions);
    URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(file);
    preview.hidden = false;
    preview.onerror = () => (preview.hidden = true); // a type that this browser cannot show
  };
});

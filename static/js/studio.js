/** The studio's page: a photo in, its pictures and what is in it out. */

import { fromBase64 } from "./png.js";
import { begin, fields, showGuesses } from "./sister.js";

const GUESSES = "3";

const { stylizeUrl, recognizeUrl } = document.getElementById("sister").dataset;
const gallery = document.getElementById("gallery");
const again = document.getElementById("again");
const titles = new Map([...document.getElementById("effect").options].map((option) => [option.value, option.text]));
let urls = []; // of the pictures shown

const studio = begin(async (file, ask) => {
  const [made, found] = await Promise.all([
    ask(stylizeUrl, fields()),
    ask(recognizeUrl, { top_k: GUESSES }).catch(() => null), // the pictures are what was asked for
  ]);
  return () => {
    for (const url of urls) URL.revokeObjectURL(url);
    urls = [];
    gallery.replaceChildren(...made.pictures.map(frame));
    document.getElementById("guessed").hidden = !found;
    if (found) showGuesses(found.predictions);
    again.hidden = false;
  };
});
again.addEventListener("click", studio.again);

/** One picture with its name and a way to save it. */
function frame({ effect, media_type, data }) {
  const url = URL.createObjectURL(new Blob([fromBase64(data)], { type: media_type }));
  urls.push(url);
  const figure = document.getElementById("picture").content.cloneNode(true);
  figure.querySelector("figure").dataset.effect = effect;
  Object.assign(figure.querySelector("img"), { src: url, alt: titles.get(effect) });
  figure.querySelector("[data-title]").textContent = titles.get(effect);
  Object.assign(figure.querySelector("[data-save]"), { href: url, download: `${effect}.jpg` });
  return figure;
}

/** The pictures that the studio made, each with its name and a way to save it; from the template of _sisters.html. */

import { fromBase64 } from "./png.js";

let urls = []; // of the pictures shown

/** Show `pictures` of the API in place of those before. */
export function showPictures(pictures) {
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  document.getElementById("gallery").replaceChildren(...pictures.map(frame));
}

function frame({ effect, media_type, data }) {
  const url = URL.createObjectURL(new Blob([fromBase64(data)], { type: media_type }));
  urls.push(url);
  const title = [...document.getElementById("effect").options].find(({ value }) => value === effect).text;
  const figure = document.getElementById("picture").content.cloneNode(true);
  figure.querySelector("figure").dataset.effect = effect;
  Object.assign(figure.querySelector("img"), { src: url, alt: title });
  figure.querySelector("[data-title]").textContent = title;
  const save = figure.querySelector("[data-save]");
  Object.assign(save, { href: url, download: `${effect}.jpg`, ariaLabel: `${save.textContent} ${title}` });
  return figure;
}

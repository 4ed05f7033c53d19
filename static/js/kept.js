/**
 * The page of a kept result: puts the viewer in the place of the two pictures. Where anything
 * fails, the page stays as the server wrote it, which is whole.
 */

import { readPalettePng } from "./png.js";
import { Result, loadPhoto } from "./result.js";

const kept = document.getElementById("kept");

async function fetchBytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

const { photo, labels, people, parsing } = kept.dataset;
const [image, labelMap, peopleMap, answer] = await Promise.all([
  loadPhoto(photo),
  fetchBytes(labels).then(readPalettePng),
  fetchBytes(people).then(readPalettePng),
  fetch(parsing).then((response) => response.json()),
]);
const result = new Result();
kept.hidden = true;
result.show(answer, image, { labels: labelMap, people: peopleMap });
document.addEventListener("keydown", (event) => event.key === "Escape" && result.unpick());

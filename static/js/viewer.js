/**
 * The result's picture: photo, colours over it, the slider that compares the two, opacity, what is
 * picked out. Styles are set through the CSSOM; the Content-Security-Policy forbids attributes.
 */

import { paintColours, thin } from "./colours.js";
import { text } from "./messages.js";
import { paintOutlines } from "./outlines.js";
import { hasSkeletons, paintSkeletons } from "./skeleton.js";

const SHOWN_PIXELS = 3_000_000; // enough for a screen; more only makes picking slow
const SAVED_PIXELS = 16_000_000; // the largest canvas that every browser gives (Safari on phones: 16.7 million)

export class Viewer {
  /** `root`: the element of _viewer.html; `partNames`: id -> name; `onPick({person, part} | null)`. */
  constructor(root, partNames, onPick) {
    this.find = (selector) => root.querySelector(selector);
    this.partNames = partNames;
    const { bones, minScore } = this.find(".skeletons").dataset;
    this.anatomy = { bones: JSON.parse(bones), minScore: Number(minScore) };
    this.answer = null;
    this.maps = null; // of the photo's size
    this.shown = null; // the same, thinned for the screen
    this.pinned = null; // picked by a click or key, stays
    this.passing = null; // picked by pointing, goes
    this.compare = this.find(".compare");
    this.opacity = this.find(".opacity");
    this.compare.addEventListener("input", () => this.#place());
    this.opacity.addEventListener("input", () => this.#place());
    this.find(".controls").addEventListener("change", () => {
      this.#place();
      this.#paint();
    });
    const picture = this.find(".picture");
    picture.addEventListener("pointermove", (event) => this.#read(this.#locate(event)));
    picture.addEventListener("pointerleave", () => this.#read(null));
    picture.addEventListener("click", (event) => onPick(this.#locate(event)));
  }

  /** Show a photo (an <img> that is loaded) with its maps and the answer of the API. */
  show(photo, maps, answer) {
    this.answer = answer;
    this.maps = maps;
    this.shown = thin(maps, SHOWN_PIXELS);
    this.pinned = this.passing = null;
    const picture = this.find(".picture");
    this.find(".photo")?.remove();
    photo.className = "photo";
    photo.alt = picture.dataset.photoAlt;
    picture.prepend(photo);
    const { width, height } = maps.labels;
    const stage = this.find(".stage");
    stage.style.setProperty("--width", width);
    stage.style.setProperty("--height", height);
    this.compare.value = this.compare.defaultValue;
    this.find(".skeleton").closest("label").hidden = !hasSkeletons(answer);
    this.#place();
    this.#paint();
    paintOutlines(this.find(".outlines"), this.shown.people);
    paintSkeletons(this.find(".skeletons"), this.shown.labels, answer, this.anatomy);
  }

  /** Pick out {person, part}, or nothing with null; `passing`: only while pointed at. */
  pick(picked, { passing = false } = {}) {
    if (passing) this.passing = picked;
    else [this.pinned, this.passing] = [picked, null];
    this.#paint();
  }

  /** A PNG of what is seen, whole picture, at the photo's own size: a promise of a Blob. */
  async compose() {
    const maps = thin(this.maps, SAVED_PIXELS);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [maps.labels.width, maps.labels.height];
    const context = canvas.getContext("2d");
    context.drawImage(this.find(".photo"), 0, 0, canvas.width, canvas.height);
    const layer = document.createElement("canvas");
    paintColours(layer, maps, this.#look());
    context.globalAlpha = this.opacity.value / 100;
    context.drawImage(layer, 0, 0);
    if (this.#hasOutlines()) {
      paintOutlines(layer, maps.people);
      context.globalAlpha = 1;
      context.drawImage(layer, 0, 0);
    }
    if (this.#hasSkeletons()) {
      paintSkeletons(layer, maps.labels, this.answer, this.anatomy);
      context.globalAlpha = 1;
      context.drawImage(layer, 0, 0);
    }
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  #look() {
    return {
      by: this.find("[name=colour-by]:checked").value,
      picked: this.passing ?? this.pinned,
    };
  }

  /** Outlines are drawn if asked for, and never on a photo without colours: alpha 0 gives the photo back. */
  #hasOutlines() {
    return this.find(".outline").checked && Number(this.opacity.value) > 0;
  }

  #hasSkeletons() {
    return this.find(".skeleton").checked && this.answer !== null && hasSkeletons(this.answer);
  }

  #paint() {
    if (this.shown) paintColours(this.find(".colours"), this.shown, this.#look());
  }

  /** Put the divider and the opacity where their sliders are. */
  #place() {
    const stage = this.find(".stage");
    stage.style.setProperty("--at", `${this.compare.value}%`);
    stage.style.setProperty("--opacity", this.opacity.value / 100);
    this.find(".outlines").hidden = !this.#hasOutlines();
    this.find(".skeletons").hidden = !this.#hasSkeletons();
    this.find("output").textContent = `${this.opacity.value} %`;
    const words = this.compare.dataset.valuetext.replace("{percent}", this.compare.value);
    this.compare.setAttribute("aria-valuetext", words);
  }

  /** {person, part} under the pointer, or null. */
  #locate(event) {
    if (!this.maps) return null;
    const { labels, people } = this.maps;
    const box = this.find(".picture").getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * labels.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * labels.height);
    if (x < 0 || y < 0 || x >= labels.width || y >= labels.height) return null;
    const at = y * labels.width + x;
    return people.ids[at] ? { person: people.ids[at], part: labels.ids[at] } : null;
  }

  /** Write what is under the pointer into the corner of the picture. */
  #read(found) {
    const readout = this.find(".readout");
    readout.hidden = !found;
    if (found) readout.textContent = text("readout", { number: found.person, part: this.partNames.get(found.part) });
  }
}

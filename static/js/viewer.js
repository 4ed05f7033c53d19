/**
 * The result's picture: photo, colours over it, the slider that compares the two, opacity, zoom,
 * what is picked out. Styles are set through the CSSOM; the Content-Security-Policy forbids attributes.
 */

import { Layer } from "./colours.js";
import { announce, percent, text } from "./messages.js";
import { Outlines } from "./outlines.js";
import { Pairs } from "./pairs.js";
import { Palettes, pixel } from "./palettes.js";
import { Pointing } from "./pointing.js";
import { hasSkeletons, paintSkeletons } from "./skeleton.js";
import { fits } from "./visibility.js";
import { Zoom } from "./zoom.js";

const SHOWN_PIXELS = 3_000_000; // enough for a screen; more only makes toggling slow
const SAVED_PIXELS = 16_000_000; // the largest canvas that every browser gives (Safari on phones: 16.7 million)
const FADED = 46; // alpha of 255: what is not picked out stays just visible
const READOUT_GAP = 14; // pixels between the pointer and what it reads

export class Viewer {
  /** `root`: the element of _viewer.html; `partNames`: id -> name; `visibility`; `act(name, pair)`; `restyled()`. */
  constructor(root, { partNames, visibility, act, restyled }) {
    this.find = (selector) => root.querySelector(selector);
    Object.assign(this, { partNames, visibility, pairs: null, pinned: null, passing: null });
    const { bones, minScore } = this.find(".skeletons").dataset;
    const shows = (person) => visibility.showsAny({ person, part: null });
    this.anatomy = { bones: JSON.parse(bones), minScore: Number(minScore), shows };
    this.colours = new Layer(this.find(".colours"));
    this.outlines = new Outlines(this.find(".outlines"));
    this.zoom = new Zoom(this.find(".picture"), root.querySelectorAll(".layers"), (scale) => this.#tellZoom(scale));
    this.pointing = new Pointing({
      picture: this.find(".picture"),
      crosshair: this.find(".crosshair"),
      zoom: this.zoom,
      size: () => this.maps.labels,
      read: (place, how) => this.#read(place, how),
      act: (name, place) => act(name, place && this.pairs?.at(place.x, place.y)),
    });
    for (const slider of [".compare", ".opacity"]) this.find(slider).addEventListener("input", () => this.#place());
    this.find(".controls").addEventListener("change", () => {
      this.#place();
      this.paint();
      restyled();
    });
    this.find(".zoom").addEventListener("click", ({ target }) => {
      const way = target.closest("button")?.dataset.zoom;
      if (way === "fit") this.zoom.fit();
      else if (way) this.zoom.by(way === "in" ? 1.5 : 1 / 1.5);
    });
  }

  /** Show a photo (an <img> that is loaded) with its maps and the answer of the API. */
  show(photo, maps, answer) {
    Object.assign(this, { answer, maps, photo, pinned: null, passing: null });
    this.palettes = new Palettes(JSON.parse(this.find(".colours").dataset.palettes), maps.people.palette);
    this.pairs = new Pairs(maps, answer, SHOWN_PIXELS);
    photo.className = "photo";
    photo.alt = this.find(".picture").dataset.photoAlt;
    this.find("[data-photo]").replaceChildren(photo);
    const { width, height } = maps.labels;
    const stage = this.find(".stage");
    stage.style.setProperty("--width", width);
    stage.style.setProperty("--height", height);
    this.find(".compare").value = this.find(".compare").defaultValue;
    this.find(".skeleton").closest("label").hidden = !hasSkeletons(answer);
    this.zoom.fit();
    this.pointing.reset();
    this.colours.load(this.pairs);
    this.outlines.load(this.pairs);
    this.#place();
    this.paint();
  }

  /** Pick out {person, part}, or nothing with null; `passing`: only while pointed at. */
  pick(picked, { passing = false } = {}) {
    if (passing) this.passing = picked;
    else [this.pinned, this.passing] = [picked, null];
    this.paint();
  }

  /** What the colours are chosen by: {look, by}. */
  get style() {
    return { look: this.find(".look").value, by: this.find("[name=colour-by]:checked").value };
  }

  get alpha() {
    return Number(this.find(".opacity").value) / 100;
  }

  get outlined() {
    return this.find(".outline").checked;
  }

  paint() {
    if (!this.pairs) return;
    const table = this.#makeTable();
    this.colours.paint(table);
    this.outlines.paint(table.map((value) => (value ? 1 : 0)));
    if (this.#drawsSkeletons()) paintSkeletons(this.find(".skeletons"), this.pairs, this.answer, this.anatomy);
  }

  /** A PNG of what is seen, whole picture, at the photo's own size: a promise of a Blob. */
  compose() {
    const pairs = new Pairs(this.maps, this.answer, SAVED_PIXELS);
    const canvas = makeCanvas(pairs);
    const context = canvas.getContext("2d");
    context.drawImage(this.photo, 0, 0, canvas.width, canvas.height);
    const table = this.#makeTable();
    context.globalAlpha = this.alpha;
    context.drawImage(paintLayer(Layer, pairs, table), 0, 0);
    context.globalAlpha = 1;
    if (this.#drawsOutlines()) context.drawImage(paintLayer(Outlines, pairs, table), 0, 0);
    if (this.#drawsSkeletons()) {
      const layer = makeCanvas(pairs);
      paintSkeletons(layer, pairs, this.answer, this.anatomy);
      context.drawImage(layer, 0, 0);
    }
    return toPng(canvas);
  }

  /** A PNG of the photo where something is shown, or of what is picked out alone, the rest transparent and cut off. */
  cutOut() {
    const pairs = new Pairs(this.maps, this.answer, SAVED_PIXELS);
    const wanted = (pair) => this.visibility.shows(pair) && (!this.pinned || fits(pair, this.pinned));
    const table = Uint32Array.from(pairs.list, (pair) => (pair && wanted(pair) ? pixel([0, 0, 0], 255) : 0));
    const box = pairs.around([...table.keys()].filter((number) => table[number])) ?? { x0: 0, y0: 0, x1: 1, y1: 1 };
    const canvas = makeCanvas({ width: box.x1 - box.x0, height: box.y1 - box.y0 });
    const context = canvas.getContext("2d");
    context.drawImage(paintLayer(Layer, pairs, table), -box.x0, -box.y0);
    context.globalCompositeOperation = "source-in";
    context.drawImage(this.photo, -box.x0, -box.y0, pairs.width, pairs.height);
    return toPng(canvas);
  }

  #makeTable() {
    const { style } = this;
    const picked = this.passing ?? this.pinned;
    return Uint32Array.from(this.pairs.list, (pair) => {
      if (!pair || !this.visibility.shows(pair)) return 0;
      return pixel(this.palettes.colour(style, pair), !picked || fits(pair, picked) ? 255 : FADED);
    });
  }

  /** Outlines are drawn if asked for, and never on a photo without colours: alpha 0 gives the photo back. */
  #drawsOutlines() {
    return this.outlined && this.alpha > 0;
  }

  #drawsSkeletons() {
    return this.find(".skeleton").checked && Boolean(this.answer) && hasSkeletons(this.answer);
  }

  /** Put the divider and the opacity where their sliders are. */
  #place() {
    const stage = this.find(".stage");
    const compare = this.find(".compare");
    stage.style.setProperty("--at", `${compare.value}%`);
    stage.style.setProperty("--opacity", this.alpha);
    this.find(".outlines").hidden = !this.#drawsOutlines();
    this.find(".skeletons").hidden = !this.#drawsSkeletons();
    this.find(".opacity-told").textContent = `${this.find(".opacity").value} %`;
    compare.setAttribute("aria-valuetext", compare.dataset.valuetext.replace("{percent}", compare.value));
  }

  #tellZoom(scale) {
    this.find(".zoom output").textContent = `${Math.round(scale * 100)} %`;
    this.find("[data-zoom=out]").disabled = scale === 1;
  }

  /** Write what is at `place` beside it. */
  #read(place, { byKey }) {
    const readout = this.find(".readout");
    const pair = place && this.pairs?.at(place.x, place.y);
    readout.hidden = !pair && !(byKey && place);
    if (readout.hidden) return;
    const values = pair && { number: pair.person, part: this.partNames.get(pair.part), share: percent(pair.share) };
    readout.textContent = pair ? text("readout", values) : text("readout-nobody");
    if (byKey) announce(readout.textContent);
    const box = this.find(".picture").getBoundingClientRect();
    const { left, top } = this.zoom.locate(place);
    const x = Math.max(0, left + READOUT_GAP + readout.offsetWidth > box.width ? left - READOUT_GAP - readout.offsetWidth : left + READOUT_GAP);
    const y = Math.max(0, top + READOUT_GAP + readout.offsetHeight > box.height ? top - READOUT_GAP - readout.offsetHeight : top + READOUT_GAP);
    readout.style.translate = `${x}px ${y}px`;
  }
}

function makeCanvas({ width, height }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

function paintLayer(Kind, pairs, table) {
  const layer = new Kind(makeCanvas(pairs));
  layer.load(pairs);
  layer.paint(table);
  return layer.canvas;
}

function toPng(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

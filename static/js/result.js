/**
 * A result on the page: viewer, legend and downloads working as one. Used for a fresh answer
 * (main.js) and for a kept one (kept.js).
 */

import { Legend, readPartNames } from "./legend.js";
import { text } from "./messages.js";
import { Viewer } from "./viewer.js";

const PICTURES = ["result_image", "label_map", "people_map"]; // keys of an answer that hold base64 pictures

export class Result {
  constructor() {
    const partNames = readPartNames();
    this.section = document.getElementById("result");
    this.answer = null;
    this.pinned = null;
    this.viewer = new Viewer(document.getElementById("viewer"), partNames, (found) => this.#pick(found));
    this.legend = new Legend(document.getElementById("legend"), partNames, (picked, { passing }) => {
      if (passing) this.viewer.pick(picked, { passing });
      else this.#pick(picked);
    });
    document.getElementById("save-overlay").addEventListener("click", async () => {
      save(await this.viewer.compose(), "overlay.png");
    });
    document.getElementById("save-json").addEventListener("click", () => {
      const told = Object.entries(this.answer).filter(([key]) => !PICTURES.includes(key));
      save(new Blob([JSON.stringify(Object.fromEntries(told), null, 2)], { type: "application/json" }), "parsing.json");
    });
  }

  /** Show an answer of the API with its photo (a loaded <img>) and maps; returns the headline. */
  show(answer, photo, maps) {
    this.answer = answer;
    this.pinned = null;
    this.section.hidden = false; // first, so that the picture has its size
    this.viewer.show(photo, maps, answer);
    this.legend.show(answer);
    const headline = writeHeadline(answer);
    document.getElementById("headline").textContent = headline;
    document.getElementById("facts").textContent = text("facts", {
      width: answer.image.width,
      height: answer.image.height,
      parser: answer.parser.name,
      version: answer.parser.version,
      seconds: (answer.timing_ms.total / 1000).toFixed(2),
    });
    document.getElementById("nobody").hidden = answer.num_persons > 0;
    document.getElementById("legend").hidden = answer.num_persons === 0;
    return headline;
  }

  hide() {
    this.section.hidden = true;
  }

  /** Let go of what is picked out; returns whether anything was. */
  unpick() {
    const had = this.pinned !== null;
    if (had) this.#pick(null);
    return had;
  }

  #pick(found) {
    const same = found && this.pinned?.person === found.person && this.pinned?.part === found.part;
    this.pinned = same ? null : found;
    this.viewer.pick(this.pinned);
    this.legend.mark(this.pinned);
  }
}

/** An <img> of `url` that is ready to be drawn. */
export async function loadPhoto(url) {
  const photo = new Image();
  photo.src = url;
  await photo.decode();
  return photo;
}

function writeHeadline({ num_persons: people, parts_detected: parts }) {
  const values = { people, parts: parts.length };
  return text(`headline-${people}`, values) ?? text("headline", values);
}

/** Let the browser save `blob` under our own name for it. */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser may still be reading it
}

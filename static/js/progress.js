/** The page while a photo is on its way: its preview, how much is sent, who is before it, that it is being parsed. */

import { announce, text } from "./messages.js";

export class Progress {
  constructor(section) {
    this.section = section;
    this.bar = section.querySelector("progress");
    this.words = section.querySelector("#stage-text");
    this.file = this.url = null;
  }

  /** Show `file` at once, and how far it is: a stage as upload.js tells it. */
  show(file, stage) {
    if (file !== this.file) this.#showPreview(file);
    this.section.hidden = false;
    if (stage?.share !== undefined) this.bar.value = stage.share;
    else this.bar.removeAttribute("value"); // how long it takes, nobody knows
    const words = text(stage?.name ?? "sending", stage);
    if (words === this.words.textContent) return;
    this.words.textContent = words;
    announce(words);
  }

  end() {
    this.section.hidden = true;
    this.words.textContent = "";
    this.#release();
  }

  #showPreview(file) {
    this.#release();
    this.file = file;
    this.url = URL.createObjectURL(file);
    const frame = this.section.querySelector(".preview");
    frame.querySelector("img")?.remove(); // a new one each time: late events of the old concern nobody
    const preview = new Image();
    const notShown = frame.querySelector(".no-preview");
    preview.alt = frame.dataset.photoAlt;
    preview.hidden = notShown.hidden = true;
    preview.addEventListener("load", () => (preview.hidden = false));
    preview.addEventListener("error", () => (notShown.hidden = false));
    preview.src = this.url;
    frame.prepend(preview);
  }

  #release() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.file = this.url = null;
  }
}

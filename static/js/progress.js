/** The page while a photo is on its way: its preview, how much is sent, that it is being parsed. */

import { announce, text } from "./messages.js";

export class Progress {
  constructor(section) {
    this.section = section;
    this.bar = section.querySelector("progress");
    this.words = section.querySelector("#stage-text");
    this.url = null;
  }

  /** Show `file` at once, and that it is being sent. */
  start(file) {
    this.#showPreview(file);
    this.bar.value = 0;
    this.#say("sending");
    this.section.hidden = false;
  }

  sent(share) {
    this.bar.value = share;
  }

  parsing() {
    this.bar.removeAttribute("value"); // how long it takes, nobody knows
    this.#say("parsing");
  }

  end() {
    this.section.hidden = true;
    announce("");
    this.#release();
  }

  #say(stage) {
    this.words.textContent = text(stage);
    announce(text(stage));
  }

  #showPreview(file) {
    this.#release();
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
    this.url = null;
  }
}

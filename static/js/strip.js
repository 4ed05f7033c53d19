/** The strip of thumbnails: every photo of this visit with its state, a button each, and a bar for all. */

import { text } from "./messages.js";

const SIDE = 112; // pixels of a thumbnail's shorter side, twice what is shown

export class Strip {
  /** `root`: the section; `chosen(item)`. */
  constructor(root, chosen) {
    Object.assign(this, { root, chosen, thumbs: new Map() });
    this.list = root.querySelector(".strip");
    this.total = root.querySelector("progress");
    this.words = root.querySelector("#total-words");
  }

  /** Show `items` and which is `current`; `progress` as the queue tells it. One photo needs no strip. */
  show(items, current, progress) {
    this.root.hidden = items.length < 2;
    for (const [item, thumb] of this.thumbs) {
      if (items.includes(item)) continue;
      thumb.remove();
      this.thumbs.delete(item);
    }
    for (const item of items) this.#mark(item, item === current);
    const { done, failed, total, share } = progress;
    this.total.value = share;
    this.words.textContent = text(failed ? "queue-failed" : "queue-going", { done, failed, total });
    this.root.classList.toggle("over", done + failed === total);
  }

  #mark(item, isCurrent) {
    const thumb = this.thumbs.get(item) ?? this.#add(item);
    const button = thumb.firstChild;
    thumb.dataset.state = item.state;
    button.setAttribute("aria-label", text(`photo-${item.state}`, { number: item.number }));
    if (isCurrent) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (item.answer && !thumb.drawn) draw(button.querySelector("canvas"), fetch(item.answer.files["photo.jpg"]).then((found) => found.blob()));
    if (item.answer) thumb.drawn = true;
  }

  #add(item) {
    const thumb = document.createElement("li");
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SIDE, SIDE];
    button.type = "button";
    button.append(canvas);
    button.addEventListener("click", () => this.chosen(item));
    thumb.append(button);
    this.list.append(thumb);
    this.thumbs.set(item, thumb);
    draw(canvas, item.file).then((shown) => (thumb.drawn = shown));
    return thumb;
  }
}

/** Draw a photo, cut to a square; false where this browser cannot read it. */
async function draw(canvas, file) {
  try {
    const photo = await createImageBitmap(await file);
    const side = Math.min(photo.width, photo.height);
    const from = [(photo.width - side) / 2, (photo.height - side) / 2, side, side];
    canvas.getContext("2d").drawImage(photo, ...from, 0, 0, canvas.width, canvas.height);
    photo.close();
    return true;
  } catch {
    return false; // HEIC or TIFF: the server's JPEG takes its place
  }
}

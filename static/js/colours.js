/**
 * Paints label and people maps as colours on a canvas, background transparent. Opacity is not
 * painted: the page lays the canvas over the photo and sets it there, so that it follows the
 * slider at once. A map is {width, height, ids, palette}, as png.js reads it.
 */

const FADED = 46; // of 255: what is not picked out stays just visible

/** `maps`, {labels, people}, with at most `limit` pixels: every n-th of every n-th row. */
export function thin({ labels, people }, limit) {
  const step = Math.ceil(Math.sqrt((labels.width * labels.height) / limit));
  return step > 1 ? { labels: take(labels, step), people: take(people, step) } : { labels, people };
}

function take({ width, height, ids, palette }, step) {
  const small = { width: Math.ceil(width / step), height: Math.ceil(height / step), palette };
  small.ids = new Uint8Array(small.width * small.height);
  for (let y = 0, to = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) small.ids[to++] = ids[y * width + x];
  }
  return small;
}

/**
 * Paint `maps` on `canvas`, which takes their size.
 *
 * by: "parts" or "people"; picked: null, or {person, part} (part null: the whole person) to leave
 * strong while the rest fades.
 */
export function paintColours(canvas, { labels, people }, { by, picked }) {
  const source = by === "people" ? people : labels;
  const strong = makeTable(source.palette, 255);
  const faint = makeTable(source.palette, FADED);
  paint(canvas, source, (pixels) => {
    for (let at = 0; at < pixels.length; at++) {
      const person = people.ids[at];
      if (!person) continue;
      const isPicked = !picked || (picked.person === person && (!picked.part || picked.part === labels.ids[at]));
      pixels[at] = (isPicked ? strong : faint)[source.ids[at]];
    }
  });
}

/** Give `canvas` the size of a map and let `fill` set its pixels, transparent until then. */
export function paint(canvas, { width, height }, fill) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}

/** Palette entries as the 32-bit values of a canvas's pixels (bytes red, green, blue, alpha). */
export function makeTable(palette, alpha) {
  const bytes = new Uint8Array((palette.length / 3) * 4);
  for (let from = 0, to = 0; from < palette.length; from += 3, to += 4) {
    bytes.set([palette[from], palette[from + 1], palette[from + 2], alpha], to);
  }
  return new Uint32Array(bytes.buffer);
}

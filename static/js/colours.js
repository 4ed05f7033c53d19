/**
 * Paints pairs as colours on a canvas, background transparent, and again only where a colour
 * changed. Opacity is not painted: the page lays the canvas over the photo and sets it there.
 */

export class Layer {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** Take the size of `pairs`; nothing is painted yet. */
  load(pairs) {
    this.pairs = pairs;
    [this.canvas.width, this.canvas.height] = [pairs.width, pairs.height];
    this.image = this.context.createImageData(pairs.width, pairs.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.table = new Uint32Array(pairs.list.length);
  }

  /** Paint with `table`: the pixel's value of every pair, 0 for those that are not shown. */
  paint(table) {
    const changed = [];
    for (let number = 1; number < table.length; number++) if (table[number] !== this.table[number]) changed.push(number);
    const box = this.pairs.around(changed);
    this.table = table;
    if (!box) return;
    this.fill(box, table);
    this.context.putImageData(this.image, 0, 0, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
  }

  /** Set the pixels within `box`. */
  fill({ x0, y0, x1, y1 }, table) {
    const { pixels } = this;
    const { ids, width } = this.pairs;
    for (let y = y0; y < y1; y++) {
      for (let at = y * width + x0, end = y * width + x1; at < end; at++) pixels[at] = table[ids[at]];
    }
  }
}

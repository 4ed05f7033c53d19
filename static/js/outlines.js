/**
 * Paints people's outlines as the service does (_draw_outlines in utils.py): a white line inside
 * each person's border and a dark one inside that, which halves what is below it.
 */

import { Layer } from "./colours.js";
import { pixel } from "./palettes.js";

const SCALE = 720; // each line is as many pixels wide as the shorter side has of these, at least 1
const WHITE = pixel([255, 255, 255], 255);
const DARK = pixel([0, 0, 0], 128);

export class Outlines extends Layer {
  /** Take the size of `pairs` and find the lines. */
  load(pairs) {
    super.load(pairs);
    const line = Math.max(1, Math.round(Math.min(pairs.width, pairs.height) / SCALE));
    const owner = Uint8Array.from(pairs.list, (pair) => pair?.person ?? 0);
    const people = Uint8Array.from(pairs.ids, (number) => owner[number]);
    const distance = measureDistance(people, pairs.width);
    const places = [];
    for (let at = 0; at < people.length; at++) if (people[at] && distance[at] <= 2 * line) places.push(at);
    this.places = Uint32Array.from(places);
    this.inks = Uint32Array.from(places, (at) => (distance[at] <= line ? WHITE : DARK));
  }

  /** Set the lines of the pairs that `table` shows; the others' go. */
  fill(_, table) {
    const { ids } = this.pairs;
    for (let i = 0; i < this.places.length; i++) {
      const at = this.places[i];
      this.pixels[at] = table[ids[at]] ? this.inks[i] : 0;
    }
  }
}

/**
 * For every pixel, how many steps (to any of eight sides) lead to one with another id; 255 for more
 * than that, or none. What lies beyond the photo's edge does not count.
 *
 * Two sweeps, each looking at the four neighbours that it has passed: all eight have the same id, or
 * the distance is 1; and then it is one more than the smallest of theirs.
 */
function measureDistance(ids, width) {
  const distance = new Uint8Array(ids.length).fill(255);
  const step = (at, neighbour) => {
    const reached = ids[at] === ids[neighbour] ? distance[neighbour] + 1 : 1;
    if (reached < distance[at]) distance[at] = reached;
  };
  const sweep = (from, to, by) => {
    for (let at = from; at !== to; at += by) {
      const x = at % width;
      const isFirst = by > 0 ? x === 0 : x === width - 1; // in its row, in this direction
      const isLast = by > 0 ? x === width - 1 : x === 0;
      const above = at - by * width;
      const hasAbove = above >= 0 && above < ids.length;
      if (!isFirst) step(at, at - by);
      if (!hasAbove) continue;
      step(at, above);
      if (!isFirst) step(at, above - by);
      if (!isLast) step(at, above + by);
    }
  };
  sweep(0, ids.length, 1);
  sweep(ids.length - 1, -1, -1);
  return distance;
}

/**
 * Paints people's outlines as the service does (_draw_outlines in utils.py): a white line inside
 * each person's border and a dark one inside that, which halves what is below it.
 */

import { makeTable, paint } from "./colours.js";

const SCALE = 720; // each line is as many pixels wide as the shorter side has of these, at least 1
const [WHITE] = makeTable([255, 255, 255], 255);
const [DARK] = makeTable([0, 0, 0], 128);

/** Paint the outlines of a people map on `canvas`, which takes its size. */
export function paintOutlines(canvas, people) {
  const line = Math.max(1, Math.round(Math.min(people.width, people.height) / SCALE));
  const distance = measureDistance(people);
  paint(canvas, people, (pixels) => {
    for (let at = 0; at < pixels.length; at++) {
      if (people.ids[at] && distance[at] <= 2 * line) pixels[at] = distance[at] <= line ? WHITE : DARK;
    }
  });
}

/**
 * For every pixel, how many steps (to any of eight sides) lead to one with another id; 255 for more
 * than that, or none. What lies beyond the photo's edge does not count.
 *
 * Two sweeps, each looking at the four neighbours that it has passed: all eight have the same id, or
 * the distance is 1; and then it is one more than the smallest of theirs.
 */
function measureDistance({ width, ids }) {
  const distance = new Uint8Array(ids.length).fill(255);
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
  const step = (at, neighbour) => {
    const reached = ids[at] === ids[neighbour] ? distance[neighbour] + 1 : 1;
    if (reached < distance[at]) distance[at] = reached;
  };
  sweep(0, ids.length, 1);
  sweep(ids.length - 1, -1, -1);
  return distance;
}

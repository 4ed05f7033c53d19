/**
 * Paints people's skeletons: lines between key points that were found, left sides warm, right sides
 * cool, a dark line under each so that it shows on any photo. Left and right are the person's own.
 */

const SCALE = 220; // lines are as many pixels wide as the shorter side has of these, at least 2
const COLOURS = { left: "#ffb000", right: "#3ec6ff", middle: "#ffffff" };
const DARK = "rgb(16 18 24 / 75%)";

/**
 * Paint on `canvas`, which takes `size` ({width, height}), the skeletons of `answer`, whose key
 * points lie in pixels of a photo of answer.image's size. `bones`: pairs of indices of key points;
 * `minScore`: below it a key point is a guess and left out; `shows(number)`: of which people.
 */
export function paintSkeletons(canvas, size, answer, { bones, minScore, shows }) {
  [canvas.width, canvas.height] = [size.width, size.height];
  const context = canvas.getContext("2d");
  const scale = size.width / answer.image.width;
  context.lineWidth = Math.max(2, Math.min(size.width, size.height) / SCALE);
  context.lineCap = "round";
  for (const { id, keypoints } of answer.people) {
    if (!shows(id)) continue;
    const lines = bones
      .filter((bone) => bone.every((index) => keypoints[index]?.[2] >= minScore))
      .map((bone) => ({
        ends: bone.map((index) => keypoints[index].slice(0, 2).map((value) => (value + 0.5) * scale)),
        colour: COLOURS[sideOf(bone, answer.keypoint_names)],
      }));
    for (const { ends } of lines) draw(context, ends, DARK, 2 * context.lineWidth);
    for (const { ends, colour } of lines) draw(context, ends, colour, context.lineWidth);
  }
}

/** Whether any person of an answer has key points to draw. */
export function hasSkeletons(answer) {
  return answer.people.some(({ keypoints }) => keypoints?.length);
}

function sideOf(bone, names) {
  const sides = bone.map((index) => names[index].split("_")[0]);
  return sides[0] === sides[1] && sides[0] in COLOURS ? sides[0] : "middle";
}

function draw(context, [from, to], colour, width) {
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

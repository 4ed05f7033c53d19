/**
 * The page that takes a photo: wires where photos come from to the request and to the result. At
 * most one request runs; a newer photo, Escape or Cancel ends it, and nothing late is ever shown.
 */

import { Problem, announce, clearMessage, showMessage, showProblem, text } from "./messages.js";
import { fromBase64, readPalettePng } from "./png.js";
import { Progress } from "./progress.js";
import { Result, loadPhoto } from "./result.js";
import { listen } from "./sources.js";
import { send } from "./upload.js";

const MEGABYTE = 1048576;

const form = document.getElementById("upload");
const input = document.getElementById("image");
const progress = new Progress(document.getElementById("working"));
const result = new Result();
let running = null; // the request whose answer is wanted
let photoUrl = null; // of the photo shown
let latest = null; // the file, for Try again

/** "start", "working", "done" or "error": what the page shows, mostly through CSS. */
function enter(state) {
  document.body.dataset.state = state;
  if (state !== "working") progress.end();
  if (state !== "done") result.hide();
}

/** Parse `file`, whatever was going on before. */
async function take(file, { several = false } = {}) {
  stop();
  latest = file;
  clearMessage();
  const refusal = check(file);
  if (refusal) return fail(refusal);
  enter("working");
  progress.start(file);
  if (several) showMessage(text("only-one"));
  const request = send(form.dataset.parseUrl, file, fields(), {
    onProgress: (share) => request === running && progress.sent(share),
    onSent: () => request === running && progress.parsing(),
  });
  running = request;
  try {
    const answer = await request.answer;
    const ready = await prepare(answer);
    if (request !== running) return ready.release();
    running = null;
    finish(answer, ready);
  } catch (problem) {
    if (request !== running) return;
    running = null;
    fail(problem);
  }
}

/** The Problem with `file` that needs no server to see, or null. */
function check(file) {
  const limit = Number(form.dataset.maxBytes);
  const megabytes = (bytes) => (bytes / MEGABYTE).toFixed(1).replace(/\.0$/, "");
  if (!file.size) return new Problem(text("empty"));
  if (file.size > limit) return new Problem(text("too-large", { size: megabytes(file.size), limit: megabytes(limit) }));
  return null;
}

/** Options of the request. Alpha 0 without outlines asks for the photo itself, upright and in sRGB,
    as the parser saw it, in any format; the colours are painted here, from the maps. */
function fields() {
  const parser = form.elements.namedItem("parser")?.value;
  return { alpha: "0", outline: "false", ...(parser && { parser }) };
}

/** Photo and maps of an answer, decoded. */
async function prepare(answer) {
  const url = URL.createObjectURL(new Blob([fromBase64(answer.result_image)], { type: "image/png" }));
  const release = () => URL.revokeObjectURL(url);
  try {
    const [photo, labels, people] = await Promise.all([
      loadPhoto(url),
      readPalettePng(fromBase64(answer.label_map)),
      readPalettePng(fromBase64(answer.people_map)),
    ]);
    return { photo, maps: { labels, people }, url, release };
  } catch (error) {
    release();
    throw error;
  }
}

function finish(answer, { photo, maps, url }) {
  if (photoUrl) URL.revokeObjectURL(photoUrl);
  photoUrl = url;
  enter("done");
  const headline = result.show(answer, photo, maps);
  announce(headline);
  document.getElementById("headline").focus();
}

function fail(problem) {
  enter("error");
  if (problem instanceof Problem) return showProblem(problem);
  console.error(problem); // ours to mend: say so, and keep the trace
  showProblem(new Problem(text("unexpected")));
}

/** End the running request, if there is one; returns whether there was. */
function stop() {
  const request = running;
  running = null;
  request?.abort();
  return request !== null;
}

function cancel() {
  if (!stop()) return;
  enter("start");
  clearMessage();
  announce(text("cancelled"));
  input.focus();
}

listen({
  input,
  dropMark: document.getElementById("drop-anywhere"),
  take,
  refuse: () => {
    if (!running) showMessage(text("not-a-file"));
  },
});
document.getElementById("cancel").addEventListener("click", cancel);
document.getElementById("retry").addEventListener("click", () => take(latest));
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (running) cancel();
  else result.unpick();
});

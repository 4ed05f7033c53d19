/**
 * The page that takes photos: wires where they come from to the queue, and what becomes of the one
 * that is looked at to the page. Other photos go on in the queue and never take the page over. What
 * shows results, and the camera, are loaded when they are first needed: the first view stays small.
 */

import { Problem, announce, clearMessage, showProblem, text } from "./messages.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { listen, refusal } from "./sources.js";
import { Strip } from "./strip.js";
import { send } from "./upload.js";

const find = (id) => document.getElementById(id);

const title = document.title; // of the page without a result
const form = find("upload");
const input = find("image");
const progress = new Progress(find("working"));
const queue = new Queue({ send: sendItem, changed });
const strip = new Strip(find("queue"), look);
let result = null; // shows results, once loaded
let camera = null; // once loaded
let current = null; // the item that is looked at
let shown = null; // the item whose result is on the page

/** "start", "working", "done", "camera" or "error": what the page shows, mostly through CSS. */
function enter(state) {
  document.body.dataset.state = state;
  if (state !== "working") progress.end();
  if (state !== "done") {
    result?.hide();
    shown = null;
    document.title = title;
  }
  strip.show(queue.items, current, queue.progress);
}

function take(files) {
  camera?.stop();
  loadResult().catch(() => {}); // while the photo is on its way; if it fails, it is told when it is needed
  const [first] = queue.add(files, (file) => refusal(file, Number(form.dataset.maxBytes)));
  look(first);
}

/** Look at an item, whatever its state. */
function look(item) {
  current = item;
  camera?.stop();
  clearMessage();
  if (item.state === "done") showResult(item);
  else if (item.state === "failed") fail(item.problem);
  else {
    enter("working");
    progress.show(item.file, item.stage);
  }
}

function changed(item) {
  if (item !== current) strip.show(queue.items, current, queue.progress);
  else if (item.state !== "working" || document.body.dataset.state !== "camera") look(item);
}

function sendItem(item) {
  const parser = form.elements.namedItem("parser").value;
  return send(form.dataset.parseUrl, item.file, { parser }, (stage) => {
    item.stage = stage;
    if (item === current && document.body.dataset.state === "working") progress.show(item.file, stage);
    strip.show(queue.items, current, queue.progress);
  });
}

async function showResult(item) {
  if (shown === item) return enter("done");
  try {
    progress.show(item.file, { name: "fetching" });
    const fetchResult = await loadResult();
    const ready = await fetchResult(item.answer);
    if (item !== current) return;
    enter("done");
    shown = item;
    const headline = result.show(ready, item.file.name || "photo.jpg");
    document.title = `${headline} · ${title}`;
    announce(headline);
    setAddress(item.answer.address, item.number);
    find("headline").focus();
  } catch (error) {
    if (item !== current) return;
    if (error instanceof Problem) error.again = true; // its time is over, but we still have the photo
    fail(error);
  }
}

function fail(error) {
  enter("error");
  showProblem(Problem.from(error));
}

/** Give the page an address, so that reload, back and another language keep what is looked at. */
function setAddress(address, number) {
  if (location.pathname !== address) history.pushState({ number }, "", address);
  find("back").value = address;
}

function goToStart(message) {
  current = null;
  enter("start");
  clearMessage();
  if (location.pathname !== "/") setAddress("/");
  announce(message);
  input.focus();
}

function cancel() {
  queue.remove(current);
  goToStart(text("cancelled"));
}

function forget() {
  queue.remove(current);
  goToStart(text("forgotten"));
}

async function loadResult() {
  const { Result, fetchResult } = await import("./result.js");
  result ??= new Result({ forgotten: forget });
  return fetchResult;
}

async function openCamera() {
  clearMessage();
  const { Camera } = await import("./camera.js");
  camera ??= new Camera(find("camera"), {
    frameUrl: form.dataset.frameUrl,
    take,
    failed: fail,
    closed: () => (current ? look(current) : enter("start")),
  });
  enter("camera");
  await camera.open();
}

async function takeSample() {
  try {
    const photo = await fetch(form.dataset.sampleUrl).then((answer) => answer.blob());
    take([new File([photo], "sample.jpg", { type: photo.type })]);
  } catch {
    fail(new Problem("sample"));
  }
}

listen({
  input,
  dropMark: find("drop-anywhere"),
  take,
  refuse: () => document.body.dataset.state !== "working" && showProblem(new Problem("not-a-file")),
});
find("cancel").addEventListener("click", cancel);
find("retry").addEventListener("click", () => {
  queue.retry(current);
  look(current);
});
find("take-sample").addEventListener("click", takeSample);
find("open-camera").hidden = !navigator.mediaDevices?.getUserMedia; // browsers give none to pages without https
find("open-camera").addEventListener("click", () => openCamera().catch(fail));
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("popstate", ({ state }) => {
  const item = queue.items.find(({ number }) => number === state?.number);
  find("back").value = location.pathname;
  if (item) look(item);
  else if (location.pathname === "/") goToStart("");
  else location.reload(); // a result that is no longer in the queue: the server has it, or says that it is gone
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const { state } = document.body.dataset;
  if (state === "working") cancel();
  else if (state === "camera") camera.close();
  else result?.unpick();
});

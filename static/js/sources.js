/**
 * Where photos come from: the file field, a drop anywhere on the page, the clipboard. Hands them to
 * `take(files)`; `refuse()` hears of a drop or paste that holds no file. Of a folder that is dropped the
 * photos in it are taken, and in those within it.
 */

import { Problem } from "./messages.js";

const MEGABYTE = 1048576;
const PHOTO = /\.(jpe?g|jfif|png|webp|bmp|tiff?|gif|avif|hei[cf])$/i; // of what lies in folders; the server judges all

/** The Problem with `file` that needs no server to see, or null; `limit`: its largest size in bytes. */
export function refusal(file, limit) {
  const megabytes = (bytes) => (bytes / MEGABYTE).toFixed(1).replace(/\.0$/, "");
  if (!file.size) return new Problem("empty");
  if (file.size > limit) return new Problem("too-large", { values: { size: megabytes(file.size), limit: megabytes(limit) } });
  return null;
}

export function listen({ input, dropMark, take, refuse }) {
  const hand = (files) => (files.length ? take([...files]) : refuse());
  input.multiple = true; // without scripts the form takes one

  input.addEventListener("change", () => {
    if (!input.files.length) return; // the chooser was closed
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    hand(files);
  });

  document.addEventListener("paste", (event) => {
    // Text is pasted into fields elsewhere; only files, or pictures that are none, concern us.
    const { files, types } = event.clipboardData;
    if (files.length) hand(files);
    else if (types.length && event.target === document.body) refuse();
    else return;
    event.preventDefault();
  });

  const mark = (event) => {
    event.preventDefault(); // without it the browser would leave the page for the file
    event.dataTransfer.dropEffect = "copy";
    dropMark.hidden = false;
  };
  document.addEventListener("dragenter", mark);
  document.addEventListener("dragover", mark);
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) dropMark.hidden = true; // left the window, not just an element
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dropMark.hidden = true;
    const { files, items } = event.dataTransfer;
    const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null);
    if (!entries.some((entry) => entry?.isDirectory)) return hand(files);
    Promise.all(entries.map(open)).then((found) => hand(found.flat()), refuse);
  });
}

/** The photos of an entry of a file system, a promise of a list of files by their names. */
async function open(entry) {
  if (entry?.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  if (!entry?.isDirectory) return [];
  const reader = entry.createReader();
  const entries = [];
  for (;;) {
    const more = await new Promise((done, failed) => reader.readEntries(done, failed)); // some at a time
    if (!more.length) break;
    entries.push(...more.filter(({ isDirectory, name }) => isDirectory || PHOTO.test(name)));
  }
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return (await Promise.all(entries.map(open))).flat();
}

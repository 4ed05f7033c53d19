/**
 * Where photos come from: the file field, a drop anywhere on the page, the clipboard. Hands them to
 * `take(files)`; `refuse()` hears of a drop or paste that holds no file.
 */

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
    hand(event.dataTransfer.files);
  });
}

/**
 * What the page says: its texts (from <template id="texts">), the error box, the line that screen
 * readers hear. Knows nothing of requests or results.
 */

const texts = document.getElementById("texts").content;

/** The text called `name`, with {word} replaced by values.word. Undefined if there is none. */
export function text(name, values = {}) {
  const found = texts.querySelector(`[data-text="${name}"]`);
  return found?.textContent.replace(/\{(\w+)\}/g, (_, word) => values[word] ?? "");
}

/** A failure with words for people; `again` says whether the same photo may work later. */
export class Problem extends Error {
  constructor(message, { again = false } = {}) {
    super(message);
    this.again = again;
  }
}

/** Say `message` to screen readers, without moving anything. */
export function announce(message) {
  document.getElementById("status").textContent = message;
}

/** Show `problem` and put the focus on it, so that the next Tab leads to what can be done. */
export function showProblem(problem) {
  showMessage(problem.message);
  const box = document.getElementById("message");
  box.classList.remove("remark");
  document.getElementById("retry").hidden = !problem.again;
  box.focus();
}

/** Show a remark that stops nothing. */
export function showMessage(message) {
  const box = document.getElementById("message");
  box.querySelector(".detail").textContent = message;
  document.getElementById("retry").hidden = true;
  box.classList.add("remark");
  box.hidden = false;
}

export function clearMessage() {
  document.getElementById("message").hidden = true;
}

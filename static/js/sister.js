/**
 * What the pages of recognition and of the studio share: a photo comes in, requests go out, the
 * newest counts; guesses are listed. The page itself says what to do with an answer.
 */

import { Problem, announce, clearMessage, percent, showProblem, text } from "./messages.js";
import { listen } from "./sources.js";

const form = document.getElementById("sister");
const outcome = document.getElementById("outcome");
let turn = 0; // of the newest request; older ones have nothing to say any more
let latest = null; // the file, for Try again

/**
 * `work(file, ask)` gets every photo; `ask(url, fields)` is a promise of a JSON answer. What work
 * returns is called once it is still the newest: it shows the answer.
 */
export function begin(work) {
  const take = async ([file, ...others]) => {
    const mine = ++turn;
    latest = file;
    clearMessage();
    const limit = Number(form.dataset.maxBytes);
    if (!file.size) return fail(new Problem("empty"));
    if (file.size > limit) return fail(new Problem("too-large", { values: { size: megabytes(file.size), limit: megabytes(limit) } }));
    if (others.length) showProblem(new Problem("only-one"));
    document.body.dataset.busy = "true";
    announce(text("working"));
    try {
      const show = await work(file, (url, fields) => ask(url, file, fields));
      if (mine !== turn) return;
      show();
      outcome.hidden = false;
      document.getElementById("outcome-title").focus();
      announce(text("ready"));
    } catch (problem) {
      if (mine === turn) fail(problem);
    } finally {
      if (mine === turn) document.body.dataset.busy = "false";
    }
  };
  listen({
    input: document.getElementById("image"),
    dropMark: document.getElementById("drop-anywhere"),
    take,
    refuse: () => showProblem(new Problem("not-a-file")),
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("retry").addEventListener("click", () => take([latest]));
  return { again: () => latest && take([latest]) };
}

/** The form's fields that have a value, but for the photo. */
export function fields() {
  const given = [...new FormData(form)].filter(([name, value]) => name !== "image" && value !== "");
  return Object.fromEntries(given);
}

/** List `predictions` of the API. */
export function showGuesses(predictions) {
  const template = document.getElementById("guess").content;
  const rows = predictions.map((one) => {
    const row = template.cloneNode(true);
    row.querySelector("[data-name]").textContent = one.label;
    row.querySelector("[data-name-zh]").textContent = one.label_zh;
    row.querySelector("meter").value = one.probability;
    row.querySelector("meter").setAttribute("aria-label", one.label);
    row.querySelector(".guess-share").textContent = percent(one.probability);
    return row;
  });
  document.getElementById("guesses").replaceChildren(...rows);
}

/** The JSON that `url` answers to `file` with `fields`. Throws a Problem. */
async function ask(url, file, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("image", file, "photo"); // what the file is called stays with its owner
  const offline = () => Promise.reject(new Problem("network", { again: true }));
  const response = await fetch(url, { method: "POST", headers: { Accept: "application/json" }, body }).catch(offline);
  if (response.ok) return response.json().catch(offline);
  throw Problem.of(response.status, await response.json().catch(() => null));
}

const megabytes = (bytes) => (bytes / 1048576).toFixed(1).replace(/\.0$/, "");

function fail(problem) {
  if (problem instanceof Problem) return showProblem(problem);
  console.error(problem); // ours to mend: say so, and keep the trace
  showProblem(new Problem("unexpected"));
}

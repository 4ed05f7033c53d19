/**
 * What the pages of recognition and of the studio share: a photo comes in, requests go out, the
 * newest counts. The page itself says what to do with an answer.
 */

import { ask, gather } from "./ask.js";
import { Problem, announce, clearMessage, showProblem, text } from "./messages.js";
import { listen, refusal } from "./sources.js";

const form = document.getElementById("sister");
const outcome = document.getElementById("outcome");
const again = document.getElementById("again");
let turn = 0; // of the newest request; older ones have nothing to say any more
let latest = null; // the file, for Try again

/**
 * `work(file, ask)` gets every photo; `ask(url, body)` sends it with the fields of a FormData, and is a
 * promise of a JSON answer. What work returns is called once it is still the newest: it shows the answer.
 */
export function begin(work) {
  const take = async ([file, ...others]) => {
    latest = file;
    again.hidden = false;
    if (!numbers().every((field) => field.reportValidity())) return; // the browser says what is allowed
    const mine = ++turn;
    clearMessage();
    const problem = refusal(file, Number(form.dataset.maxBytes));
    if (problem) return showProblem(problem);
    if (others.length) showProblem(new Problem("only-one"));
    document.body.dataset.busy = "true";
    announce(text("working"));
    try {
      const show = await work(file, (url, body) => {
        body.append("image", file, "photo"); // what the file is called stays with its owner
        return ask(url, body);
      });
      if (mine !== turn) return;
      show();
      outcome.hidden = false;
      document.getElementById("outcome-title").focus();
      announce(text("ready"));
    } catch (error) {
      if (mine === turn) showProblem(Problem.from(error));
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
  again.addEventListener("click", () => take([latest]));
}

/** The form's fields that have a value, but for the photo. */
export const fields = () => gather(form);

/** The form's fields for numbers; to browsers those of another effect, which are disabled, are right. */
const numbers = () => [...form.querySelectorAll("input[type=number]")];

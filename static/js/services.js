/**
 * The sisters beside a result: what is in its photo, and pictures of the studio, made by the server
 * from the photo that it keeps. Nothing is sent a second time.
 */

import { ask, gather } from "./ask.js";
import { showPictures } from "./gallery.js";
import { showGuesses } from "./guesses.js";
import { Problem, announce, text } from "./messages.js";
import { followEffect } from "./tuning.js";

const find = (id) => document.getElementById(id);

/** One of them: its form is sent to the result's address `/name`, `show(answer)` gets what comes back. */
class Panel {
  constructor(section, name, show) {
    Object.assign(this, { name, show, id: null });
    this.form = section.querySelector("form");
    this.trouble = section.querySelector(".trouble");
    this.progress = section.querySelector("progress"); // how long it takes, nobody knows
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Be about the result `id`, with nothing shown yet. */
  begin(id) {
    this.id = id;
    this.#work(false);
    this.trouble.hidden = true;
    this.show(null);
  }

  async #send() {
    const { id } = this;
    if (this.form.getAttribute("aria-busy") === "true") return;
    this.#work(true);
    this.trouble.hidden = true;
    announce(text("working"));
    try {
      const answer = await ask(`/api/results/${id}/${this.name}`, gather(this.form));
      if (id !== this.id) return; // another result is on the page by now
      this.show(answer);
      announce(text("ready"));
    } catch (error) {
      if (id !== this.id) return;
      const problem = Problem.from(error);
      this.trouble.querySelector("strong").textContent = problem.message;
      this.trouble.querySelector("span").textContent = problem.advice;
      this.trouble.hidden = false;
    }
    this.#work(false);
  }

  #work(isBusy) {
    this.progress.hidden = !isBusy;
    this.form.setAttribute("aria-busy", isBusy);
    this.form.querySelector("button").setAttribute("aria-disabled", isBusy); // not disabled: the focus would be lost
  }
}

export class Services {
  /** `partNames`: id -> name. */
  constructor(partNames) {
    this.partNames = partNames;
    this.section = find("services");
    find("columns").append(this.section); // a kept page has it elsewhere, for those without scripts
    const untouched = find("paint").querySelector(".untouched");
    this.panels = [
      new Panel(find("recognition"), "recognize", (answer) => showGuesses(answer?.predictions ?? [])),
      new Panel(find("paint"), "stylize", (answer) => {
        untouched.hidden = answer?.coverage !== 0;
        showPictures(answer?.coverage === 0 ? [] : answer?.pictures ?? []);
      }),
    ];
    this.form = find("paint").querySelector("form");
    followEffect(this.form);
    this.everybody = this.form.elements.people.options[0];
  }

  /** Be about the result of `answer`. */
  show(answer) {
    this.section.hidden = false;
    if (this.id === answer.id) return; // what was made of it stays
    this.id = answer.id;
    const { people } = answer;
    const parts = new Map(people.flatMap((person) => person.parts.map(({ id, name }) => [id, name])));
    const options = () => [...parts].sort(([a], [b]) => a - b).map(([id, name]) => new Option(this.partNames.get(id), name));
    for (const group of this.form.querySelectorAll("[data-parts]")) group.replaceChildren(...options());
    const persons = people.map(({ id }) => new Option(text("person", { number: id }), id));
    this.form.elements.people.replaceChildren(this.everybody, ...persons);
    this.form.reset();
    for (const panel of this.panels) panel.begin(answer.id);
  }

  hide() {
    this.section.hidden = true;
  }
}

/** The field that chooses what is shown: everything, one person, or one kind of part. */

import { text } from "./messages.js";

export class ShowField {
  constructor({ partNames, visibility }) {
    Object.assign(this, { partNames, visibility, choices: [] });
    this.field = document.getElementById("show");
    this.all = document.getElementById("show-all");
    this.field.addEventListener("change", () => this.#choose());
    this.all.addEventListener("click", () => {
      visibility.showAll();
      this.field.focus(); // the button goes
    });
  }

  /** Offer the people and parts of an answer. */
  show({ people }) {
    document.getElementById("show-line").hidden = !people.length;
    const parts = [...new Set(people.flatMap((person) => person.parts.map((part) => part.id)))].sort((a, b) => a - b);
    this.choices = [
      ...people.map(({ id }) => ({ value: `person-${id}`, wanted: { person: id, part: null }, name: text("person", { number: id }) })),
      ...parts.map((id) => ({ value: `part-${id}`, wanted: { person: null, part: id }, name: this.partNames.get(id) })),
    ];
    const options = (isPart) => this.choices.filter(({ wanted }) => Boolean(wanted.part) === isPart).map(({ name, value }) => new Option(name, value));
    this.field.querySelector("[data-people]").replaceChildren(...options(false));
    this.field.querySelector("[data-parts]").replaceChildren(...options(true));
    this.mark();
  }

  /** Say what is shown now. */
  mark() {
    const { visibility } = this;
    const alone = this.choices.find(({ wanted }) => visibility.isAlone(wanted));
    this.field.value = alone ? alone.value : visibility.hidesSome ? "some" : "";
    this.all.hidden = !visibility.hidesSome;
  }

  #choose() {
    const choice = this.choices.find(({ value }) => value === this.field.value);
    if (!choice) this.visibility.showAll();
    else if (!this.visibility.isAlone(choice.wanted)) this.visibility.isolate(choice.wanted);
  }
}

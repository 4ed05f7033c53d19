/**
 * The list of people and their parts beside the picture, made from the templates of _legend.html.
 * A row hides or shows its part, its second button or a double click shows it alone.
 */

import { percent, text } from "./messages.js";

const copy = (id) => document.getElementById(id).content.cloneNode(true);

/** Names of the classes as people write them: id -> name. */
export function readPartNames() {
  const names = document.getElementById("part-names").content.querySelectorAll("[data-part]");
  return new Map([...names].map((element) => [Number(element.dataset.part), element.textContent]));
}

export class Legend {
  /** `pointed(wanted | null)`: a row under the mouse. */
  constructor(root, { partNames, visibility, pointed }) {
    Object.assign(this, { root, partNames, visibility, pointed, rows: [] });
  }

  /** List the people of an answer of the API. */
  show({ people, image }) {
    this.rows = [];
    const frame = copy("legend-frame");
    const [columns, ...rest] = frame.children;
    const cards = people.map((person) => this.#makePerson(person, image.width * image.height));
    this.root.replaceChildren(columns, ...cards, ...rest);
    this.root.scrollTop = 0;
  }

  /** Tell in every row whether its part is shown, and which is picked out. */
  mark(picked) {
    for (const { line, toggle, only, wanted } of this.rows) {
      const isPicked = Boolean(picked) && picked.person === wanted.person && (picked.part ?? null) === wanted.part;
      line.classList.toggle("picked", isPicked);
      const isAlone = this.visibility.isAlone(wanted);
      toggle.setAttribute("aria-pressed", this.visibility.showsAny(wanted));
      only.setAttribute("aria-pressed", isAlone);
      if (isPicked || isAlone) this.#reveal(toggle);
    }
  }

  /** Colour the swatches: `colour(wanted)` gives [r, g, b]. */
  paint(colour) {
    for (const { line, wanted } of this.rows) {
      const value = `rgb(${colour(wanted).join(" ")})`;
      for (const element of line.querySelectorAll("[data-swatch], [data-bar]")) element.style.setProperty("--own", value);
    }
  }

  /** Scroll the list, but never the page, to `row`. */
  #reveal(row) {
    const list = this.root.getBoundingClientRect();
    const { top, bottom } = row.getBoundingClientRect();
    if (top < list.top || bottom > list.bottom) this.root.scrollTop += top - list.top - list.height / 3;
  }

  #makePerson(person, pixels) {
    const card = copy("legend-person");
    const name = text("person", { number: person.id });
    this.#fill(card.querySelector(".line"), name, { person: person.id, part: null }, person.area / pixels, person.score);
    const parts = [...person.parts].sort((one, other) => other.area - one.area);
    card.querySelector("ul").append(...parts.map((part) => this.#makePart(part, person)));
    return card;
  }

  #makePart(part, person) {
    const row = copy("legend-part");
    const share = part.area / person.area;
    row.querySelector("[data-bar]").setAttribute("width", share * 100);
    const name = this.partNames.get(part.id) ?? part.name;
    this.#fill(row.querySelector(".line"), name, { person: person.id, part: part.id }, share, part.score);
    return row;
  }

  #fill(line, name, wanted, share, score) {
    const [toggle, only] = [line.querySelector("[data-toggle]"), line.querySelector("[data-only]")];
    line.querySelector("[data-name]").textContent = name;
    line.querySelector("[data-share]").textContent = percent(share);
    line.querySelector("[data-score]").textContent = score.toFixed(2);
    for (const element of line.querySelectorAll("[data-swatch], [data-bar]")) element.classList.add("painted");
    only.setAttribute("aria-label", text("only-this", { name: wanted.part ? `${text("person", { number: wanted.person })}, ${name}` : name }));
    only.title = text("only-this", { name });
    toggle.addEventListener("click", ({ detail }) => {
      this.pointed(null); // else what is hidden would stay in sight while pointed at
      if (detail === 2) this.visibility.isolate(wanted);
      else if (detail < 2) this.visibility.toggle(wanted);
    });
    only.addEventListener("click", () => this.visibility.isolate(wanted));
    line.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && this.pointed(wanted));
    line.addEventListener("pointerleave", () => this.pointed(null));
    this.rows.push({ line, toggle, only, wanted });
  }
}

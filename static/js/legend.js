/**
 * The list of people and their parts beside the picture, made from the templates of _legend.html;
 * every row is a button that picks its part out of the picture.
 */

const copy = (id) => document.getElementById(id).content.cloneNode(true);
const percent = (share) => (share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`);

/** Names of the classes as people write them: id -> name. */
export function readPartNames() {
  const names = document.getElementById("part-names").content.querySelectorAll("[data-part]");
  return new Map([...names].map((element) => [Number(element.dataset.part), element.textContent]));
}

export class Legend {
  /** `onPick(picked, {passing})`: {person, part} or null, chosen or only pointed at. */
  constructor(root, partNames, onPick) {
    this.root = root;
    this.partNames = partNames;
    this.onPick = onPick;
  }

  /** List the people of an answer of the API. */
  show({ people, image }) {
    const frame = copy("legend-frame");
    const [columns, ...rest] = frame.children;
    const cards = people.map((person) => this.#makePerson(person, image.width * image.height));
    this.root.replaceChildren(columns, ...cards, ...rest);
  }

  /** Mark the row of `picked` as pressed, all others as not. */
  mark(picked) {
    for (const button of this.root.querySelectorAll("button")) {
      const { person, part } = button.dataset;
      const pressed = picked?.person === Number(person) && (picked.part ?? 0) === Number(part);
      button.setAttribute("aria-pressed", pressed);
      if (pressed) this.#reveal(button);
    }
  }

  /** Scroll the list, but never the page, to `button`. */
  #reveal(button) {
    const list = this.root.getBoundingClientRect();
    const row = button.getBoundingClientRect();
    if (row.top < list.top || row.bottom > list.bottom) this.root.scrollTop += row.top - list.top - list.height / 3;
  }

  #makePerson(person, pixels) {
    const card = copy("legend-person");
    card.querySelector("[data-number]").textContent = person.id;
    fill(card, `person-${person.id}`, person.area / pixels, person.score);
    this.#connect(card.querySelector("button"), { person: person.id, part: null });
    const parts = [...person.parts].sort((one, other) => other.area - one.area);
    const rows = parts.map((part) => this.#makePart(part, person));
    card.querySelector("ul").append(...rows);
    return card;
  }

  #makePart(part, person) {
    const row = copy("legend-part");
    const share = part.area / person.area;
    row.querySelector("[data-name]").textContent = this.partNames.get(part.id) ?? part.name;
    const bar = row.querySelector("[data-bar]");
    bar.classList.add(`part-${part.id}`);
    bar.setAttribute("width", share * 100);
    fill(row, `part-${part.id}`, share, part.score);
    this.#connect(row.querySelector("button"), { person: person.id, part: part.id });
    return row;
  }

  #connect(button, picked) {
    button.dataset.person = picked.person;
    button.dataset.part = picked.part ?? 0;
    button.addEventListener("click", () => {
      this.onPick(button.getAttribute("aria-pressed") === "true" ? null : picked, { passing: false });
    });
    button.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") this.onPick(picked, { passing: true });
    });
    button.addEventListener("pointerleave", () => this.onPick(null, { passing: true }));
  }
}

function fill(row, colour, share, score) {
  row.querySelector("[data-swatch]").classList.add(colour);
  row.querySelector("[data-share]").textContent = percent(share);
  row.querySelector("[data-score]").textContent = score.toFixed(2);
}

/**
 * Label map and people map as one: every pixel the number of its pair of person and part, 0 for
 * nobody. What a pair looks like then is one look into a small table. A map is {width, height,
 * ids}, as png.js reads it.
 */

const CLASSES = 32; // at least as many as there are classes

export class Pairs {
  /**
   * `answer` lists the people and parts, in the order of `list`. With more than `limit` pixels,
   * every n-th of every n-th row is taken.
   */
  constructor({ labels, people }, answer, limit) {
    this.step = Math.max(1, Math.ceil(Math.sqrt((labels.width * labels.height) / limit)));
    this.width = Math.ceil(labels.width / this.step);
    this.height = Math.ceil(labels.height / this.step);
    this.list = [null, ...listPairs(answer)];
    this.ids = this.#join(labels, people);
  }

  /** The pair at a place, x and y from 0 to 1, or null. */
  at(x, y) {
    const column = Math.floor(x * this.width);
    const row = Math.floor(y * this.height);
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return null;
    return this.list[this.ids[row * this.width + column]];
  }

  /** {x0, y0, x1, y1} around those numbers of pairs, in our pixels; null around none. */
  around(numbers) {
    const boxes = numbers.map((number) => this.list[number].box);
    if (!boxes.length) return null;
    const [x0, y0] = [0, 1].map((i) => Math.floor(Math.min(...boxes.map((box) => box[i])) / this.step));
    const [x1, y1] = [2, 3].map((i) => Math.ceil(Math.max(...boxes.map((box) => box[i])) / this.step));
    return { x0, y0, x1: Math.min(x1, this.width), y1: Math.min(y1, this.height) };
  }

  #join(labels, people) {
    const numbers = new Uint16Array(256 * CLASSES);
    for (let number = 1; number < this.list.length; number++) {
      const { person, part } = this.list[number];
      numbers[person * CLASSES + part] = number;
    }
    const ids = new Uint16Array(this.width * this.height);
    for (let y = 0, to = 0; y < this.height; y++) {
      let from = y * this.step * labels.width;
      for (let x = 0; x < this.width; x++, from += this.step, to++) {
        ids[to] = numbers[people.ids[from] * CLASSES + labels.ids[from]];
      }
    }
    return ids;
  }
}

/** Every {person, part, box, share} of an answer; share: of the person's area. */
function listPairs({ people }) {
  return people.flatMap((person) =>
    person.parts.map((part) => ({ person: person.id, part: part.id, box: part.box, share: part.area / person.area })),
  );
}

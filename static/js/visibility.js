/** Which pairs of person and part are shown. A {person, part} with part null means the whole person, with person null that part of everybody. */

const key = ({ person, part }) => `${person}/${part}`;

export class Visibility {
  /** `changed()` is called after every change. */
  constructor(changed) {
    this.changed = changed;
    this.load([]);
  }

  /** Begin anew with `pairs`, a list of {person, part}: all are shown. */
  load(pairs) {
    this.pairs = pairs;
    this.hidden = new Set();
  }

  shows(pair) {
    return !this.hidden.has(key(pair));
  }

  /** Is any of what `wanted` means shown? */
  showsAny(wanted) {
    return this.#meant(wanted).some((pair) => this.shows(pair));
  }

  /** Hide `wanted` if any of it is shown, else show it. */
  toggle(wanted) {
    const hide = this.showsAny(wanted);
    for (const pair of this.#meant(wanted)) this.hidden[hide ? "add" : "delete"](key(pair));
    this.changed();
  }

  /** Show `wanted` alone; everything, if it was alone already. */
  isolate(wanted) {
    const others = this.isAlone(wanted) ? [] : this.pairs.filter((pair) => !fits(pair, wanted));
    this.hidden = new Set(others.map(key));
    this.changed();
  }

  showAll() {
    this.hidden.clear();
    this.changed();
  }

  isAlone(wanted) {
    return this.hidden.size > 0 && this.pairs.every((pair) => this.shows(pair) === fits(pair, wanted));
  }

  get hidesSome() {
    return this.hidden.size > 0;
  }

  #meant(wanted) {
    return this.pairs.filter((pair) => fits(pair, wanted));
  }
}

/** Is `pair` what `wanted` means, or part of it? */
export function fits(pair, wanted) {
  return (!wanted.person || wanted.person === pair.person) && (!wanted.part || wanted.part === pair.part);
}

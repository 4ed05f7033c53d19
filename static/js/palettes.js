/** The colours of parts and of people in each palette, and tables of them for painting. */

/** People's colours in the palettes that are not the server's: Okabe and Ito's seven; greys that alternate. */
const PEOPLE = {
  safe: [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]],
  monochrome: [[235, 235, 235], [90, 90, 90], [175, 175, 175], [125, 125, 125], [205, 205, 205], [65, 65, 65], [150, 150, 150]],
};

export class Palettes {
  /** `parts`: {name: [r, g, b, r, g, b, ...]} by class id; `people`: the same of the standard one, by number. */
  constructor(parts, people) {
    this.parts = parts;
    this.people = people;
  }

  /** [r, g, b] of a {person, part} in palette `look`, by "parts" or "people"; part null: the person's. */
  colour({ look, by }, { person, part }) {
    if (by === "parts" && part) return this.parts[look].slice(3 * part, 3 * part + 3);
    const own = PEOPLE[look];
    return own ? own[(person - 1) % own.length] : [...this.people.slice(3 * person, 3 * person + 3)];
  }
}

/** The 32-bit value of a canvas's pixel (bytes red, green, blue, alpha). */
export function pixel([red, green, blue], alpha) {
  return new Uint32Array(new Uint8Array([red, green, blue, alpha]).buffer)[0];
}

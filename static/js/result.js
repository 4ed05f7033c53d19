/**
 * A result on the page: viewer, legend, choice and downloads working as one. Used for a fresh
 * answer (main.js) and for a kept one (kept.js).
 */

import { Downloads } from "./downloads.js";
import { Legend, readPartNames } from "./legend.js";
import { Problem, text } from "./messages.js";
import { readPalettePng } from "./png.js";
import { Services } from "./services.js";
import { ShowField } from "./show.js";
import { Viewer } from "./viewer.js";
import { Visibility } from "./visibility.js";

const find = (id) => document.getElementById(id);

export class Result {
  /** `forgotten()`: the result is removed from the server. */
  constructor({ forgotten }) {
    const partNames = readPartNames();
    this.section = find("result");
    this.pinned = null;
    this.visibility = new Visibility(() => this.#mark());
    const { visibility } = this;
    this.viewer = new Viewer(find("viewer"), {
      partNames,
      visibility,
      act: (name, pair) => this.#act(name, pair),
      restyled: () => this.#restyle(),
    });
    this.legend = new Legend(find("legend"), {
      partNames,
      visibility,
      pointed: (wanted) => this.viewer.pick(wanted && visibility.showsAny(wanted) ? wanted : null, { passing: true }),
    });
    this.field = new ShowField({ partNames, visibility });
    this.downloads = new Downloads(this.viewer, forgotten);
    this.services = new Services(partNames);
    find("viewer").addEventListener("input", () => this.downloads.restyle());
  }

  /** Show an answer of /api/results with its photo and maps, as `fetchResult` gives them; returns the headline. */
  show({ answer, photo, maps }, name) {
    this.pinned = null;
    this.section.hidden = false; // first, so that the picture has its size
    this.visibility.load(answer.people.flatMap(({ id, parts }) => parts.map((part) => ({ person: id, part: part.id }))));
    this.viewer.show(photo, maps, answer);
    this.legend.show(answer);
    this.field.show(answer);
    this.downloads.show(answer, name);
    this.services.show(answer);
    this.#restyle();
    this.#mark();
    const headline = writeHeadline(answer);
    find("headline").textContent = headline;
    find("facts").textContent = text("facts", {
      width: answer.image.width,
      height: answer.image.height,
      parser: answer.parser.name,
      version: answer.parser.version,
      seconds: (answer.timing_ms.total / 1000).toFixed(2),
    });
    find("nobody").hidden = answer.num_persons > 0;
    find("legend").hidden = answer.num_persons === 0;
    return headline;
  }

  hide() {
    this.section.hidden = true;
    this.services.hide();
  }

  /** Let go of what is picked out; returns whether anything was. */
  unpick() {
    const had = this.pinned !== null;
    if (had) this.#pick(null);
    return had;
  }

  #act(name, pair) {
    if (name === "all") this.visibility.showAll();
    else if (name === "pick") this.#pick(pair && this.visibility.shows(pair) ? pair : null);
    else if (pair && name === "hide") this.visibility.toggle(pair);
    else if (pair) {
      this.pinned = null;
      this.viewer.pick(null);
      this.visibility.isolate(pair);
    }
  }

  #pick(pair) {
    const same = pair && this.pinned?.person === pair.person && this.pinned?.part === pair.part;
    this.pinned = same ? null : pair && { person: pair.person, part: pair.part };
    this.viewer.pick(this.pinned);
    this.legend.mark(this.pinned);
  }

  #mark() {
    if (this.pinned && !this.visibility.showsAny(this.pinned)) [this.pinned, this.viewer.pinned] = [null, null];
    this.viewer.paint();
    this.legend.mark(this.pinned);
    this.field.mark();
    this.downloads.offer(this.visibility.showsAny({ person: null, part: null }));
  }

  #restyle() {
    const { palettes, style } = this.viewer;
    this.legend.paint((wanted) => palettes.colour(style, wanted));
    this.downloads.restyle();
  }
}

/** Photo and maps of a kept answer, decoded: {answer, photo, maps}. Throws a Problem where the server has them no more. */
export async function fetchResult(answer) {
  const map = (file) => fetchBytes(answer.files[file]).then(readPalettePng);
  const photo = new Image();
  photo.src = answer.files["photo.jpg"]; // on its way while the maps are
  const [labels, people] = await Promise.all([map("labels.png"), map("people.png")]);
  await photo.decode();
  return { answer, photo, maps: { labels, people } };
}

async function fetchBytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw Problem.of(answer.status, await answer.json().catch(() => null));
  return new Uint8Array(await answer.arrayBuffer());
}

function writeHeadline({ num_persons: people, parts_detected: parts }) {
  const values = { people, parts: parts.length };
  return text(`headline-${people}`, values) ?? text("headline", values);
}

/**
 * Reading the picture: a mouse that points, a click, arrow keys that move a crosshair. Tells what
 * is there; what comes of it is the viewer's business.
 */

const STRIDE = 1 / 50; // of the longer side, for one press of an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pointing {
  /**
   * `picture`: the element; `zoom`: a Zoom of it; `size()`: {width, height} of the photo in pixels;
   * `read(place | null, {byKey})`: pointed at; `act(name, place)`: "pick", "isolate" or "hide"
   * there, or "all".
   */
  constructor({ picture, crosshair, zoom, size, read, act }) {
    Object.assign(this, { picture, crosshair, zoom, size, read, act, at: null });
    picture.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !zoom.pointers.size) this.#point(zoom.place(event));
    });
    picture.addEventListener("pointerleave", () => this.#point(null));
    picture.addEventListener("click", (event) => {
      if (zoom.dragged) return; // the end of a drag
      const place = zoom.place(event);
      this.#point(place);
      act("pick", place);
    });
    picture.addEventListener("dblclick", (event) => act("isolate", zoom.place(event)));
    picture.addEventListener("keydown", (event) => this.#press(event));
    picture.addEventListener("blur", () => this.reset());
  }

  /** Put the crosshair away. */
  reset() {
    this.at = null;
    this.crosshair.hidden = true;
    this.read(null, { byKey: false });
  }

  #point(place) {
    this.crosshair.hidden = true;
    this.at = place;
    this.read(place, { byKey: false });
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const deeds = {
      "+": () => this.zoom.by(1.5, this.#spot()),
      "=": () => this.zoom.by(1.5, this.#spot()),
      "-": () => this.zoom.by(1 / 1.5, this.#spot()),
      0: () => this.zoom.fit(),
      Enter: () => this.at && this.act("pick", this.at),
      " ": () => this.at && this.act("pick", this.at),
      i: () => this.at && this.act("isolate", this.at),
      h: () => this.at && this.act("hide", this.at),
      a: () => this.act("all", null),
    };
    const deed = event.key in ARROWS ? () => this.#step(ARROWS[event.key], event.shiftKey) : deeds[event.key.toLowerCase()] ?? deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
    if (this.at && !this.crosshair.hidden) this.#mark();
  }

  /** The crosshair in the window, or undefined for the middle. */
  #spot() {
    if (!this.at) return undefined;
    const box = this.picture.getBoundingClientRect();
    const { left, top } = this.zoom.locate(this.at);
    return { x: box.left + left, y: box.top + top };
  }

  #step([dx, dy], fine) {
    const { width, height } = this.size();
    const stride = fine ? 1 : (Math.max(width, height) * STRIDE) / this.zoom.scale;
    const from = this.at ?? { x: 0.5, y: 0.5 };
    const within = (value) => Math.min(0.99999, Math.max(0, value));
    this.at = this.at ? { x: within(from.x + (dx * stride) / width), y: within(from.y + (dy * stride) / height) } : from;
    this.#mark();
    this.read(this.at, { byKey: true });
  }

  #mark() {
    const { left, top } = this.zoom.locate(this.at, { reveal: true });
    this.crosshair.hidden = false;
    this.crosshair.style.translate = `${left}px ${top}px`;
  }
}

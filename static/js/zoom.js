/**
 * Enlarges and moves what lies in a frame: wheel, two fingers, dragging, and calls for keys and
 * buttons. Places are given as shares of the photo, 0 to 1, or in pixels of the window.
 */

const LARGEST = 16;
const WHEEL = 0.0018; // of a zoom's logarithm, per pixel of the wheel
const PINCH = 0.012; // the same for a touchpad's pinch, which browsers tell as a wheel with Ctrl
const DRAG_PIXELS = 4; // a shorter way is a click

export class Zoom {
  /** `frame`: the element that clips; `layers`: those in it that are enlarged; `changed(scale)`. */
  constructor(frame, layers, changed) {
    Object.assign(this, { frame, layers, changed, scale: 1, x: 0, y: 0, dragged: false });
    this.pointers = new Map();
    frame.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.#press(event));
    frame.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.#release(event));
    new ResizeObserver(() => this.#apply()).observe(frame);
  }

  fit() {
    [this.scale, this.x, this.y] = [1, 0, 0];
    this.#apply();
  }

  /** Enlarge `factor` times around a point of the window, or the middle. */
  by(factor, point = this.#middle()) {
    const box = this.frame.getBoundingClientRect();
    const scale = Math.min(LARGEST, Math.max(1, this.scale * factor));
    const [px, py] = [point.x - box.left, point.y - box.top];
    this.x = px - ((px - this.x) * scale) / this.scale;
    this.y = py - ((py - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#apply();
  }

  /** The place under a point of the window, as shares of the photo. */
  place({ clientX, clientY }) {
    const box = this.frame.getBoundingClientRect();
    return {
      x: (clientX - box.left - this.x) / (box.width * this.scale),
      y: (clientY - box.top - this.y) / (box.height * this.scale),
    };
  }

  /** Where a place lies in the frame, in pixels; with `reveal` it is moved into sight first. */
  locate({ x, y }, { reveal = false } = {}) {
    const { width, height } = this.frame.getBoundingClientRect();
    if (reveal) {
      this.x += intoSight(x * width * this.scale + this.x, width);
      this.y += intoSight(y * height * this.scale + this.y, height);
      this.#apply();
    }
    return { left: x * width * this.scale + this.x, top: y * height * this.scale + this.y };
  }

  #middle() {
    const box = this.frame.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  }

  #apply() {
    const { width, height } = this.frame.getBoundingClientRect();
    this.x = Math.min(0, Math.max(width * (1 - this.scale), this.x));
    this.y = Math.min(0, Math.max(height * (1 - this.scale), this.y));
    for (const layer of this.layers) layer.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.frame.classList.toggle("zoomed", this.scale > 1);
    this.changed(this.scale);
  }

  #turn(event) {
    const isPinch = event.ctrlKey;
    if (!isPinch && event.deltaY > 0 && this.scale === 1) return; // nothing to make smaller: the page may scroll
    event.preventDefault();
    this.by(Math.exp(-event.deltaY * (isPinch ? PINCH : WHEEL)), { x: event.clientX, y: event.clientY });
  }

  #press(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 1) this.dragged = false;
    this.start = { x: event.clientX, y: event.clientY };
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (this.pointers.size === 2) {
      const other = [...this.pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const middle = { x: (event.clientX + other.clientX) / 2, y: (event.clientY + other.clientY) / 2 };
      this.dragged = true;
      this.#shift((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
      this.by(apart(event) / Math.max(1, apart(before)), middle);
    } else if (this.scale > 1) {
      const far = Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) > DRAG_PIXELS;
      if (far && !this.dragged) this.frame.setPointerCapture(event.pointerId);
      this.dragged ||= far;
      if (this.dragged) this.#shift(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    this.pointers.set(event.pointerId, event);
  }

  #shift(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#apply();
  }

  #release(event) {
    this.pointers.delete(event.pointerId);
  }
}

/** How far to move so that `at` lies in the middle four fifths of `length`. */
function intoSight(at, length) {
  const margin = length / 10;
  return Math.max(0, margin - at) + Math.min(0, length - margin - at);
}

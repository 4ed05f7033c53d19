/** The camera: a photo of what it sees, or its frames parsed one after the other, coloured, with their rate. */

import { Layer } from "./colours.js";
import { Problem, text } from "./messages.js";
import { Pairs } from "./pairs.js";
import { Palettes, pixel } from "./palettes.js";
import { fromBase64, readPalettePng } from "./png.js";

const FRAME_SIDE = 640; // longer side of a live frame, in pixels: what compact sees of it anyway
const OPTIONS = { parser: "compact", detail: "false", overlay: "none", include: "label_map,people_map" };
const OPACITY = 0.55;
const SMOOTHING = 0.2; // weight of the newest frame in the mean time of one

export class Camera {
  /** `take(files)`: a photo was taken; `failed(problem)`; `closed()`. */
  constructor(section, { frameUrl, take, failed, closed }) {
    Object.assign(this, { section, take, failed, closed, stream: null, isLive: false, isWanted: false });
    this.url = `${frameUrl}?${new URLSearchParams(OPTIONS)}`;
    this.video = section.querySelector("video");
    this.screen = section.querySelector(".live");
    this.rate = section.querySelector(".rate");
    this.palettes = new Palettes(JSON.parse(document.querySelector(".colours").dataset.palettes), []);
    this.button("still").addEventListener("click", () => this.#takeStill());
    this.button("live").addEventListener("click", () => (this.isLive ? this.#endLive() : this.#live()));
    this.button("close").addEventListener("click", () => this.close());
  }

  button(name) {
    return this.section.querySelector(`[data-camera=${name}]`);
  }

  async open() {
    this.isWanted = true;
    try {
      const wanted = { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: { ideal: "environment" } };
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
      if (!this.isWanted) return this.stop(); // closed while the browser asked its person
      this.section.hidden = false;
      this.video.srcObject = this.stream;
      await this.video.play();
      this.button("still").focus();
    } catch (error) {
      if (!this.isWanted) return;
      this.stop();
      this.failed(new Problem("camera", { detail: error.message }));
    }
  }

  close() {
    this.stop();
    this.closed();
  }

  /** Let go of the camera. */
  stop() {
    this.isWanted = false;
    this.#endLive();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.video.srcObject = null;
    this.section.hidden = true;
  }

  async #takeStill() {
    const photo = await toJpeg(this.#capture(Infinity), 0.92);
    this.stop();
    this.take([new File([photo], "camera.jpg", { type: photo.type })]);
  }

  async #live() {
    this.isLive = true;
    this.button("live").setAttribute("aria-pressed", "true");
    let spent = null;
    try {
      while (this.isLive) {
        const start = performance.now();
        const frame = this.#capture(FRAME_SIDE);
        const answer = await this.#parse(await toJpeg(frame, 0.85));
        if (!this.isLive) break;
        await this.#paint(frame, answer);
        const took = performance.now() - start;
        spent = spent === null ? took : spent + SMOOTHING * (took - spent);
        this.rate.hidden = false;
        const values = { rate: (1000 / spent).toFixed(1), people: answer.num_persons };
        this.rate.textContent = answer.num_persons === 1 ? text("rate-1", values) : text("rate", values);
      }
    } catch (error) {
      if (!(error instanceof Problem)) console.error(error);
      this.stop();
      this.failed(error instanceof Problem ? error : new Problem("unexpected"));
    }
  }

  #endLive() {
    this.isLive = false;
    this.button("live").setAttribute("aria-pressed", "false");
    this.screen.hidden = this.rate.hidden = true;
  }

  async #parse(photo) {
    const request = { method: "POST", body: photo, headers: { Accept: "application/json" } };
    const response = await fetch(this.url, request).catch(() => {
      throw new Problem("network");
    });
    const body = await response.json().catch(() => null);
    if (!response.ok) throw Problem.of(response.status, body);
    return body;
  }

  async #paint(frame, answer) {
    const [labels, people] = await Promise.all([answer.label_map, answer.people_map].map((map) => readPalettePng(fromBase64(map))));
    const pairs = new Pairs({ labels, people }, answer, Infinity);
    const layer = new Layer(document.createElement("canvas"));
    layer.load(pairs);
    const style = { look: "humanparse", by: "parts" };
    layer.paint(Uint32Array.from(pairs.list, (pair) => (pair ? pixel(this.palettes.colour(style, pair), 255) : 0)));
    [this.screen.width, this.screen.height] = [frame.width, frame.height];
    const context = this.screen.getContext("2d");
    context.drawImage(frame, 0, 0);
    context.globalAlpha = OPACITY;
    context.drawImage(layer.canvas, 0, 0);
    this.screen.hidden = false;
  }

  /** What the camera sees now, on a canvas whose longer side is at most `side`. */
  #capture(side) {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}

function toJpeg(canvas, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

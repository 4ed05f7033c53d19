/** The photos of this visit, parsed one after the other in their order. */

export class Queue {
  /**
   * `send(item)`: begins, returns {answer, abort}; `changed(item)`: its state or stage is another.
   * An item is {number, file, state, stage, answer, problem}; its state "waiting", "working", "done" or
   * "failed".
   */
  constructor({ send, changed }) {
    Object.assign(this, { send, changed, items: [], running: null, count: 0 });
  }

  /** Take files in; returns their items. `problem(file)`: one that needs no server to see, or null. */
  add(files, problem) {
    const added = files.map((file) => {
      const refusal = problem(file);
      return { number: ++this.count, file, state: refusal ? "failed" : "waiting", problem: refusal, answer: null };
    });
    this.items.push(...added);
    this.#next();
    return added;
  }

  /** Parse a failed one again. */
  retry(item) {
    Object.assign(item, { state: "waiting", problem: null });
    this.#next();
  }

  /** Take an item out, whatever it is doing. */
  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    if (this.running?.item === item) {
      this.running.request.abort();
      this.running = null;
    }
    this.#next();
  }

  /** {done, failed, total}, and `share`: of all of it, 0 to 1. */
  get progress() {
    const count = (state) => this.items.filter((item) => item.state === state).length;
    const [done, failed, total] = [count("done"), count("failed"), this.items.length];
    const sent = this.running?.item.stage?.share ?? (this.running ? 1 : 0);
    return { done, failed, total, share: (done + failed + (this.running ? sent / 2 : 0)) / Math.max(1, total) };
  }

  async #next() {
    const item = !this.running && this.items.find(({ state }) => state === "waiting");
    if (!item) return;
    Object.assign(item, { state: "working", stage: { name: "sending", share: 0 } });
    const run = { item, request: this.send(item) };
    this.running = run;
    this.changed(item);
    try {
      item.answer = await run.request.answer;
      item.state = "done";
    } catch (problem) {
      Object.assign(item, { state: "failed", problem });
    }
    if (this.running === run) this.running = null;
    this.changed(item);
    this.#next();
  }
}

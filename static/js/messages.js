/**
 * What the page says: its texts (from <template id="texts">), the error box, the line that screen
 * readers hear. Knows nothing of requests or results.
 */

const texts = document.getElementById("texts").content;

/** The text called `name`, with {word} replaced by values.word. Undefined if there is none. */
export function text(name, values = {}) {
  const found = texts.querySelector(`[data-text="${name}"]`);
  return found?.textContent.replace(/\{(\w+)\}/g, (_, word) => values[word] ?? "");
}

/**
 * A failure in words for people: `title-CODE` and `advice-CODE` of the texts, filled with `values`.
 * `detail`: what the server says besides; `again`: whether the same photo may work later.
 */
export class Problem extends Error {
  constructor(code, { values = {}, detail = "", again = false } = {}) {
    super(text(`title-${code}`, values) ?? code);
    this.advice = text(`advice-${code}`, values) ?? "";
    this.detail = detail;
    this.again = again;
  }

  /** What was thrown; what is no Problem is ours to mend: the page says so, and the trace is kept. */
  static from(error) {
    if (error instanceof Problem) return error;
    console.error(error);
    return new Problem("unexpected");
  }

  /** Of a problem+json body, or of a bare status where a proxy answered. */
  static of(status, body) {
    const values = { retry_after_s: body?.retry_after_s ?? 5 };
    const byStatus = { 413: "too_many_bytes", 415: "unsupported_format", 422: "invalid_option", 503: "busy" };
    const known = body?.code && text(`title-${body.code}`) ? body.code : byStatus[status];
    const code = known ?? (status >= 500 ? "5" : "4");
    return new Problem(code, { values, detail: body?.detail ?? `HTTP ${status}`, again: status >= 500 });
  }
}

/** Say `message` to screen readers, without moving anything. */
export function announce(message) {
  document.getElementById("status").textContent = message;
}

/** Show `problem` and put the focus on it, so that the next Tab leads to what can be done. */
export function showProblem(problem) {
  const box = document.getElementById("message");
  box.querySelector(".title").textContent = problem.message;
  box.querySelector(".advice").textContent = problem.advice;
  box.querySelector(".detail").textContent = problem.detail;
  box.querySelector(".more").hidden = !problem.detail;
  document.getElementById("retry").hidden = !problem.again;
  box.hidden = false;
  box.focus();
}

export function clearMessage() {
  const box = document.getElementById("message");
  if (box) box.hidden = true;
}

/** `share` as a percentage, as the server writes it. */
export const percent = (share) => (share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`);

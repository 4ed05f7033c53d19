/**
 * One photo to POST /api/parse and its answer, or a Problem. XMLHttpRequest, because fetch does not
 * tell how much has been sent.
 */

import { Problem, text } from "./messages.js";

/**
 * Send `file` with `fields`; returns {answer, abort}. `answer` is a promise of the JSON answer; it
 * rejects with a Problem, and after `abort()` never settles. `onProgress` gets the share sent, 0 to
 * 1; `onSent` is called when all of it has been.
 */
export function send(url, file, fields, { onProgress, onSent }) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.upload.addEventListener("load", onSent);
    request.addEventListener("error", () => reject(new Problem(text("network"), { again: true })));
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response) resolve(request.response);
      else reject(explain(request));
    });
  });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("image", file, "photo"); // what the file is called stays with its owner
  request.open("POST", url);
  request.responseType = "json"; // null where the answer is not JSON, as from a proxy
  request.send(form);
  return { answer, abort: () => request.abort() };
}

/** The Problem that a refused request tells of: the server's words if it has any, else ours. */
function explain(request) {
  const { status, response } = request;
  const values = { status, detail: response?.detail ?? "", seconds: request.getResponseHeader("Retry-After") };
  const words =
    (status === 503 && values.detail && values.seconds && text("busy", values)) ||
    values.detail ||
    text(`status-${status}`, values) ||
    text("status", values);
  return new Problem(words, { again: status >= 500 });
}

/**
 * One photo to POST /api/results and its answer, or a Problem. XMLHttpRequest, because fetch does
 * not tell how much has been sent.
 */

import { Problem } from "./messages.js";

/**
 * Send `file` with `fields`; returns {answer, abort}. `answer` is a promise of the kept result's
 * JSON; it rejects with a Problem, and after `abort()` never settles. `onStage({name, share,
 * before})` hears how it goes: "sending" with the share sent, "sent", "waiting" with how many
 * photos are before this one, "parsing".
 */
export function send(url, file, fields, onStage) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    let read = 0; // of the lines that have come
    const listen = () => {
      const lines = request.responseText.slice(read).split("\n").slice(0, -1);
      for (const line of lines) {
        read += line.length + 1;
        if (!line) continue; // a sign of life
        const told = JSON.parse(line);
        if (told.step === "done") resolve(told.result);
        else if (told.step === "failed") reject(Problem.of(told.problem.status, told.problem));
        else onStage({ name: told.step, before: told.before });
      }
    };
    request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) onStage({ name: "sending", share: loaded / total });
    });
    request.upload.addEventListener("load", () => onStage({ name: "sent" }));
    request.addEventListener("error", () => reject(new Problem("network", { again: true })));
    request.addEventListener("progress", () => request.status === 200 && listen());
    request.addEventListener("load", () => {
      if (request.status !== 200) return reject(Problem.of(request.status, parse(request.responseText)));
      listen();
      reject(new Problem("network", { again: true })); // does nothing where an answer has come
    });
  });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("image", file, "photo"); // what the file is called stays with its owner
  request.open("POST", url);
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.send(form);
  return { answer, abort: () => request.abort() };
}

/** The JSON of a refusal, or null where it is none, as from a proxy. */
function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

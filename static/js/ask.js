/** One request to the API that is answered as JSON. */

import { Problem } from "./messages.js";

/** The JSON that `url` answers to the form `body`. Throws a Problem. */
export async function ask(url, body) {
  const offline = () => Promise.reject(new Problem("network", { again: true }));
  const response = await fetch(url, { method: "POST", headers: { Accept: "application/json" }, body }).catch(offline);
  if (response.ok) return response.json().catch(offline);
  throw Problem.of(response.status, await response.json().catch(() => null));
}

/** A form's fields that have a value, but for its photo, as FormData; `oil.size` is the API's `size`. */
export function gather(form) {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) if (name !== "image" && value !== "") body.append(name.split(".").at(-1), value);
  return body;
}

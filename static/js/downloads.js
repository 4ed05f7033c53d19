/** The ways out of a result: pictures made here, files of its address, the command that does the same, the link. */

import { announce, text } from "./messages.js";

const LONGEST_MS = 2 ** 31 - 1; // that browsers can wait

const find = (id) => document.getElementById(id);

export class Downloads {
  /** `viewer` makes the pictures; `forgotten()` is called once the server has removed the result. */
  constructor(viewer, forgotten) {
    this.viewer = viewer;
    this.answer = null;
    find("save-overlay").addEventListener("click", async () => save(await viewer.compose(), "overlay.png"));
    find("save-cutout").addEventListener("click", async () => save(await viewer.cutOut(), "cutout.png"));
    find("copy-curl").addEventListener("click", ({ currentTarget }) => copyText(find("curl").textContent, currentTarget));
    find("copy-link").addEventListener("click", ({ currentTarget }) =>
      copyText(new URL(this.answer.address, location).href, currentTarget),
    );
    find("forget").addEventListener("click", async () => {
      const gone = await fetch(`/api/results/${this.answer.id}`, { method: "DELETE" }); // gone already is as good
      await gone.text(); // to its end: a page that is left before would break the request off
      forgotten();
    });
  }

  /** Lead to the files of `answer`; `name`: what the photo is called where it came from. */
  show(answer, name) {
    this.answer = answer;
    this.name = name;
    for (const link of document.querySelectorAll("a[data-file]")) {
      link.href = `${answer.files[link.dataset.file]}?download=1`;
      link.download = link.dataset.file;
    }
    const when = new Date(answer.expires_at);
    const time = when.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    find("kept-words").textContent = text("kept", { time });
    this.#tellKept(true);
    clearTimeout(this.end);
    this.end = setTimeout(() => this.#tellKept(false), Math.min(when - Date.now(), LONGEST_MS));
    this.restyle();
  }

  /** A cut-out is made of what is shown; `something`: is anything? */
  offer(something) {
    find("save-cutout").disabled = !something;
  }

  /** Once the server has removed the result, what it gave goes; what is made here stays. */
  #tellKept(isKept) {
    if (!isKept) find("kept-words").textContent = text("expired");
    for (const element of [...document.querySelectorAll("a[data-file]"), find("copy-link"), find("forget")]) element.hidden = !isKept;
  }

  /** Write the command that makes the picture as it looks now. */
  restyle() {
    if (!this.answer) return;
    const { viewer } = this;
    const options = { parser: this.answer.parser.name, alpha: viewer.alpha, palette: viewer.style.look, outline: viewer.outlined };
    const url = `${location.origin}/api/parse?${new URLSearchParams(options)}`;
    const { key } = find("curl").dataset; // what stands for it, where the service asks for one
    const header = key ? `-H ${quote(`X-API-Key: ${key}`)} ` : "";
    find("curl").textContent = `curl ${header}-F ${quote(`image=@"${this.name.replace(/[\\"]/g, "\\$&")}"`)} ${quote(url)}`;
  }
}

/** `words` as one word of a shell. */
function quote(words) {
  return `'${words.replaceAll("'", "'\\''")}'`;
}

/** Copy, and say so on the button for a moment. */
async function copyText(words, button) {
  if (navigator.clipboard) await navigator.clipboard.writeText(words);
  else copyBySelection(words); // without https there is no clipboard but this
  const before = button.dataset.words ?? button.textContent;
  button.dataset.words = before;
  button.textContent = text("copied");
  announce(text("copied"));
  setTimeout(() => (button.textContent = before), 2000);
}

function copyBySelection(words) {
  const field = document.createElement("textarea");
  field.value = words;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** Let the browser save `blob` under our own name for it. */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser may still be reading it
}

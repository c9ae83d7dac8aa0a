// The sheet on which a release is pasted or dropped, and what is asked of its brief.

import { Failure, ask } from "./api.js";
import { $, announce, counted } from "./dom.js";
import { readGlossary } from "./glossary.js";

const MAX_NAME = 200; // of a release, by which its files are named

/** The form; `send` gets a request and the release's name, `fail` a Failure and what to try again. */
export class Compose {
  #name = "";
  #settings = { maxDocumentBytes: 0, documentTypes: [] };
  #reading = null;

  constructor({ send, fail }) {
    this.form = $("compose");
    this.text = $("release-text");
    this.title = $("release-title");
    this.fail = fail;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
    $("glossary").addEventListener("keydown", tabs);
    this.text.addEventListener("input", () => this.#changed());
    $("glossary").addEventListener("input", () => this.#glossary());
    $("open").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => {
      const [file] = $("file").files;
      $("file").value = "";
      if (file) this.read(file);
    });
    this.#changed();
  }

  /** Take up what the service says of documents. */
  configure(settings) {
    this.#settings = settings;
    $("file").accept = settings.documentTypes.join(",");
    $("keeping").textContent = settings.keeps ? "Nothing is kept unless you say so" : "Nothing is kept";
  }

  /** Empty the sheet; the choices stay. */
  clear() {
    this.text.value = this.title.value = this.#name = "";
    this.#changed();
  }

  focus() {
    this.text.focus();
  }

  get isEmpty() {
    return !this.text.value.trim() && !this.title.value.trim();
  }

  /** Have a file read into the sheet. */
  async read(file) {
    this.#reading?.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    $("from").textContent = `Reading ${file.name} …`;
    this.form.setAttribute("aria-busy", "true");
    try {
      this.#take(await this.#extracted(file, signal));
    } catch (error) {
      if (error.name === "AbortError") return; // another file came
      this.#changed();
      this.fail(error, error.retry ? () => this.read(file) : null);
    } finally {
      if (this.#reading.signal === signal) this.form.removeAttribute("aria-busy");
    }
  }

  async #extracted(file, signal) {
    const most = this.#settings.maxDocumentBytes;
    if (most && file.size > most) {
      const limit = `${Math.floor(most / 2 ** 20).toLocaleString("en")} MiB`;
      throw new Failure("The file is too long", [`The limit is ${limit}.`], { retry: false });
    }
    const answer = await ask("/page/documents", {
      method: "POST",
      headers: {
        "content-type": file.type || "application/octet-stream",
        "x-document-name": encodeURIComponent(file.name),
      },
      body: file,
      signal,
    });
    return answer.json();
  }

  #take({ text, title, name }) {
    this.text.value = text;
    this.title.value = title;
    this.#name = name;
    this.#changed();
    this.text.setSelectionRange(0, 0);
    this.text.scrollTop = 0;
    this.focus();
    announce(`${name} was read: ${counted(this.text.value.length, "character")}`);
  }

  #submit(send) {
    const glossary = this.#glossary();
    if (!glossary) {
      $("terms").open = true;
      $("glossary").focus();
      return;
    }
    if (!this.text.value.trim()) {
      this.fail(
        new Failure("There is no release yet", ["Paste its text, or drop its file."], { retry: false }),
        null,
      );
      this.focus();
      return;
    }
    send(this.#request(glossary), (this.#name || this.title.value.trim()).slice(0, MAX_NAME));
  }

  #request(glossary) {
    return {
      release: {
        text: this.text.value,
        title: this.title.value.trim(),
        language: $("language").value,
        contentFormat: "CONTENT_FORMAT_PLAIN",
      },
      options: {
        sentenceCount: $("sentences").valueAsNumber || 0, // the service says what is allowed
        glossary,
        priority: "PRIORITY_INTERACTIVE",
        allowIncomplete: true,
      },
    };
  }

  #glossary() {
    const error = $("glossary-error");
    try {
      const terms = readGlossary($("glossary").value);
      error.textContent = "";
      $("glossary").removeAttribute("aria-invalid");
      $("terms-tally").textContent = terms.length ? counted(terms.length, "term") : "";
      return terms;
    } catch (wrong) {
      error.textContent = wrong.message;
      $("glossary").setAttribute("aria-invalid", "true");
      $("terms-tally").textContent = "";
      return null;
    }
  }

  #changed() {
    if (!this.text.value) this.#name = "";
    const characters = Array.from(this.text.value).length;
    $("count").textContent = characters ? counted(characters, "character") : "";
    $("from").textContent = this.#name ? `From ${this.#name}` : "";
  }
}

/** Let Tab write a tab where the glossary has to have one: behind a term without any. */
function tabs(event) {
  const box = event.target;
  const line = box.value.slice(0, box.selectionStart).split("\n").at(-1);
  if (event.key !== "Tab" || event.shiftKey || !line.trim() || line.includes("\t")) return;
  event.preventDefault();
  box.setRangeText("\t", box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Take files that are dropped anywhere; `take` gets the file, `fail` a Failure. */
export function acceptDrops(take, fail) {
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // of the elements that the pointer has entered
  const over = (by) => {
    depth = Math.max(0, depth + by);
    document.body.toggleAttribute("data-dragging", depth > 0);
  };
  document.addEventListener("dragenter", (event) => carries(event) && over(1));
  document.addEventListener("dragleave", (event) => carries(event) && over(-1));
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    over(-depth);
    const { files } = event.dataTransfer;
    if (files.length === 1) take(files[0]);
    else
      fail(
        new Failure("One file at a time", ["Each release has a brief of its own."], { retry: false }),
        null,
      );
  });
}

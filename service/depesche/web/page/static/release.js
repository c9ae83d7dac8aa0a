// The release: each paragraph's English beside its original, as the sentences come.

import { $, h } from "./dom.js";
import { list, marked, unplaced } from "./findings.js";

const HEADINGS = new Set(["BLOCK_KIND_TITLE", "BLOCK_KIND_HEADING"]);

/** Shows sentences of a release in their places. */
export class ReleaseView {
  #blocks = new Map(); // number → its row
  #shown = new Set(); // indices

  constructor(language) {
    this.language = language;
    this.rows = $("rows");
    this.rows.replaceChildren();
  }

  /** Show a TranslatedSentence, if it isn't there yet. */
  add(sentence) {
    if (this.#shown.has(sentence.index)) return;
    this.#shown.add(sentence.index);
    const { english, original, notes } = this.#row(sentence);
    const { index, text, findings, normalisedSource } = sentence;
    insert(
      english,
      span("t", index, text ? marked(text, findings) : [h("i", null, "Not translated")], {
        class: unplaced(text, findings) ? "sentence doubted" : "sentence",
        "data-side": "translation",
        "aria-describedby": findings.length ? `o-${index} n-${index}` : `o-${index}`,
      }),
    );
    insert(
      original,
      span("o", index, marked(normalisedSource, findings, "sourceSpan"), {
        class: "sentence",
        "data-side": "original",
        "aria-describedby": `t-${index}`,
      }),
    );
    const found = list(findings, { id: `n-${index}`, "data-index": index });
    if (found) {
      found.prepend(h("li", { class: "of" }, `Sentence ${index + 1}`));
      insert(notes, found);
    }
  }

  #row({ block, blockKind }) {
    if (!this.#blocks.has(block)) {
      const row = made(block, blockKind, this.language);
      const after = [...this.rows.children].find((each) => Number(each.dataset.index) > block);
      this.rows.insertBefore(row.element, after ?? null);
      this.#blocks.set(block, row);
    }
    return this.#blocks.get(block);
  }
}

function made(block, blockKind, language) {
  const kind = blockKind.replace("BLOCK_KIND_", "").toLowerCase().replace("_", "-");
  const english = h(HEADINGS.has(blockKind) ? "h3" : "p", { class: "text" });
  const original = h("p", { class: "text" });
  const notes = h("div", { class: "notes" });
  const element = h(
    "div",
    { class: `row ${kind}`, "data-index": block },
    h("div", { class: "english", lang: "en" }, english, notes),
    h("div", { class: "original", lang: language }, original),
  );
  return { element, english, original, notes };
}

function span(prefix, index, content, attributes) {
  const number = h("span", { class: "number", "aria-hidden": "true" }, index + 1);
  return h(
    "span",
    {
      id: `${prefix}-${index}`,
      role: "button",
      tabindex: -1,
      "aria-pressed": "false",
      "data-index": index,
      ...attributes,
    },
    number,
    content,
  );
}

/** Put an element among its parent's by its index, with a space between sentences. */
function insert(parent, element) {
  const after = [...parent.children].find(
    (each) => Number(each.dataset.index) > Number(element.dataset.index),
  );
  parent.insertBefore(element, after ?? null);
  parent.insertBefore(document.createTextNode(" "), after ?? null);
}

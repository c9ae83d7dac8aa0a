// The column of the brief: its headline and sentences, what is to be checked, how it came about.

import { languageName } from "./api.js";
import { elsewhere, incomplete, keys, terms } from "./below.js";
import { $, announce, button, counted, h, icon } from "./dom.js";
import { openEditor } from "./edit.js";
import { list, marked, unplaced } from "./findings.js";
import { record } from "./record.js";

const NO_BREAK = "\u00a0";
const LIMITS =
  "The checks found nothing in these lines. They compare figures, dates, names and quotations, and can’t" +
  " see a wrong word. ";

/** Shows a draft, and lets its sentences be edited. */
export class BriefView {
  #items = new Map(); // place → its element
  #editing = new Set();

  constructor(draft, trace) {
    this.draft = draft;
    this.trace = trace;
    this.verdict = h("p", { class: "verdict" });
    this.kept = h("div", { class: "kept", id: "kept" });
    for (const place of draft.places) {
      const tag = place === "headline" ? "div" : "li";
      this.#items.set(place, h(tag, { class: place === "headline" ? "point headline" : "point" }));
      this.#fill(place);
    }
    draft.addEventListener("change", ({ detail }) => {
      this.#fill(detail.place);
      this.#sum();
    });
    draft.addEventListener("compared", () => this.#sum());
  }

  show() {
    const points = this.draft.brief.keySentences.map((_, place) => this.#items.get(place));
    const parts = [
      h("h2", { id: "brief-title" }, "Brief"),
      this.kept,
      incomplete(this.draft),
      this.#items.get("headline"),
      h("ol", { class: "points" }, points),
      this.verdict,
      elsewhere(this.draft, this.trace),
      terms(this.draft, this.trace),
      record(this.draft.brief),
      keys(),
    ];
    $("brief").replaceChildren(...parts.filter(Boolean));
    this.#sum();
  }

  /** How many sentences are being written. */
  get editing() {
    return this.#editing.size;
  }

  /** Open a sentence for editing; `place` is "headline" or a number. */
  edit(place) {
    if (this.#editing.has(place)) return;
    this.#editing.add(place);
    this.trace.mark($(`b-${place}`));
    openEditor({
      item: this.#items.get(place),
      draft: this.draft,
      place,
      close: () => {
        this.#editing.delete(place);
        this.#fill(place);
        this.trace.mark($(`b-${place}`));
        $(`b-${place}`).focus();
      },
    });
  }

  #fill(place) {
    if (this.#editing.has(place)) return;
    const { draft } = this;
    const { findings } = draft.now(place);
    const item = this.#items.get(place);
    const tag = place === "headline" ? "h3" : "p";
    const said = h(tag, { class: "say" }, this.#sentence(place), NO_BREAK, refs(draft, place));
    const found = list(findings, { id: `f-${place}` });
    item.classList.toggle("flagged", findings.length > 0);
    item.classList.toggle("edited", draft.isEdited(place));
    item.replaceChildren(said, found ?? "", ...this.#notes(place), this.#tools(place));
    this.trace.settle();
  }

  #sentence(place) {
    const { draft } = this;
    const { text, findings } = draft.now(place);
    const behind = draft.machine(place).sentenceIndices.map((index) => `o-${index}`);
    return h(
      "span",
      {
        id: `b-${place}`,
        role: "button",
        tabindex: -1,
        "aria-pressed": "false",
        class: unplaced(text, findings) ? "sentence doubted" : "sentence",
        "data-side": "brief",
        "data-place": place,
        "aria-describedby": [...(findings.length ? [`f-${place}`] : []), ...behind].join(" "),
        "aria-keyshortcuts": "E",
      },
      marked(text, findings),
    );
  }

  /** What there is to say of a sentence besides its findings. */
  #notes(place) {
    const { draft } = this;
    const { findings } = draft.now(place);
    const edited = draft.isEdited(place);
    const was = h("s", null, draft.machine(place).text);
    const result = findings.length ? ". It was: " : ", and the checks found nothing. It was: ";
    const notes = [
      edited ? [h("b", null, "Edited"), result, was] : null,
      draft.isWritten(place) ? "Summed up in the model’s own words." : null,
    ];
    return notes.filter(Boolean).map((note) => h("p", { class: "was" }, note));
  }

  #tools(place) {
    const { draft } = this;
    const named = place === "headline" ? "the headline" : `sentence ${place + 1}`;
    const box = h("input", {
      type: "checkbox",
      id: `c-${place}`,
      "aria-label": `I compared ${named} with the original`,
      change: () => draft.compare(place, box.checked),
    });
    box.checked = draft.isCompared(place);
    const undo = () => {
      draft.undo(place);
      announce("Undone");
      $(`b-${place}`).focus();
    };
    return h(
      "p",
      { class: "tools" },
      button("Edit", () => this.edit(place), { "aria-label": `Edit ${named}` }),
      draft.depth(place) ? button("Undo", undo, { "aria-label": `Undo the last edit of ${named}` }) : null,
      h("label", { class: "compared" }, box, " Compared"),
    );
  }

  #sum() {
    const { draft } = this;
    const flagged = draft.flagged.length;
    const all = draft.places.length;
    const done = draft.places.filter((place) => draft.isCompared(place)).length;
    this.verdict.classList.toggle("flagged", flagged > 0);
    this.verdict.classList.toggle("good", !flagged && done === all);
    this.verdict.replaceChildren(
      flagged ? icon("flag") : done === all ? icon("done") : "",
      flagged ? `${flagged} of ${all} lines of the brief have something to check. ` : LIMITS,
      done === all ? "You have compared them all." : `${done} of ${all} compared with the original.`,
    );
    $("facts").textContent = facts(draft);
  }
}

/** What there is to know of a brief at a glance. */
function facts({ brief, edits, open }) {
  const { language, confidence } = brief.detection;
  const sure = confidence < 1 ? ` (${Math.floor(100 * confidence)}% sure)` : "";
  const parts = [
    languageName(language) + sure,
    counted(brief.translation.length, "sentence"),
    `${open} to check`,
  ];
  if (edits.length) parts.push(`${edits.length} edited`);
  return parts.join(" · ");
}

function refs(draft, place) {
  const numbers = draft
    .machine(place)
    .sentenceIndices.map((index) => index + 1)
    .join(", ");
  return h("span", { class: "refs", title: "Sentences of the original" }, `[${numbers}]`);
}

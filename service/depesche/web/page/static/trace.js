// What belongs together: a sentence of the brief, its English in the translation, its original.

import { $, announce, button, counted, h } from "./dom.js";

const NEXT = { ArrowDown: 1, ArrowUp: -1 };
const SIDES = ["brief", "translation", "original"];
const ACROSS = { ArrowRight: 1, ArrowLeft: -1 };

/** Marks what belongs to a sentence, by mouse and by keyboard; one for each draft. */
export class Trace {
  #marked = null; // the sentence from which the marks come

  /** Watch an element's sentences; `edit` gets the place of one that is to be edited. */
  constructor(root, edit) {
    this.root = root;
    this.edit = edit;
    this.draft = null;
    root.addEventListener("click", (event) => {
      const found = event.target.closest?.(".sentence");
      if (found && window.getSelection().isCollapsed) this.toggle(found);
    });
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => {
      if (event.target.matches(".sentence")) this.#rove(event.target);
    });
  }

  /** Go by another draft, or by none while a brief is being made. */
  follow(draft) {
    this.clear();
    this.draft = draft;
    this.settle();
  }

  /** Have each side be one stop of the Tab key. */
  settle() {
    for (const side of SIDES) {
      const one = `.sentence[data-side="${side}"]`;
      if (this.root.querySelector(`${one}[tabindex="0"]`)) continue;
      this.root.querySelector(one)?.setAttribute("tabindex", "0");
    }
  }

  get isMarking() {
    return this.#marked !== null;
  }

  toggle(sentence) {
    if (this.#marked === sentence) this.clear();
    else this.mark(sentence);
  }

  /** Mark what belongs to a sentence, and show it. */
  mark(sentence) {
    this.clear();
    this.#marked = sentence;
    sentence.classList.add("chosen");
    const parts = this.#parts(sentence);
    for (const part of [sentence, ...parts]) {
      part.setAttribute("aria-pressed", "true");
      part.closest(".point")?.classList.add("marked");
    }
    for (const side of SIDES)
      this.#show(
        sentence,
        parts.find((part) => part.dataset.side === side),
      );
    this.#tell(sentence, parts);
  }

  clear() {
    this.#marked = null;
    $("peek").hidden = true;
    for (const each of this.root.querySelectorAll('.sentence[aria-pressed="true"]')) {
      each.setAttribute("aria-pressed", "false");
      each.classList.remove("chosen");
    }
    for (const each of this.root.querySelectorAll(".marked")) each.classList.remove("marked");
  }

  /** Mark a sentence of the translation, and go to it. */
  goTo(index) {
    const sentence = $(`t-${index}`);
    this.mark(sentence);
    scroll(sentence);
    sentence.focus({ preventScroll: true });
  }

  #parts(sentence) {
    if (sentence.dataset.side === "brief") {
      const { sentenceIndices } = this.draft.machine(placeOf(sentence));
      return sentenceIndices.flatMap((index) => [$(`t-${index}`), $(`o-${index}`)]).filter(Boolean);
    }
    const index = Number(sentence.dataset.index);
    const other = sentence.dataset.side === "translation" ? $(`o-${index}`) : $(`t-${index}`);
    const resting = this.draft?.restingOn(index).map((place) => $(`b-${place}`)) ?? [];
    return [other, ...resting].filter(Boolean);
  }

  #show(sentence, part) {
    const stacked = getComputedStyle($("panes")).getPropertyValue("--stacked").trim() === "1";
    if (!part || stacked) return; // #tell shows it below
    // The row of the translation holds the original too.
    if (sentence.dataset.side !== "brief" && part.dataset.side !== "brief") return;
    scroll(part);
  }

  #tell(sentence, parts) {
    const fromBrief = sentence.dataset.side === "brief";
    const there = parts.filter(
      (p) => (p.dataset.side === "brief") !== fromBrief && p.dataset.side !== "translation",
    );
    const count = counted(there.length, "sentence");
    if (fromBrief) announce(`Rests on ${count} of the original`);
    else announce(there.length ? `Behind ${count} of the brief` : "Not in the brief");
    this.#peek(fromBrief, there);
  }

  #peek(fromBrief, there) {
    const go = () => {
      scroll(there[0]);
      there[0].focus({ preventScroll: true });
    };
    $("peek").replaceChildren(
      h(
        "div",
        { class: "peek-text" },
        there.length
          ? there.map((each) => h("p", { lang: each.closest("[lang]").lang }, textOf(each)))
          : h("p", null, "The brief doesn’t rest on this sentence."),
      ),
      h(
        "p",
        { class: "peek-tools" },
        there.length ? button(fromBrief ? "Show in the release" : "Show in the brief", go) : null,
        button("Close", () => this.clear()),
      ),
    );
    $("peek").hidden = false;
  }

  #key(event) {
    const sentence = event.target.closest?.(".sentence");
    if (!sentence || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.toggle(sentence);
    else if (event.key in NEXT) this.#move(sentence, this.#beside(sentence, NEXT[event.key]));
    else if (event.key === "Home") this.#move(sentence, this.#all(sentence.dataset.side)[0]);
    else if (event.key === "End") this.#move(sentence, this.#all(sentence.dataset.side).at(-1));
    else if (event.key in ACROSS) this.#move(sentence, this.#across(sentence, ACROSS[event.key]));
    else if (event.key.toLowerCase() === "e" && sentence.dataset.side === "brief")
      this.edit(placeOf(sentence));
    else return;
    event.preventDefault();
  }

  /** Go to another sentence; once something is marked, the marks come along within a side. */
  #move(from, to) {
    if (!to) return;
    if (this.#marked && this.#marked !== to && from.dataset.side === to.dataset.side) this.mark(to);
    scroll(to, "nearest");
    to.focus({ preventScroll: true });
  }

  #beside(sentence, by) {
    const all = this.#all(sentence.dataset.side);
    return all[all.indexOf(sentence) + by];
  }

  #across(sentence, by) {
    const side = SIDES[SIDES.indexOf(sentence.dataset.side) + by];
    return this.#parts(sentence).find((part) => part.dataset.side === side);
  }

  #all(side) {
    return [...this.root.querySelectorAll(`.sentence[data-side="${side}"]`)];
  }

  #rove(sentence) {
    for (const each of this.#all(sentence.dataset.side)) each.tabIndex = each === sentence ? 0 : -1;
  }
}

/** The place in the brief of one of its sentences. */
export const placeOf = (sentence) =>
  sentence.dataset.place === "headline" ? "headline" : Number(sentence.dataset.place);

const textOf = (sentence) => {
  const copy = sentence.cloneNode(true);
  copy.querySelector(".number")?.remove();
  return copy.textContent;
};

function scroll(element, block = "center") {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block, behavior: still ? "auto" : "smooth" });
}

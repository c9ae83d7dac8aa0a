// What stands below a brief: what is to be checked elsewhere, the glossary's terms, the keys.

import { button, counted, folded, h, icon } from "./dom.js";
import { list } from "./findings.js";
import { lacking, outcomes } from "./glossary.js";

/** Say that sentences are without English; null for a whole brief. */
export function incomplete({ brief }) {
  if (!brief.incomplete) return null;
  const count = counted(brief.missing.length, "sentence");
  const text = `Incomplete: the time was up before ${count} had English.`;
  return h("p", { class: "verdict flagged" }, icon("flag"), text);
}

/** List what failed a check and isn't behind the brief; each leads there. Null if there is nothing. */
export function elsewhere(draft, trace) {
  const found = draft.elsewhere;
  if (!found.length) return null;
  const items = found.map(({ index, text, findings }) => {
    const number = h("span", { class: "refs" }, `[${index + 1}]`);
    const go = () => trace.goTo(index);
    return h("li", null, button([number, " ", text], go, { class: "goto" }), list(findings));
  });
  const title = `To check elsewhere in the release (${found.length})`;
  return folded(title, true, h("ul", { class: "elsewhere" }, items));
}

/** Tell what became of the glossary's terms; null if there are none. */
export function terms(draft, trace) {
  const found = outcomes(draft.brief.glossary);
  if (!found.length) return null;
  const rows = found.flatMap(([title, uses]) => [
    h("dt", null, title),
    ...uses.map((use) => h("dd", null, term(use), title === "Refused" ? places(use, trace) : "")),
  ]);
  return folded("Glossary", true, h("dl", { class: "terms-list" }, rows));
}

const term = ({ term: { source, target } }) => `${source} → ${target || source}`;

const places = (use, trace) =>
  lacking(use).flatMap((number) => [
    " ",
    button(`[${number}]`, () => trace.goTo(number - 1), {
      class: "goto refs",
      "aria-label": `Sentence ${number}`,
    }),
  ]);

const KEYS = [
  ["↑ ↓", "from sentence to sentence"],
  ["← →", "to the sentence behind it, and back"],
  ["Enter", "mark what belongs together; Esc clears"],
  ["E", "edit a sentence of the brief"],
  ["Ctrl+Enter", "check and save an edit"],
];

/** Tell of the keys, folded up. */
export function keys() {
  const rows = KEYS.map(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)]);
  return folded("Keys", false, h("dl", null, rows.flat()));
}

// A glossary as the page takes it: the lines that `depesche brief --glossary` reads from a file.

/** Read a term, a tab and its English a line; throws an Error that names the first wrong line. */
export function readGlossary(text) {
  const lines = new Map();
  const terms = [];
  for (const [at, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    if (!line.trim() || line.startsWith("#")) continue;
    const parts = line.split("\t").map((part) => part.trim());
    if (parts.length !== 2 || !parts.every(Boolean)) {
      throw new Error(`Line ${at + 1} must be a term, one tab, and its English, or = to keep the term`);
    }
    const [source, target] = parts;
    if (lines.has(source)) throw new Error(`Line ${at + 1} has the term of line ${lines.get(source)} again`);
    lines.set(source, at + 1);
    terms.push({ source, target: target === "=" ? "" : target });
  }
  return terms;
}

const OUTCOMES = [
  ["Applied", "GLOSSARY_OUTCOME_APPLIED"],
  ["Refused", "GLOSSARY_OUTCOME_REFUSED"],
  ["Not in the release", "GLOSSARY_OUTCOME_NOT_MATCHED"],
];

/** Sort what became of the terms: [title, uses] for each outcome that there is. */
export const outcomes = (uses) =>
  OUTCOMES.map(([title, outcome]) => [title, uses.filter((use) => use.outcome === outcome)]).filter(
    ([, found]) => found.length,
  );

/** The sentences, from 1, in which a refused term's English isn't. */
export const lacking = (use) => [
  ...new Set(use.places.filter((place) => !place.targetSpan).map((place) => place.sentenceIndex + 1)),
];

// A brief with what an editor has made of it: the state of the page's desk.

const ABSTRACTIVE = "SUMMARY_STRATEGY_ABSTRACTIVE";

/**
 * Holds a brief and the edits of its sentences; sends "change" with the place of each edit,
 * and "compared".
 */
export class Draft extends EventTarget {
  #history = new Map(); // place → its versions, the machine's first
  #compared = new Set();
  #saved = true;

  /**
   * Take up a brief: as the service sent it, the release's name or "", and edits that were kept with
   * what the checks found in them.
   */
  constructor(brief, name = "", edits = []) {
    super();
    this.brief = brief;
    this.name = name;
    this.byIndex = new Map([...brief.translation, ...brief.missing].map((s) => [s.index, s]));
    for (const place of this.places) {
      const { text, findings } = this.machine(place);
      this.#history.set(place, [{ text, findings }]);
    }
    for (const { place, text, findings } of edits) this.#history.get(place)?.push({ text, findings });
  }

  /** "headline", and the indices of the key sentences. */
  get places() {
    return ["headline", ...this.brief.keySentences.keys()];
  }

  /** The sentence as the service made it. */
  machine(place) {
    return place === "headline" ? this.brief.headline : this.brief.keySentences[place];
  }

  /** The sentence as it stands: its text, and what the checks find in it. */
  now(place) {
    return this.#history.get(place).at(-1);
  }

  isEdited(place) {
    return this.now(place).text !== this.machine(place).text;
  }

  /** How often undo has an effect. */
  depth(place) {
    return this.#history.get(place).length - 1;
  }

  edit(place, text, findings) {
    const machine = this.machine(place);
    const version = text === machine.text ? { text, findings: machine.findings } : { text, findings };
    this.#history.get(place).push(version);
    this.#changed(place);
  }

  undo(place) {
    if (!this.depth(place)) return;
    this.#history.get(place).pop();
    this.#changed(place);
  }

  /** What was edited, as the exports take it. */
  get edits() {
    return this.places
      .filter((p) => this.isEdited(p))
      .map((place) => ({ place, text: this.now(place).text }));
  }

  /** The body of an export. */
  get body() {
    return { brief: this.brief, edits: this.edits, name: this.name };
  }

  /** Whether edits would be lost with the page. */
  get unsaved() {
    return !this.#saved && this.edits.length > 0;
  }

  saved() {
    this.#saved = true;
  }

  /** Sentences of the brief in which the checks find something. */
  get flagged() {
    return this.places.filter((place) => this.now(place).findings.length);
  }

  /** Sentences of the translation that failed a check, and on which the brief doesn't rest. */
  get elsewhere() {
    const used = new Set(this.places.flatMap((place) => this.machine(place).sentenceIndices));
    return this.brief.translation.filter((s) => s.findings.length && !used.has(s.index));
  }

  /** How many sentences there are to check: those of the brief as they stand, and those elsewhere. */
  get open() {
    // The headline may be a key sentence's beginning, with the same findings.
    const told = (place) =>
      this.isEdited(place) ? `edit ${place}` : String(this.machine(place).sentenceIndices);
    return new Set(this.flagged.map(told)).size + this.elsewhere.length;
  }

  /** Places of the brief that rest on a sentence of the release. */
  restingOn(index) {
    return this.places.filter((place) => this.machine(place).sentenceIndices.includes(index));
  }

  /** What the English of a place is compared with, as /v1/checks takes it. */
  basis(place) {
    const { sentenceIndices, strategy } = this.machine(place);
    const behind = sentenceIndices.map((index) => this.byIndex.get(index));
    const { language } = this.brief.detection;
    const glossary = this.brief.glossary.map((use) => use.term);
    const abridged = place === "headline"; // which may leave things out
    if (language === "en" || strategy === ABSTRACTIVE) {
      return { language: "en", sources: behind.map((s) => s.text), abridged, glossary };
    }
    return { language, sources: behind.map((s) => s.normalisedSource), abridged, glossary };
  }

  /** Whether a sentence is the summary model's own. */
  isWritten(place) {
    return this.machine(place).strategy === ABSTRACTIVE;
  }

  /** Whether the editor says to have compared a sentence with its original, as it stands now. */
  isCompared(place) {
    return this.#compared.has(place);
  }

  compare(place, done) {
    if (done) this.#compared.add(place);
    else this.#compared.delete(place);
    this.dispatchEvent(new Event("compared"));
  }

  #changed(place) {
    this.#saved = false;
    this.#compared.delete(place);
    this.dispatchEvent(new CustomEvent("change", { detail: { place } }));
  }
}

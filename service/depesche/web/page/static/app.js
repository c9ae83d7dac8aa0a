// The page: from a release to its brief, and from a kept brief's address to the brief.

import { Failure, ask, languageName } from "./api.js";
import { BriefView } from "./brief.js";
import { Compose, acceptDrops } from "./compose.js";
import { $, announce, button, counted, h } from "./dom.js";
import { Draft } from "./draft.js";
import { brief as events } from "./events.js";
import { showKept, takeAlong } from "./exports.js";
import { confirmed, dismiss, notify } from "./notice.js";
import { ReleaseView } from "./release.js";
import { Trace } from "./trace.js";

let settings = { keeps: false, keepDays: 0, maxDocumentBytes: 0, documentTypes: [] };
let draft = null;
let view = null;
let running = null; // the AbortController of a brief that is being made

const trace = new Trace($("main"), (place) => view?.edit(place));
const compose = new Compose({
  send: run,
  fail: (failure, again) => notify(failure, again ? [["Try again", again]] : []),
});

/** Show one of the page's views: compose, working, done or broken. */
function go(name, title) {
  document.body.dataset.view = name;
  $("compose").hidden = name !== "compose";
  $("panes").hidden = name === "compose";
  $("actions").hidden = name === "compose";
  $("title").textContent = title;
  document.title = name === "compose" ? "Depesche" : `${title} – Depesche`;
}

function composing() {
  running?.abort();
  draft = view = null;
  trace.follow(null);
  $("facts").textContent = "";
  go("compose", "Write a brief");
  compose.focus();
}

/** Leave the brief, unless edits would be lost and the editor stays. */
async function leave() {
  const text = "The brief has edits that are neither copied, downloaded nor kept.";
  return !atStake() || confirmed("Leave the brief?", text, "Leave it");
}

const atStake = () => Boolean(draft?.unsaved || view?.editing);

async function start({ empty }) {
  if (!(await leave())) return;
  if (location.pathname !== "/") {
    draft = view = null; // it was asked about
    return location.assign("/");
  }
  dismiss();
  if (empty) compose.clear();
  composing();
}

/** Have a release briefed, and show each step. */
async function run(request, name) {
  dismiss();
  running?.abort();
  const mine = (running = new AbortController());
  const progress = new Progress(() => {
    mine.abort();
    composing();
    announce("Cancelled");
  });
  try {
    for await (const event of events(request, mine.signal)) progress.take(event, name);
  } catch (error) {
    if (mine.signal.aborted) return;
    broken(error, progress, () => run(request, name));
  } finally {
    if (running === mine) running = null;
  }
}

/** Show what went wrong; what had come by then stays to be read. */
function broken(error, progress, again) {
  const some = progress.done > 0;
  if (some) {
    progress.stop();
    go("broken", "The brief isn’t finished");
  } else composing();
  const back = some ? [["Back to the release", () => composing()]] : [];
  notify(error, error.retry === false ? back : [["Try again", again], ...back]);
}

/** What is shown while a brief is being made. */
class Progress {
  done = 0;
  #total = 0;
  #release = null;

  constructor(cancel) {
    this.label = h("p", { class: "progress-label", id: "progress-label" }, "Reading the release …");
    this.bar = h("progress", { "aria-labelledby": "progress-label" });
    this.button = button(["Cancel ", h("kbd", null, "Esc")], cancel);
    draft = view = null;
    trace.follow(null);
    $("rows").replaceChildren();
    $("facts").textContent = "";
    $("actions").replaceChildren();
    $("brief").replaceChildren(
      h("h2", { id: "brief-title" }, "Brief"),
      h("div", { class: "progress" }, this.label, this.bar, this.button),
      h(
        "div",
        { class: "ghost", "aria-hidden": "true" },
        ...[..."habcdabcabcd"].map((kind) => h("i", { class: kind })),
      ),
    );
    go("working", "Working on the brief");
    this.button.focus();
    announce("Working on the brief");
  }

  take({ started, sentence, brief }, name) {
    if (started) this.#start(started);
    if (sentence) this.#add(sentence);
    if (brief) show(new Draft(brief, name), this.#release);
  }

  /** Leave what has come, without the signs of work. */
  stop() {
    $("brief").replaceChildren(
      h("h2", { id: "brief-title" }, "Brief"),
      h(
        "p",
        { class: "verdict flagged" },
        `Stopped after ${this.done} of ${counted(this.#total, "sentence")}. There is no brief yet.`,
      ),
    );
    $("actions").replaceChildren();
  }

  #start({ detection, sentenceCount }) {
    this.#total = sentenceCount;
    this.bar.max = sentenceCount;
    this.bar.value = 0;
    this.#release = new ReleaseView(detection.language);
    nameOriginal(detection.language);
    $("facts").textContent = `${languageName(detection.language)} · ${counted(sentenceCount, "sentence")}`;
    this.#tell();
  }

  #add(sentence) {
    this.#release.add(sentence);
    this.bar.value = ++this.done;
    trace.settle();
    this.#tell();
  }

  #tell() {
    const left = this.done === this.#total;
    this.label.textContent = left
      ? "Choosing the key sentences …"
      : `Translating: ${this.done} of ${counted(this.#total, "sentence")}`;
  }
}

function nameOriginal(language) {
  $("head-original").textContent = `Original, ${languageName(language)}`;
  $("head-translation").textContent = language === "en" ? "Text" : "Translation";
}

/** Show a finished brief; `release` has what came before it, if anything did. */
function show(made, release) {
  draft = made;
  const { brief } = draft;
  const shown = release ?? new ReleaseView(brief.detection.language);
  nameOriginal(brief.detection.language);
  for (const sentence of [...brief.translation, ...brief.missing]) shown.add(sentence);
  view = new BriefView(draft, trace);
  view.show();
  used(brief);
  trace.follow(draft);
  const back = button("Back to the release", () => start({ empty: false }));
  const again = [...(release ? [back] : []), button("New release", () => start({ empty: true }))];
  $("actions").replaceChildren(...takeAlong(draft, view, settings, again));
  go("done", draft.name || "Brief");
  const found = draft.open ? `${counted(draft.open, "sentence")} to check` : "The checks found nothing";
  announce(`The brief is ready. ${found}`);
  // Who reads the translation already stays there.
  if (document.activeElement === document.body) $("b-headline").focus({ preventScroll: true });
}

/** Show on which sentences the brief rests. */
function used({ headline, keySentences }) {
  for (const index of [headline, ...keySentences].flatMap((s) => s.sentenceIndices)) {
    $(`t-${index}`)?.classList.add("used");
    $(`o-${index}`)?.classList.add("used");
  }
}

/** Open the brief that is kept at this address. */
async function open(id) {
  go("working", "Kept brief");
  try {
    const kept = await (await ask(`/page/kept/${encodeURIComponent(id)}`)).json();
    show(new Draft(kept.brief, kept.name, kept.edits), null);
    const edits = JSON.stringify(draft.edits);
    showKept(view, { id, address: location.pathname, expires: kept.expires, edits }, draft);
  } catch (error) {
    composing();
    const lost = error.status === 404;
    const failure = lost
      ? new Failure(
          "No brief is kept here",
          ["It was deleted, its time has passed, or the address isn’t whole."],
          { retry: false },
        )
      : error;
    notify(failure, failure.retry ? [["Try again", () => open(id)]] : []);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.closest?.("dialog")) return;
  if (trace.isMarking) trace.clear();
  else if (running) {
    running.abort();
    composing();
    announce("Cancelled");
  }
});
window.addEventListener("beforeunload", (event) => {
  if (atStake()) event.preventDefault();
});
acceptDrops(
  async (file) => {
    if (!(await leave())) return;
    dismiss();
    if (document.body.dataset.view !== "compose") composing();
    compose.read(file);
  },
  (failure) => notify(failure),
);

async function begin() {
  const [, id] = /^\/briefs\/([^/]+)$/.exec(location.pathname) ?? [];
  const asked = ask("/page/settings").then((answer) => answer.json());
  try {
    settings = await asked;
    compose.configure(settings);
  } catch (error) {
    notify(error, [["Try again", begin]]);
  }
  if (id) await open(decodeURIComponent(id));
  else compose.focus();
}

begin();

// Editing a sentence of the brief where it stands; each edit is checked against its sources.

import { send } from "./api.js";
import { announce, counted, h } from "./dom.js";

/**
 * Replace a sentence by a box in which it can be written anew.
 *
 * `close` is called once, when the sentence was saved or given up; until then a failed check keeps
 * what was written.
 */
export function openEditor({ item, draft, place, close }) {
  const text = draft.now(place).text;
  const box = h("textarea", {
    class: "edit-text",
    rows: 2,
    "aria-label": place === "headline" ? "The headline" : `Sentence ${place + 1} of the brief`,
    "aria-describedby": "edit-hint",
  });
  const error = h("p", { class: "error", role: "alert" });
  const save = h(
    "button",
    { type: "submit", class: "main small" },
    "Check and save ",
    h("kbd", null, "Ctrl+Enter"),
  );
  const cancel = h("button", { type: "button", class: "plain" }, "Give up ", h("kbd", null, "Esc"));
  const hint = h(
    "p",
    { class: "quiet", id: "edit-hint" },
    "Control and Enter check and save, Escape gives up.",
  );
  const form = h(
    "form",
    { class: "edit", novalidate: true },
    box,
    hint,
    error,
    h("p", { class: "edit-tools" }, save, cancel),
  );
  const checking = new AbortController();

  const end = () => {
    checking.abort();
    close();
  };
  const submit = async (event) => {
    event.preventDefault();
    const written = box.value.split(/\s+/).filter(Boolean).join(" ");
    if (!written) return void (error.textContent = "A sentence can’t be empty.");
    if (written === text) return end();
    form.setAttribute("aria-busy", "true");
    save.disabled = box.readOnly = true;
    error.textContent = "";
    try {
      const findings = await check(draft, place, written, checking.signal);
      draft.edit(place, written, findings);
      close();
      announce(result(findings));
    } catch (failure) {
      if (failure.name === "AbortError") return;
      error.textContent = ["Not saved.", `${failure.message}.`, ...(failure.details ?? [])].join(" ");
      form.removeAttribute("aria-busy");
      save.disabled = box.readOnly = false;
      box.focus();
    }
  };
  form.addEventListener("submit", submit);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      end();
    } else if (event.key === "Enter" && event.target === box) {
      event.preventDefault(); // a sentence has one line
      if (event.ctrlKey || event.metaKey) form.requestSubmit();
    }
  });
  cancel.addEventListener("click", end);
  box.value = text;
  item.replaceChildren(form);
  box.focus();
  form.scrollIntoView({ block: "nearest" });
  box.setSelectionRange(text.length, text.length);
}

async function check(draft, place, text, signal) {
  const answer = await send("/v1/checks", { text, ...draft.basis(place) }, { signal });
  return (await answer.json()).findings;
}

const result = (findings) =>
  findings.length ? `Saved. ${counted(findings.length, "finding")}` : "Saved. The checks found nothing";

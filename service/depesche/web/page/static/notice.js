// Messages and questions.

import { $, button, h } from "./dom.js";

/** Show what went wrong; `buttons` are pairs of a label and what it does. */
export function notify(failure, buttons = []) {
  const close = () => $("notice").replaceChildren();
  const made = buttons.map(([label, act]) =>
    button(label, () => {
      close();
      act();
    }),
  );
  const details = failure.details ?? ["Please load the page again."];
  const box = h(
    "div",
    { class: "notice", role: "alert", tabindex: -1 },
    h("p", { class: "notice-title" }, failure.details ? failure.message : "Something went wrong in the page"),
    details.map((detail) => h("p", null, detail)),
    h("p", { class: "notice-tools" }, made, button("Close", close)),
  );
  $("notice").replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}

export const dismiss = () => $("notice").replaceChildren();

/** Ask before something is lost; gives whether to go on. */
export function confirmed(title, text, yes) {
  const dialog = $("ask");
  return new Promise((resolve) => {
    const answer = (value) => () => {
      dialog.close();
      resolve(value);
    };
    dialog.replaceChildren(
      h("h2", { id: "ask-title" }, title),
      h("p", null, text),
      h(
        "p",
        { class: "notice-tools" },
        button("Stay", answer(false), { autofocus: true }),
        button(yes, answer(true), { class: "main small" }),
      ),
    );
    dialog.addEventListener("cancel", () => resolve(false), { once: true });
    dialog.showModal();
  });
}

// Taking a brief along: copies, files, and an address where it is kept.

import { Failure, ask, send } from "./api.js";
import { announce, button, counted, h } from "./dom.js";
import { confirmed, notify } from "./notice.js";

const FORMATS = [
  ["text", "Text"],
  ["markdown", "Markdown with footnotes"],
  ["html", "HTML"],
  ["json", "JSON with the audit record"],
];

/** Make the buttons for a draft; `again` are further ones, `keepDays` is 0 where nothing is kept. */
export function takeAlong(draft, view, { keeps, keepDays }, again) {
  const copy = menu("Copy", [
    ["Brief", () => copyText(brief(draft), draft, view)],
    [
      "Brief with its sources",
      () =>
        copyText(
          exported(draft, "text").then((answer) => answer.text()),
          draft,
          view,
        ),
    ],
  ]);
  const download = menu(
    "Download",
    FORMATS.map(([format, label]) => [label, () => save(draft, view, format)]),
  );
  const keep = button("Keep", () => attempt(() => keepIt(draft, view, keepDays)));
  return [...again, keeps ? keep : null, copy, download].filter(Boolean);
}

/** A button that opens a list of others. */
function menu(title, entries) {
  const close = () => {
    details.open = false;
    summary.focus();
  };
  const items = entries.map(([label, act]) => {
    const choose = () => {
      close();
      attempt(act);
    };
    return h("li", null, button(label, choose, { class: null }));
  });
  const summary = h("summary", null, title);
  const details = h("details", { class: "menu" }, summary, h("ul", null, items));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.preventDefault();
    close();
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
  return details;
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

async function attempt(act) {
  try {
    await act();
  } catch (failure) {
    notify(failure, failure.retry ? [["Try again", () => attempt(act)]] : []);
  }
}

const brief = (draft) => draft.places.map((place) => draft.now(place).text).join("\n\n");

const exported = (draft, format) => send(`/page/exports/${format}`, draft.body);

async function save(draft, view, format) {
  const answer = await exported(draft, format);
  const address = URL.createObjectURL(await answer.blob());
  const link = h("a", { href: address, download: fileName(answer.headers, format) });
  link.click();
  URL.revokeObjectURL(address);
  taken(draft, view, "Downloaded");
}

// RFC 6266: filename* if it is there, with other letters than ASCII.
function fileName(headers, format) {
  const given = headers.get("content-disposition") ?? "";
  const [, encoded] = /filename\*=UTF-8''([^;]+)/i.exec(given) ?? [];
  const [, plain] = /filename="?([^";]+)"?/i.exec(given) ?? [];
  return encoded ? decodeURIComponent(encoded) : (plain ?? `brief.${format}`);
}

/** Copy a text, or a promise of one, so that the click still counts when it comes. */
async function copyText(text, draft, view) {
  const wanted = Promise.resolve(text);
  if (navigator.clipboard?.write) {
    const blob = wanted.then((value) => new Blob([value], { type: "text/plain" }));
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } catch {
      await wanted; // if that is why, it says so
      throw new Failure("The browser doesn’t let the page copy", ["Download the brief instead."], {
        retry: false,
      });
    }
  } else copySelected(await wanted); // by plain HTTP browsers give no clipboard
  taken(draft, view, "Copied");
}

function copySelected(text) {
  const box = h("textarea", { class: "quiet", readonly: true });
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

function taken(draft, view, how) {
  draft.saved();
  const flagged = draft.flagged.length;
  const left = draft.places.length - draft.places.filter((place) => draft.isCompared(place)).length;
  const notes = [
    view.editing ? `${counted(view.editing, "edit")} not saved` : "",
    flagged ? `${flagged} still flagged` : "",
    left ? `${left} not compared` : "",
  ].filter(Boolean);
  toast(notes.length ? `${how}. ${notes.join(", ")}` : how);
}

function toast(text) {
  document.querySelector(".toast")?.remove();
  announce(text);
  const shown = h("p", { class: "toast", "aria-hidden": "true" }, text);
  document.body.append(shown);
  shown.addEventListener("animationend", () => shown.remove());
}

async function keepIt(draft, view, days) {
  const { id, address, expires } = await (await send("/page/kept", draft.body)).json();
  draft.saved();
  showKept(view, { id, address, expires, edits: JSON.stringify(draft.edits) }, draft);
  toast(`Kept for ${days} days`);
}

/** Show where a brief is kept, with a way to have it forgotten. */
export function showKept(view, { id, address, expires, edits }, draft) {
  const url = new URL(address, location.href).href;
  const until = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(expires),
  );
  const stale = h("span", { class: "stale" });
  const line = h(
    "p",
    { class: "keeping" },
    "Kept until ",
    h("time", { datetime: expires }, until),
    ": ",
    h("a", { href: url }, url),
    " ",
    button("Copy the address", () => attempt(() => copyAddress(url))),
    " ",
    button("Delete", () => attempt(() => forget(id, line))),
    " ",
    stale,
    h("span", { class: "aside" }, "Whoever has the address may read and delete it."),
  );
  draft.addEventListener("change", () => {
    stale.textContent = JSON.stringify(draft.edits) === edits ? "" : "It was kept before your last edits. ";
  });
  view.kept.append(line);
}

async function copyAddress(url) {
  if (navigator.clipboard) await navigator.clipboard.writeText(url);
  else copySelected(url);
  toast("Copied");
}

async function forget(id, line) {
  if (
    !(await confirmed(
      "Delete what is kept?",
      "Nobody will find the brief at its address any more.",
      "Delete",
    ))
  )
    return;
  await ask(`/page/kept/${encodeURIComponent(id)}`, { method: "DELETE" });
  line.remove();
  toast("Deleted");
}

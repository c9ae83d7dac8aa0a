// Elements without markup: no text is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 *
 * Attributes that are null or false are left out, true ones are empty; functions listen to events.
 * Children are nodes or text; null and "" are left out.
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Make one of the icons that index.html defines. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Make a button. */
export const button = (label, click, attributes = {}) =>
  h("button", { type: "button", class: "plain", click, ...attributes }, label);

/** Make a part that can be folded up, below a heading. */
export const folded = (title, open, ...content) =>
  h("details", { class: "more", open }, h("summary", null, h("h3", null, title)), ...content);

/** Find an element of index.html by its id. */
export const $ = (id) => document.getElementById(id);

/** Tell those who hear the page what has happened. */
export function announce(text) {
  $("live").textContent = text;
}

/** Write a number and its noun: "1 sentence", "2 sentences". */
export const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

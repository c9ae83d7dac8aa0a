// What the checks found, in words and at its place.

import { h, icon } from "./dom.js";

/** Say what is wrong, and what was expected or found where the message doesn't say it. */
export function inWords({ message, expected, found }) {
  const unsaid = Object.entries({ expected, found })
    .filter(([, value]) => value && !message.includes(value))
    .map(([name, value]) => `${name}: ${value}`);
  return message + (unsaid.length ? ` (${unsaid.join("; ")})` : "");
}

/** List findings; null if there are none. */
export function list(findings, attributes = {}) {
  if (!findings.length) return null;
  return h(
    "ul",
    { class: "findings", ...attributes },
    findings.map((finding) => h("li", null, icon("flag"), inWords(finding))),
  );
}

/**
 * Give a text as nodes in which the places of findings are marked.
 *
 * Spans count code points. A span that isn't within the text, or at which something else stands than
 * the finding says, marks nothing: the text was shortened, or joined of several.
 */
export function marked(text, findings, side = "targetSpan") {
  const points = Array.from(text);
  const spans = findings
    .map((finding) => ({ ...finding[side], finding }))
    .filter(({ start, end, finding }) => fits(points, start, end, side === "targetSpan" ? finding.found : ""))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const nodes = [];
  let at = 0;
  for (const { start, end, finding } of spans) {
    if (start < at) continue; // within the one before
    nodes.push(points.slice(at, start).join(""));
    nodes.push(h("mark", { class: "finding", title: inWords(finding) }, points.slice(start, end).join("")));
    at = end;
  }
  nodes.push(points.slice(at).join(""));
  return nodes.filter(Boolean);
}

/** Whether a sentence has findings of which none shows in the English. */
export const unplaced = (text, findings) =>
  findings.length > 0 && !marked(text, findings).some((node) => typeof node !== "string");

function fits(points, start, end, found) {
  if (!(start >= 0 && start < end && end <= points.length)) return false;
  return (
    !found ||
    points.slice(start, end).join("").includes(found) ||
    found.includes(points.slice(start, end).join(""))
  );
}

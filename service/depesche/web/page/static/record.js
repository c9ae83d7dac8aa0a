// How a brief came about: what an audit asks for.

import { h } from "./dom.js";

const STAGES = {
  read: "reading",
  translate: "translating",
  decode_again: "translating again",
  summarise: "choosing",
};

/** Tell of the models, the time and the signature, folded up; "" where nothing is told. */
export function record({ signature, timings }) {
  if (!signature) return "";
  const models = signature.models.map((model) =>
    h(
      "dd",
      null,
      `${model.name}@${model.revision}, ${model.task}, ${model.quantisation}, ${model.licence}`,
      h("br"),
      h("code", null, `sha256 ${model.digest}`),
    ),
  );
  return h(
    "details",
    { class: "more record" },
    h("summary", null, h("h3", null, "How it was made")),
    h(
      "dl",
      null,
      h("dt", null, "Depesche"),
      h("dd", null, signature.serviceVersion),
      h("dt", null, "Models"),
      models,
      h("dt", null, "Time"),
      h("dd", null, (timings?.stages ?? []).map(stage).join(", ")),
      h("dt", null, "Signature"),
      h("dd", null, h("code", null, signature.line)),
    ),
    h(
      "p",
      { class: "aside" },
      "The same text under the same signature gives the same brief, on the same kind of processor.",
    ),
  );
}

const stage = ({ name, duration }) => `${STAGES[name] ?? name} ${parseFloat(duration).toFixed(1)} s`;

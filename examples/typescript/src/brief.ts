// Briefs a release in a file, with progress:
//   node dist/brief.js FILE [--server HOST:PORT] [--timeout SECONDS] [--ca FILE] [--token-file FILE]

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import * as grpc from "@grpc/grpc-js";

import { CodePoints } from "./codepoints.js";
import { connect } from "./connection.js";
import { DepescheError } from "./errors.js";
import type { Brief__Output } from "./generated/depesche/v1/Brief.js";
import type { BriefServiceClient } from "./generated/depesche/v1/BriefService.js";
import type { BriefSentence__Output } from "./generated/depesche/v1/BriefSentence.js";
import type { StreamBriefResponse__Output } from "./generated/depesche/v1/StreamBriefResponse.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", default: "localhost:50051" },
    timeout: { type: "string", default: "300" },
    ca: { type: "string" },
    "token-file": { type: "string" },
  },
});

/** Asks for the brief of a text, and tells of each sentence that is ready. */
async function brief(
  client: BriefServiceClient,
  text: string,
  metadata: grpc.Metadata,
  seconds: number,
  progress: (done: number, of: number) => void,
): Promise<Brief__Output> {
  const request = { release: { text }, options: { sentenceCount: 3 } };
  const call = client.StreamBrief(request, metadata, { deadline: Date.now() + seconds * 1000 });
  let done = 0;
  let count = 0;
  for await (const step of call as AsyncIterable<StreamBriefResponse__Output>) {
    if (step.event === "started") count = step.started?.sentenceCount ?? 0;
    if (step.event === "sentence") progress(++done, count);
    if (step.event === "brief" && step.brief) return step.brief;
  }
  throw new Error("the stream ended without a brief");
}

/** Writes a sentence, what the checks find wrong with it, and the words that it rests on. */
function show(sentence: BriefSentence__Output, text: CodePoints): string {
  const sources = sentence.sourceSpans
    .filter((span) => span.field === "SOURCE_FIELD_TEXT")
    .map((span) => `  [${span.start}:${span.end}] ${text.slice(span.start, span.end)}`);
  const findings = sentence.findings.map((finding) => `  ⚠ ${finding.message}`);
  return [sentence.text, ...findings, ...sources].join("\n");
}

async function main(): Promise<void> {
  const text = readFileSync(positionals[0] ?? 0, "utf8");
  const metadata = new grpc.Metadata();
  if (values["token-file"]) {
    const token = readFileSync(values["token-file"], "utf8").trim();
    metadata.set("authorization", `Bearer ${token}`);
  }
  const client = connect(values.server, values.ca ? readFileSync(values.ca) : undefined);
  const progress = (done: number, of: number) => console.error(`${done} of ${of} sentences`);
  const asked = brief(client, text, metadata, Number(values.timeout), progress);
  const found = await asked.finally(() => client.close());
  const points = new CodePoints(text);
  for (const sentence of [found.headline, ...found.keySentences]) {
    if (sentence) console.log(show(sentence, points));
  }
}

try {
  await main();
} catch (error) {
  const failed = error instanceof Error && "code" in error && "metadata" in error;
  if (!failed) throw error;
  const told = DepescheError.from(error as grpc.ServiceError);
  console.error(`${told.reason}: ${told.message}`);
  for (const { field, description } of told.violations) console.error(`  ${field}: ${description}`);
  if (told.retryAfter) console.error(`  come again in ${told.retryAfter} s`);
  if (told.requestId) console.error(`  request id ${told.requestId}`);
  process.exitCode = 1;
}

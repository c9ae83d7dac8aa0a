// The events of a brief, as /v1/briefs:stream sends them.
// https://html.spec.whatwg.org/multipage/server-sent-events.html

import { Failure, failure, send } from "./api.js";

/**
 * Have a release briefed; gives each StreamBriefResponse as it comes, the brief as the last.
 *
 * Throws a Failure where the service refuses, fails, or falls silent before the brief.
 */
export async function* brief(request, signal) {
  const answer = await send("/v1/briefs:stream", request, { signal });
  for await (const { name, data } of events(answer.body, signal)) {
    const value = JSON.parse(data);
    if (name === "error") throw failure(value);
    yield value;
    if (value.brief) return;
  }
  throw broken();
}

const broken = () =>
  new Failure("The connection broke", [
    "The brief didn’t come to its end. Your release is still here, to be sent again.",
  ]);

async function* events(body, signal) {
  let rest = "";
  for await (const text of texts(body, signal)) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event.data) yield event; // others are comments
    }
  }
}

function parsed(block) {
  const event = { name: "", data: "" };
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([a-z]*): ?(.*)$/s.exec(line) ?? [];
    if (field === "event") event.name = value;
    if (field === "data") event.data += value;
  }
  return event;
}

async function* texts(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw signal.aborted ? error : broken();
  } finally {
    reader.cancel().catch(() => {}); // who stops listening has the service stop
  }
}

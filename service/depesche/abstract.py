"""Summaries in sentences of a model's own: chunks in, sentences out."""

import asyncio
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace

from depesche.errors import DeadlineExceeded, FeatureUnavailable
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.queue import Ask, SegmentQueue
from depesche.inference.until import before
from depesche.text.sentences import split
from depesche.types import Language, ModelIdentity

__all__ = ["Abstractor", "Abstractors"]

# Models of CNN/DailyMail write as those articles are set, with spaces before their marks.
_LOOSE_MARK = re.compile(r"\s+(?=[.,;:!?](?:\s|$))")
_SETTING = "the setting DEPESCHE_ABSTRACTIVE_MODEL"
_ENDED = re.compile(r"[.!?…]\W*$")


class Abstractor:
    """Summarises English texts by one model.

    Attributes:
        identity: what the model is, for signatures.
    """

    def __init__(
        self,
        queue: SegmentQueue,
        backend: TranslationBackend,
        identity: ModelIdentity,
        decoding: str = "greedy",
    ) -> None:
        """Make one of a loaded model.

        Args:
            queue: feeds the model.
            backend: the model, for counting tokens.
            identity: what it is.
            decoding: how it writes, for signatures.
        """
        self.identity = identity
        self._queue = queue
        self._backend = backend
        self._decoding = decoding

    def reserve(self, tokens: int, ask: Ask) -> AbstractContextManager[Ask]:
        """Hold room in the model's queue; see `SegmentQueue.reserve`."""
        return self._queue.reserve(tokens, ask)

    def options(self, *, reproducible: bool) -> Mapping[str, str]:
        """Tell what shapes the result beside the model, for the signature."""
        return {
            "batch": self._queue.batching(reproducible=reproducible),
            "chunk": str(self._backend.max_source_tokens),
            "writing": self._decoding,
        }

    async def write(
        self, sentences: Sequence[str], ask: Ask, cutoff: float | None = None
    ) -> list[str]:
        """Summarise a text.

        Args:
            sentences: the text's, in order; those that are longer than the model reads are left
                out.
            ask: what the request asks of the queue.
            cutoff: `time.monotonic()` value at which to give up.

        Returns:
            The summary's sentences, in the order of the text's parts, each wording once.

        Raises:
            QueueFull: there is no room, or too little time.
            DeadlineExceeded: it isn't done by the cutoff.
            ShuttingDown: the queue was closed.
        """
        chunks = await asyncio.to_thread(self._chunks, sentences)
        if not chunks:
            return []
        told = replace(
            ask, language=Language.ENGLISH, room=ask.summary_room, partial=False, deadline=cutoff
        )
        results = before(self._queue.translate(chunks, told), cutoff)
        async with aclosing(results):
            done = {result.index: result.hypothesis async for result in results}
        if len(done) < len(chunks):
            raise DeadlineExceeded("the deadline passed before the summary was written")
        written = (s for _, hypothesis in sorted(done.items()) for s in _sentences(hypothesis))
        return list({sentence.casefold(): sentence for sentence in written}.values())

    def _chunks(self, sentences: Sequence[str]) -> list[str]:
        """Join sentences to as few texts as the model can read, of about the same length."""
        limit = self._backend.max_source_tokens
        marks = len(self._backend.tokenize("", Language.ENGLISH))
        counts = [len(self._backend.tokenize(s, Language.ENGLISH)) for s in sentences]
        fitting = [(s, n) for s, n in zip(sentences, counts, strict=True) if n <= limit]
        room = max(1, limit - marks)
        number = math.ceil(sum(n for _, n in fitting) / room)
        share = math.ceil(sum(n for _, n in fitting) / max(1, number))
        chunks: list[list[str]] = []
        filled = 0
        for sentence, tokens in fitting:
            if not chunks or filled >= share or filled + tokens > room:
                chunks.append([])
                filled = 0
            chunks[-1].append(sentence)
            filled += tokens
        return [" ".join(chunk) for chunk in chunks]


class Abstractors:
    """The models for abstractive summaries that are loaded."""

    def __init__(self, abstractors: Mapping[str, Abstractor], usual: str = "") -> None:
        """Make a set of them.

        Args:
            abstractors: by name.
            usual: the name of the one that requests get which name none, or "".
        """
        self._abstractors = abstractors
        self._usual = usual

    def find(self, name: str = "") -> Abstractor:
        """Find the one that has a name, or else the usual one.

        Raises:
            FeatureUnavailable: there is none.
        """
        loaded = ", ".join(sorted(self._abstractors))
        if name:
            if name not in self._abstractors:
                rule = (
                    f"must be one of the loaded {loaded}, or empty"
                    if loaded
                    else f"none is loaded; {_SETTING} names one"
                )
                raise FeatureUnavailable("options.summary_model", rule)
            return self._abstractors[name]
        if not self._usual:
            hint = f"; summary_model may name {loaded}" if loaded else ""
            rule = f"no usual model for abstractive summaries is loaded; {_SETTING} names one{hint}"
            raise FeatureUnavailable("options.strategy", rule)
        return self._abstractors[self._usual]


def _sentences(hypothesis: Hypothesis) -> Iterator[str]:
    """Give the sentences of an output, but for a last one that was cut off."""
    text = _LOOSE_MARK.sub("", hypothesis.text).strip()
    found = [text[span.start : span.end].strip() for span in split(text, Language.ENGLISH)]
    for place, sentence in enumerate(found):
        is_last = place == len(found) - 1
        if sentence and not (is_last and hypothesis.truncated and not _ENDED.search(sentence)):
            yield sentence

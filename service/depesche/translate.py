"""Sentences into English: decode, check, and decode again what fails."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from depesche.errors import DeadlineExceeded, FeatureUnavailable, LanguageUnsupported
from depesche.fidelity import check, weigh
from depesche.fidelity.mend import mend, mend_numerals
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.queue import Ask, SegmentQueue
from depesche.inference.until import before, finished_before
from depesche.text.clauses import split_long
from depesche.text.join import finish, join_parts
from depesche.text.quotes import repair
from depesche.types import (
    SOURCES,
    Decoding,
    Language,
    ModelIdentity,
    Sentence,
    Timings,
    Translation,
)

__all__ = ["Plan", "Translator", "Translators", "keep"]

# A sentence that fails even with a beam is cut once more, to this share of its tokens; a little
# over a half, so that a clause boundary near the middle will do.
_SPLIT_SHARE = 0.6
# Parts that the model took for whole sentences may say together what the source doesn't, and no
# check sees it: they must be better by more than one wrong figure, which is flagged at least.
_SPLIT_COST = 3.0
# Sentences of fewer tokens aren't cut: their parts would hold too little to translate well.
_SPLIT_MINIMUM = 24

_FIELD = "options.translation_model"


@dataclass(frozen=True, slots=True)
class Plan:
    """The sentences of a release, cut for the model.

    Attributes:
        sentences: as they are to be translated.
        language: theirs.
        segments: what the model gets of them.
        owners: for each segment, the place of its sentence in `sentences`.
    """

    sentences: Sequence[Sentence]
    language: Language
    segments: Sequence[str]
    owners: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Call:
    """What the sentences of one request share."""

    language: Language
    ask: Ask
    timings: Timings
    came: float


class Translators:
    """The translators that are loaded, and which languages go to which of them."""

    def __init__(
        self, translators: Mapping[str, "Translator"], routes: Mapping[Language, str]
    ) -> None:
        """Make a set of translators.

        Args:
            translators: by name.
            routes: the name of each language's translator.
        """
        self._translators = translators
        self._routes = routes

    def find(self, language: Language, name: str = "") -> "Translator":
        """Find the translator that has a name, or else the one that a language goes to.

        Raises:
            FeatureUnavailable: there is none of that name, or it doesn't read the language.
            LanguageUnsupported: the language goes to none.
        """
        if name:
            translator = self.named(name)
            if language not in translator.languages:
                read = ", ".join(sorted(translator.languages))
                raise FeatureUnavailable(_FIELD, f"{name} reads {read}, and not '{language}'")
            return translator
        if language not in self._routes:
            raise LanguageUnsupported(language, [*self._routes, Language.ENGLISH])
        return self._translators[self._routes[language]]

    def named(self, name: str) -> "Translator":
        """Find the translator that has a name.

        Raises:
            FeatureUnavailable: there is none.
        """
        if name not in self._translators:
            loaded = ", ".join(sorted(self._translators))
            raise FeatureUnavailable(_FIELD, f"must be one of the loaded {loaded}, or empty")
        return self._translators[name]


class Translator:
    """Translates sentences by one model and checks each result.

    Each sentence is decoded greedily. One whose checks find something is decoded again alone by
    beam search, and then in parts; the result with the lightest findings is kept.
    """

    def __init__(
        self,
        queue: SegmentQueue,
        backend: TranslationBackend,
        identity: ModelIdentity,
        languages: Collection[Language] = SOURCES,
        *,
        beam_size: int,
        decode_again: bool,
    ) -> None:
        """Make a translator.

        Args:
            queue: feeds the model.
            backend: the model, for counting tokens.
            identity: what the model is.
            languages: what the model reads.
            beam_size: width of the beam of the second decoding.
            decode_again: whether failing sentences are decoded again at all.
        """
        self.identity = identity
        self.languages = languages
        self._queue = queue
        self._backend = backend
        self._beam_size = beam_size
        self._decode_again = decode_again

    def options(self, *, reproducible: bool) -> Mapping[str, str]:
        """Tell what shapes the result beside the model, for the signature."""
        again = f"beam{self._beam_size},split" if self._decode_again else "none"
        return {
            "decoding": "greedy",
            "again": again,
            "batch": self._queue.batching(reproducible=reproducible),
            "segment": str(self._backend.max_source_tokens),
        }

    async def plan(self, sentences: Sequence[Sentence], language: Language, ask: Ask) -> Plan:
        """Cut the sentences of one release for the model, and see that there is room for them.

        Args:
            sentences: what is to be translated.
            language: theirs.
            ask: what the request asks of the queue.

        Raises:
            LoadError: there is no room, or no time.
        """
        plan, tokens = await asyncio.to_thread(self._plan, sentences, language)
        self._queue.admit(len(plan.segments), tokens, ask)
        return plan

    async def translate(
        self, plan: Plan, *, ask: Ask, timings: Timings, cutoff: float | None = None
    ) -> AsyncGenerator[Translation, None]:
        """Give the English of each sentence once, in the order in which they finish.

        Args:
            plan: the sentences, planned for the same request.
            ask: what the request asks of the queue; its beam and language are of no
                account.
            timings: the request's, to which the stages are added.
            cutoff: `time.monotonic()` value at which to stop: sentences that were to be decoded
                again stay as they are then, unless the request is to be reproducible; those that
                have no English are left out, if a partial result is asked for.

        Raises:
            LoadError: there is no room, or no time.
        """
        started = time.monotonic()
        told = replace(ask, language=plan.language)
        call = _Call(plan.language, told, timings, started)
        again: dict[asyncio.Task[Translation], Translation] = {}
        first_cutoff = cutoff if ask.partial else None
        try:
            async with aclosing(before(self._first_pass(plan, call), first_cutoff)) as firsts:
                async for first in firsts:
                    if first.findings and self._decode_again:
                        again[asyncio.create_task(self._again(first, call))] = first
                    else:
                        given = time.monotonic()
                        yield first
                        started += time.monotonic() - given  # the reader's time isn't ours
            timings.add("translate", time.monotonic() - started)
            started = time.monotonic()
            again_cutoff = cutoff if call.ask.may_vary else None
            async with aclosing(finished_before(again, again_cutoff)) as results:
                async for translation in results:
                    given = time.monotonic()
                    yield translation
                    started += time.monotonic() - given
            timings.add("decode_again", time.monotonic() - started)
        finally:
            for task in again:
                task.cancel()
            await asyncio.gather(*again, return_exceptions=True)

    async def _first_pass(self, plan: Plan, call: _Call) -> AsyncGenerator[Translation, None]:
        """Decode all sentences greedily together; gives each when its last segment is done."""
        expected = Counter(plan.owners)
        done: defaultdict[int, dict[int, Hypothesis]] = defaultdict(dict)
        async with aclosing(self._queue.translate(plan.segments, call.ask)) as results:
            async for result in results:
                call.timings.queue = max(call.timings.queue, result.wait)
                place = plan.owners[result.index]
                done[place][result.index] = result.hypothesis
                if len(done[place]) == expected[place]:
                    hypotheses = [hypothesis for _, hypothesis in sorted(done.pop(place).items())]
                    decoding = Decoding.GREEDY if len(hypotheses) == 1 else Decoding.SPLIT
                    yield await _compose(plan.sentences[place], hypotheses, decoding, call.language)

    async def _again(self, first: Translation, call: _Call) -> Translation:
        """Decode a failing sentence by safer methods until one passes; gives the best of all."""
        best, sentence = first, first.sentence
        for parts in await asyncio.to_thread(self._attempts, sentence.text, call.language):
            decoding = Decoding.BEAM if len(parts) == 1 else Decoding.SPLIT
            try:
                hypotheses = await self._beam(parts, call)
            except DeadlineExceeded:
                if call.ask.may_vary:  # what there is stays
                    break
                raise
            again = await _compose(sentence, hypotheses, decoding, call.language)
            best = min(best, again, key=_rank)
            if weigh(best.findings) <= _SPLIT_COST:  # no parts could win against it
                break
        return best

    def _plan(self, sentences: Sequence[Sentence], language: Language) -> tuple[Plan, int]:
        """Cut sentences into segments; gives also the segments' tokens in all."""
        segments: list[str] = []
        owners: list[int] = []
        for place, sentence in enumerate(sentences):
            parts = self._cut(sentence.text, language, self._backend.max_source_tokens)
            segments.extend(parts)
            owners.extend([place] * len(parts))
        tokens = sum(self._count(segment, language) for segment in segments)
        return Plan(sentences, language, segments, owners), tokens

    def _attempts(self, text: str, language: Language) -> list[list[str]]:
        """Tell the ways to cut a failing sentence: as little as can be, then into smaller parts."""
        tokens, limit = self._count(text, language), self._backend.max_source_tokens
        whole = self._cut(text, language, limit)
        if tokens < _SPLIT_MINIMUM:
            return [whole]
        parts = self._cut(text, language, min(limit, int(tokens * _SPLIT_SHARE)))
        return [whole, parts] if len(parts) > len(whole) else [whole]

    async def _beam(self, segments: Sequence[str], call: _Call) -> list[Hypothesis]:
        ask = replace(
            call.ask, beam_size=self._beam_size, since=call.came, partial=False, room=None
        )
        async with aclosing(self._queue.translate(segments, ask)) as results:
            done = {result.index: result.hypothesis async for result in results}
        return [done[index] for index in range(len(segments))]

    def _cut(self, text: str, language: Language, limit: int) -> list[str]:
        spans = split_long(text, language, limit, partial(self._count, language=language))
        parts = (text[span.start : span.end].strip() for span in spans)
        return [part for part in parts if part]

    def _count(self, text: str, language: Language) -> int:
        return len(self._backend.tokenize(text, language))


def keep(sentence: Sentence) -> Translation:
    """Take an English sentence as its own translation."""
    return Translation(sentence, sentence.text, None, Decoding.NONE)


async def _compose(
    sentence: Sentence, parts: Sequence[Hypothesis], decoding: Decoding, language: Language
) -> Translation:
    """Make a translation of hypotheses, off the event loop: the checks of a long one take time."""
    return await asyncio.to_thread(_join_and_check, sentence, parts, decoding, language)


def _join_and_check(
    sentence: Sentence, parts: Sequence[Hypothesis], decoding: Decoding, language: Language
) -> Translation:
    """Join the parts of a sentence, check the whole and mend what can be mended without a model."""
    joined = finish(join_parts([part.text for part in parts]), sentence.text)
    text = mend_numerals(repair(joined, sentence.text), sentence.text, language)
    score = _mean_score(parts)
    truncated = any(part.truncated for part in parts)
    findings = check(sentence.text, text, language, score, truncated=truncated)
    mended = mend(text, findings)
    if mended != text:
        findings = check(sentence.text, mended, language, score, truncated=truncated)
    return Translation(sentence, mended, score, decoding, findings)


def _mean_score(parts: Sequence[Hypothesis]) -> float:
    tokens = sum(part.tokens for part in parts)
    return sum(part.score * part.tokens for part in parts) / tokens if tokens else 0.0


def _rank(translation: Translation) -> tuple[float, float]:
    """Order candidates: the lightest findings first, then the best score."""
    split = _SPLIT_COST if translation.decoding is Decoding.SPLIT else 0.0
    return weigh(translation.findings) + split, -(translation.score or 0.0)

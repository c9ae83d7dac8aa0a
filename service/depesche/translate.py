"""Sentences into English: decode, check, and decode again what fails."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from depesche.candidate import SPLIT_COST, compose, missing_terms, rank, swapped
from depesche.errors import DeadlineExceeded, FeatureUnavailable, LanguageUnsupported
from depesche.fidelity import LEAST_SCORE, weigh
from depesche.fidelity.term_swap import bare_words
from depesche.fidelity.terms import check_terms, find_english
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.queue import Ask, SegmentQueue
from depesche.inference.until import before, finished_before
from depesche.text.clauses import split_long
from depesche.text.terms import TermPlace, substitute
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
        terms: the glossary's terms in each sentence, by its index; none of those that hold none.
    """

    sentences: Sequence[Sentence]
    language: Language
    segments: Sequence[str]
    owners: Sequence[int]
    terms: Mapping[int, Sequence[TermPlace]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Call:
    """What the sentences of one request share."""

    plan: Plan
    ask: Ask
    timings: Timings
    came: float

    @property
    def language(self) -> Language:
        return self.plan.language

    def terms(self, sentence: Sentence) -> Sequence[TermPlace]:
        return self.plan.terms.get(sentence.index, ())


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
    beam search, and then in parts; the result with the lightest findings is kept. Where a
    glossary's English is missing, it first takes the place of the model's own words for the term,
    or else is put into the source.
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
        least_score: float = LEAST_SCORE,
    ) -> None:
        """Make a translator.

        Args:
            queue: feeds the model.
            backend: the model, for counting tokens.
            identity: what the model is.
            languages: what the model reads.
            beam_size: width of the beam of the second decoding.
            decode_again: whether failing sentences are decoded again at all.
            least_score: mean log-probability per token below which its words are doubtful.
        """
        self.identity = identity
        self.languages = languages
        self._queue = queue
        self._backend = backend
        self._beam_size = beam_size
        self._decode_again = decode_again
        self._least_score = least_score

    def options(self, *, reproducible: bool) -> Mapping[str, str]:
        """Tell what shapes the result beside the model, for the signature."""
        doubt = f"doubt{self._least_score:g}"
        again = f"beam{self._beam_size},split,{doubt}" if self._decode_again else "none"
        return {
            "decoding": "greedy",
            "again": again,
            "batch": self._queue.batching(reproducible=reproducible),
            "segment": str(self._backend.max_source_tokens),
        }

    async def plan(
        self,
        sentences: Sequence[Sentence],
        language: Language,
        ask: Ask,
        terms: Mapping[int, Sequence[TermPlace]] | None = None,
    ) -> Plan:
        """Cut the sentences of one release for the model, and see that there is room for them.

        Args:
            sentences: what is to be translated.
            language: theirs.
            ask: what the request asks of the queue.
            terms: the glossary's terms in the sentences, by the sentence's index.

        Raises:
            LoadError: there is no room, or no time.
        """
        plan, tokens = await asyncio.to_thread(self._plan, sentences, language)
        self._queue.admit(len(plan.segments), tokens, ask)
        return replace(plan, terms=terms or {})

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
        call = _Call(plan, told, timings, started)
        again: dict[asyncio.Task[Translation], Translation] = {}
        first_cutoff = cutoff if ask.partial else None
        try:
            async with aclosing(before(self._first_pass(plan, call), first_cutoff)) as firsts:
                async for first in firsts:
                    if self._may_improve(first):
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
                    sentence = plan.sentences[place]
                    yield await self._composed(sentence, hypotheses, decoding, call)

    def _may_improve(self, first: Translation) -> bool:
        """Tell whether a result is to be improved; a missing term was asked for, and always is."""
        return bool(first.findings) and (self._decode_again or missing_terms(first) > 0)

    async def _again(self, first: Translation, call: _Call) -> Translation:
        """Decode a failing sentence by safer methods until one passes; gives the best of all."""
        best, sentence = first, first.sentence
        try:
            if missing_terms(best):
                best = await self._swapped(best, call)
            if missing_terms(best):
                best = await self._substituted(best, call)
            if not (best.findings and self._decode_again):
                return best
            for parts in await asyncio.to_thread(self._attempts, sentence.text, call.language):
                again = await self._decoded(sentence, parts, call)
                best = min(best, again, key=rank)
                if weigh(best.findings) <= SPLIT_COST:  # no parts could win against it
                    break
        except DeadlineExceeded:
            if not call.ask.may_vary:
                raise
        return best  # what there is stays

    async def _swapped(self, first: Translation, call: _Call) -> Translation:
        """Put the glossary's English in the place of what the model has for the terms alone."""
        terms = call.terms(first.sentence)
        asked = [
            (term.source, first.sentence.text[term.span.start : term.span.end])
            if span is None
            else ()
            for term, span in zip(terms, find_english(first.text, terms), strict=True)
        ]
        alone = await asyncio.to_thread(self._short, asked, call.language)
        done = await self._decode(alone, call, beam_size=1)
        words = {form: bare_words(h.text) for form, h in zip(alone, done, strict=True)}
        own = [[words[form] for form in forms if form in words] for forms in asked]
        return await asyncio.to_thread(
            swapped, first, own, call.language, terms, least_score=self._least_score
        )

    def _short(self, asked: Sequence[Sequence[str]], language: Language) -> list[str]:
        """List forms of terms once, but for those too long for the model."""
        alone = dict.fromkeys(form for forms in asked for form in forms)
        limit = self._backend.max_source_tokens
        return [form for form in alone if self._count(form, language) <= limit]

    async def _substituted(self, best: Translation, call: _Call) -> Translation:
        """Decode a sentence with the glossary's English in it."""
        sentence, limit = best.sentence, self._backend.max_source_tokens
        text = substitute(sentence.text, call.terms(sentence))
        parts = await asyncio.to_thread(self._cut, text, call.language, limit)
        again = await self._decoded(sentence, parts, call)
        # A sentence that doesn't even take the English up may have come out as anything.
        return min(best, again, key=rank) if missing_terms(again) < missing_terms(best) else best

    async def _decoded(self, sentence: Sentence, parts: Sequence[str], call: _Call) -> Translation:
        decoding = Decoding.BEAM if len(parts) == 1 else Decoding.SPLIT
        hypotheses = await self._decode(parts, call, beam_size=self._beam_size)
        return await self._composed(sentence, hypotheses, decoding, call)

    async def _composed(
        self, sentence: Sentence, parts: Sequence[Hypothesis], decoding: Decoding, call: _Call
    ) -> Translation:
        terms = call.terms(sentence)
        return await compose(
            sentence, parts, decoding, call.language, terms, least_score=self._least_score
        )

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

    async def _decode(
        self, segments: Sequence[str], call: _Call, *, beam_size: int
    ) -> list[Hypothesis]:
        ask = replace(call.ask, beam_size=beam_size, since=call.came, partial=False, room=None)
        async with aclosing(self._queue.translate(segments, ask)) as results:
            done = {result.index: result.hypothesis async for result in results}
        return [done[index] for index in range(len(segments))]

    def _cut(self, text: str, language: Language, limit: int) -> list[str]:
        spans = split_long(text, language, limit, partial(self._count, language=language))
        parts = (text[span.start : span.end].strip() for span in spans)
        return [part for part in parts if part]

    def _count(self, text: str, language: Language) -> int:
        return len(self._backend.tokenize(text, language))


def keep(sentence: Sentence, terms: Sequence[TermPlace] = ()) -> Translation:
    """Take an English sentence as its own translation, which may lack a glossary's English."""
    findings = tuple(check_terms(sentence.text, sentence.text, terms))
    return Translation(sentence, sentence.text, None, Decoding.NONE, findings)

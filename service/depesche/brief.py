"""From a release to its brief: the whole pipeline on one page.

Release → language → sentences → translation → key sentences → brief.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from depesche import __version__
from depesche.errors import DeadlineExceeded, InvalidRequest, Violation
from depesche.fidelity.terms import outcomes
from depesche.inference.queue import Ask
from depesche.key_sentences import BODY, Chosen, KeySentences
from depesche.text import document, language, segment, sentences
from depesche.text.clauses import shorten
from depesche.text.terms import TermPlace, Terms
from depesche.translate import Plan, Translator, Translators, keep
from depesche.types import (
    BlockKind,
    Brief,
    BriefOptions,
    BriefSentence,
    ContentFormat,
    Detection,
    GlossaryTerm,
    GlossaryUse,
    Language,
    ModelIdentity,
    Release,
    Sentence,
    Signature,
    Timings,
    Translation,
)

__all__ = ["Briefer", "Prepared", "Started", "summary_cutoff"]

# Seconds that a summary is given where the deadline cuts the translation short: the encoder's for
# one call, and for each sentence, several times what they are on one core; but at most this share
# of the time that there is, in which few of a long release's sentences can be translated.
_SUMMARY_SECONDS = 0.3
_SUMMARY_SECONDS_EACH = 0.02
_SUMMARY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Prepared:
    """A release that has been read.

    Attributes:
        detection: its language.
        sentences: its sentences, in document order; never empty.
        translator: translates them; None for English, which stays as it is.
        plan: how it does.
        terms: the glossary's terms in the sentences, by the sentence's index.
    """

    detection: Detection
    sentences: Sequence[Sentence]
    translator: Translator | None = None
    plan: Plan | None = None
    terms: Mapping[int, Sequence[TermPlace]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """The first event of a brief: the release is understood, its translation begins.

    Attributes:
        detection: the release's language.
        sentence_count: how many translations follow.
    """

    detection: Detection
    sentence_count: int


class Briefer:
    """Runs the pipeline on loaded models."""

    def __init__(
        self, translators: Translators, key_sentences: KeySentences, max_sentences: int
    ) -> None:
        """Make a pipeline.

        Args:
            translators: give the English of sentences.
            key_sentences: chooses or writes the key sentences.
            max_sentences: most sentences that a release may hold.
        """
        self._translators = translators
        self._key_sentences = key_sentences
        self._max_sentences = max_sentences

    async def stream(
        self, release: Release, options: BriefOptions, ask: Ask
    ) -> AsyncGenerator[Started | Translation | Brief, None]:
        """Brief a release, telling of each step: the start, each sentence, the brief.

        Args:
            release: what to brief.
            options: what is asked of the brief.
            ask: what is asked of the queue.

        Raises:
            RequestError: the release can't be briefed; see its subclasses.
            LoadError: there is no room, or no time.
        """
        timings = Timings()
        prepared = await self.prepare(release, options, ask, timings)
        # Not before it is let in: gRPC doesn't try a call again of which something has come back.
        yield Started(prepared.detection, len(prepared.sentences))
        translations: list[Translation] = []
        cutoff = summary_cutoff(len(prepared.sentences), ask)
        steps = self.translate(prepared, ask, timings, cutoff)
        async with aclosing(steps):
            async for translation in steps:
                translations.append(translation)
                yield translation
        if not translations:
            raise DeadlineExceeded("the deadline passed before a sentence was translated")
        translations.sort(key=lambda t: t.sentence.index)
        chosen = await self.choose(translations, options, ask, timings, cutoff)
        yield Brief(
            headline=_headline(translations),
            key_sentences=chosen.sentences,
            detection=prepared.detection,
            translations=tuple(translations),
            signature=self.signature(prepared, options, chosen),
            timings=timings,
            missing=_missing(prepared.sentences, translations),
            glossary=await asyncio.to_thread(self.glossary, prepared, options, translations),
        )

    async def prepare(
        self, release: Release, options: BriefOptions, ask: Ask, timings: Timings
    ) -> Prepared:
        """Read a release, its language and its sentences, and see that there is room for it.

        Raises:
            InvalidRequest: it holds no sentence, or too many.
            LanguageUnsupported: no model translates its language.
            FeatureUnavailable: the model that the options name doesn't.
            LoadError: there is no room, or no time.
        """
        with _timed(timings, "read"):
            detection, found = await asyncio.to_thread(_read, release)
            if len(found) > self._max_sentences:
                rule = f"holds {len(found)} sentences; the limit is {self._max_sentences}"
                raise InvalidRequest([Violation("release.text", rule)])
            terms = await asyncio.to_thread(_match, options.glossary, found, detection.language)
            if detection.language is Language.ENGLISH:
                return Prepared(detection, found, terms=terms)
            translator = self._translators.find(detection.language, options.translation_model)
            plan = await translator.plan(found, detection.language, ask, terms)
            return Prepared(detection, found, translator, plan, terms)

    async def translate(
        self,
        prepared: Prepared,
        ask: Ask,
        timings: Timings,
        cutoff: float | None = None,
    ) -> AsyncGenerator[Translation, None]:
        """Give the English of each sentence as it is ready; English stays as it is.

        See `Translator.translate` of the cutoff.
        """
        if prepared.translator is None or prepared.plan is None:
            for sentence in prepared.sentences:
                yield keep(sentence, prepared.terms.get(sentence.index, ()))
            return
        steps = prepared.translator.translate(
            prepared.plan, ask=ask, timings=timings, cutoff=cutoff
        )
        async with aclosing(steps):
            async for translation in steps:
                yield translation

    async def choose(
        self,
        translations: Sequence[Translation],
        options: BriefOptions,
        ask: Ask,
        timings: Timings,
        cutoff: float | None = None,
    ) -> Chosen:
        """Choose or write the key sentences; see `KeySentences.choose`."""
        with _timed(timings, "summarise"):
            return await self._key_sentences.choose(translations, options, ask, cutoff)

    def glossary(
        self, prepared: Prepared, options: BriefOptions, translations: Sequence[Translation]
    ) -> tuple[GlossaryUse, ...]:
        """Tell what became of each term of the glossary."""
        english = {t.sentence.index: t.text for t in translations}
        return outcomes(options.glossary, prepared.terms, english)

    def signature(
        self, prepared: Prepared, options: BriefOptions, chosen: Chosen | None = None
    ) -> Signature:
        """Tell all that shapes a result: a translation alone, or with its key sentences."""
        models: list[ModelIdentity] = []
        settings: dict[str, str] = {}
        if prepared.translator is not None:
            models.append(prepared.translator.identity)
            settings |= prepared.translator.options(reproducible=options.reproducible)
        if chosen is not None:
            models += chosen.models
            settings |= chosen.options
        if options.glossary:
            settings["glossary"] = _digest(options.glossary)
        return Signature(__version__, sentences.VERSION, tuple(models), settings)


def _read(release: Release) -> tuple[Detection, Sequence[Sentence]]:
    blocks = document.read(release)
    body = "\n".join(block.content.text for block in blocks)
    if release.language is None:
        detection = language.detect(body)
    else:
        # Lines may each be anything, and a few of them are no text to judge the whole by.
        if release.content_format is not ContentFormat.LINES:
            language.check_named(body, release.language)
        detection = Detection(release.language, 1.0)
    found = segment.sentences(blocks, release, detection.language)
    if not found:
        raise InvalidRequest([Violation("release.text", "holds no sentence")])
    return detection, found


def _match(
    glossary: Sequence[GlossaryTerm], found: Sequence[Sentence], language: Language
) -> Mapping[int, Sequence[TermPlace]]:
    if not glossary:
        return {}
    terms = Terms(glossary, language)
    matched = {sentence.index: terms.find(sentence.text) for sentence in found}
    return {index: places for index, places in matched.items() if places}


def _digest(glossary: Sequence[GlossaryTerm]) -> str:
    """Give the first 12 digits of the SHA-256 of a glossary, written as JSON."""
    written = json.dumps([[term.source, term.target] for term in glossary], ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()[:12]


def _headline(translations: Sequence[Translation]) -> BriefSentence:
    """Take the release's own title, or else its lead, shortened at a clause."""
    titles = [t for t in translations if t.sentence.kind is BlockKind.TITLE and t.text]
    if titles:
        return BriefSentence(
            shorten(" ".join(t.text for t in titles)),
            tuple(t.sentence.index for t in titles),
            tuple(finding for t in titles for finding in t.findings),
        )
    body = (t for t in translations if t.sentence.kind in BODY and t.text)
    lead = next(body, translations[0])
    return BriefSentence(shorten(lead.text), (lead.sentence.index,), lead.findings)


def summary_cutoff(sentences: int, ask: Ask) -> float | None:
    """Tell when there must be an end for a summary of what is done, or None if there needn't.

    Args:
        sentences: how many the release has.
        ask: what the request asks of the queue.
    """
    if ask.deadline is None:
        return None
    left = max(0.0, ask.deadline - time.monotonic())
    return ask.deadline - min(
        _SUMMARY_SECONDS + _SUMMARY_SECONDS_EACH * sentences, _SUMMARY_SHARE * left
    )


def _missing(
    sentences: Sequence[Sentence], translations: Sequence[Translation]
) -> tuple[Sentence, ...]:
    done = {translation.sentence.index for translation in translations}
    return tuple(sentence for sentence in sentences if sentence.index not in done)


@contextmanager
def _timed(timings: Timings, stage: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        timings.add(stage, time.monotonic() - started)

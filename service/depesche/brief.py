"""From a release to its brief: the whole pipeline on one page.

Release → language → sentences → translation → key sentences → brief.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from depesche import __version__
from depesche.errors import InvalidRequest, Violation
from depesche.fidelity import weigh
from depesche.summarise import Summariser
from depesche.text import document, language, segment, sentences
from depesche.text.clauses import shorten
from depesche.translate import Translator
from depesche.types import (
    BlockKind,
    Brief,
    BriefOptions,
    BriefSentence,
    ContentFormat,
    Detection,
    Language,
    Priority,
    Release,
    Sentence,
    Signature,
    Timings,
    Translation,
)

__all__ = ["Briefer", "Prepared", "Started"]

# Weight of findings from which a sentence gives way to any sound one: that of one wrong figure.
_UNSOUND = 3.0
# Share of the range of relevance that a lighter finding costs, for each unit of its weight.
_DOUBT = 0.1

_BODY = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A release that has been read.

    Attributes:
        detection: its language.
        sentences: its sentences, in document order; never empty.
    """

    detection: Detection
    sentences: Sequence[Sentence]


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

    def __init__(self, translator: Translator, summariser: Summariser, max_sentences: int) -> None:
        """Make a pipeline.

        Args:
            translator: gives the English of sentences.
            summariser: chooses key sentences.
            max_sentences: most sentences that a release may hold.
        """
        self._translator = translator
        self._summariser = summariser
        self._max_sentences = max_sentences

    async def stream(
        self, release: Release, options: BriefOptions, *, deadline: float | None = None
    ) -> AsyncGenerator[Started | Translation | Brief, None]:
        """Brief a release, telling of each step: the start, each sentence, the brief.

        Args:
            release: what to brief.
            options: what is asked of the brief.
            deadline: `time.monotonic()` value after which nobody wants it.

        Raises:
            RequestError: the release can't be briefed; see its subclasses.
            LoadError: there is no room, or no time.
        """
        timings = Timings()
        prepared = await self.prepare(release, timings)
        yield Started(prepared.detection, len(prepared.sentences))
        translations: list[Translation] = []
        steps = self.translate(prepared, options.priority, deadline, timings)
        async with aclosing(steps):
            async for translation in steps:
                translations.append(translation)
                yield translation
        translations.sort(key=lambda t: t.sentence.index)
        with _timed(timings, "summarise"):
            key_sentences = await self._key_sentences(translations, options.sentence_count)
        yield Brief(
            headline=_headline(translations),
            key_sentences=key_sentences,
            detection=prepared.detection,
            translations=tuple(translations),
            signature=self.signature(prepared.detection.language, options),
            timings=timings,
        )

    async def prepare(self, release: Release, timings: Timings) -> Prepared:
        """Read a release: its language and its sentences.

        Raises:
            InvalidRequest: it holds no sentence, or too many.
            LanguageUnsupported: no model translates its language.
        """
        with _timed(timings, "read"):
            prepared = await asyncio.to_thread(_prepare, release)
        count = len(prepared.sentences)
        if count > self._max_sentences:
            rule = f"holds {count} sentences; the limit is {self._max_sentences}"
            raise InvalidRequest([Violation("release.text", rule)])
        return prepared

    async def translate(
        self, prepared: Prepared, priority: Priority, deadline: float | None, timings: Timings
    ) -> AsyncGenerator[Translation, None]:
        """Give the English of each sentence as it is ready; English stays as it is."""
        if prepared.detection.language is Language.ENGLISH:
            for sentence in prepared.sentences:
                yield self._translator.keep(sentence)
            return
        steps = self._translator.translate(
            prepared.sentences,
            prepared.detection.language,
            priority=priority,
            deadline=deadline,
            timings=timings,
        )
        async with aclosing(steps):
            async for translation in steps:
                yield translation

    async def choose(self, translations: Sequence[Translation], count: int) -> list[int]:
        """Choose key sentences among the body's; gives places in `translations`."""
        body = [i for i, t in enumerate(translations) if t.sentence.kind in _BODY and t.text]
        places = body or [i for i, t in enumerate(translations) if t.text]
        texts = [translations[i].text for i in places]
        penalties = [_penalty(translations[i]) for i in places]
        chosen = await asyncio.to_thread(self._summariser.summarise, texts, count, penalties)
        return [places[i] for i in chosen]

    def signature(self, source: Language, options: BriefOptions | None = None) -> Signature:
        """Tell all that shapes a result, with a summary where `options` are given."""
        models = [] if source is Language.ENGLISH else [self._translator.identity]
        settings = {} if source is Language.ENGLISH else dict(self._translator.options)
        if options is not None:
            models.append(self._summariser.identity)
            settings |= {
                "sentences": str(options.sentence_count),
                "strategy": options.strategy.value,
            }
        return Signature(__version__, sentences.VERSION, tuple(models), settings)

    async def _key_sentences(
        self, translations: Sequence[Translation], count: int
    ) -> tuple[BriefSentence, ...]:
        places = await self.choose(translations, count)
        return tuple(_brief_sentence(translations[i]) for i in places)


def _prepare(release: Release) -> Prepared:
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
    return Prepared(detection, found)


def _penalty(translation: Translation) -> float:
    """Tell how far a sentence's findings lower its relevance, which is from 0 to 1."""
    weight = weigh(translation.findings)
    return 1.0 if weight >= _UNSOUND else _DOUBT * weight


def _brief_sentence(translation: Translation) -> BriefSentence:
    return BriefSentence(translation.text, (translation.sentence.index,), translation.findings)


def _headline(translations: Sequence[Translation]) -> BriefSentence:
    """Take the release's own title, or else its lead, shortened at a clause."""
    titles = [t for t in translations if t.sentence.kind is BlockKind.TITLE and t.text]
    if titles:
        return BriefSentence(
            shorten(" ".join(t.text for t in titles)),
            tuple(t.sentence.index for t in titles),
            tuple(finding for t in titles for finding in t.findings),
        )
    body = (t for t in translations if t.sentence.kind in _BODY and t.text)
    lead = next(body, translations[0])
    return BriefSentence(shorten(lead.text), (lead.sentence.index,), lead.findings)


@contextmanager
def _timed(timings: Timings, stage: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        timings.add(stage, time.monotonic() - started)

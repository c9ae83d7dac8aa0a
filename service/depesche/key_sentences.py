"""The key sentences of a brief: chosen from the translation, or written by a model and checked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depesche.abstract import Abstractors
from depesche.alignment import align, explains
from depesche.errors import DeadlineExceeded, QueueFull
from depesche.fidelity import weigh
from depesche.fidelity.abridged import check_abridged
from depesche.inference.queue import Ask
from depesche.summarise import Summariser, is_sound, rank
from depesche.types import (
    BlockKind,
    BriefOptions,
    BriefSentence,
    Finding,
    ModelIdentity,
    SummaryStrategy,
    Translation,
)

__all__ = ["BODY", "Chosen", "KeySentences"]

_Floats = NDArray[np.float32]

BODY = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM})
"""The kinds of block whose sentences may stand in a brief."""

# Weight of findings from which a sentence gives way to any sound one: that of one wrong figure.
_UNSOUND = 3.0
# Share of the range of relevance that a lighter finding costs, for each unit of its weight.
_DOUBT = 0.1
# In signatures: sentences that don't stand the checks give way to chosen ones.
_BOTH = f"{SummaryStrategy.ABSTRACTIVE},{SummaryStrategy.EXTRACTIVE}"
# Bytes that aren't UTF-8, of a model that writes them, come as this.
_SPOILT = "\N{REPLACEMENT CHARACTER}"
# Of the ranking of the translation's sentences, so many times those that are asked for are enough:
# a written sentence rules out the three at most that it rests on.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Chosen:
    """Key sentences, and what shaped them.

    Attributes:
        sentences: in document order.
        models: that took part.
        options: what else did, for the signature.
    """

    sentences: tuple[BriefSentence, ...]
    models: tuple[ModelIdentity, ...]
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Body:
    """The sentences that may be chosen.

    `translations` are those sentences, `texts` their English, and `penalties` by how much their
    findings lower their relevance, which is from 0 to 1.
    """

    translations: Sequence[Translation]
    texts: Sequence[str]
    penalties: Sequence[float]

    def taken(self, place: int) -> BriefSentence:
        """Take a sentence as it is."""
        translation = self.translations[place]
        return BriefSentence(translation.text, (translation.sentence.index,), translation.findings)


class KeySentences:
    """Gives the key sentences of translated releases."""

    def __init__(self, summariser: Summariser, abstractors: Abstractors) -> None:
        """Take what chooses, and what writes."""
        self._summariser = summariser
        self._abstractors = abstractors

    async def choose(
        self,
        translations: Sequence[Translation],
        options: BriefOptions,
        ask: Ask,
        cutoff: float | None = None,
    ) -> Chosen:
        """Choose or write the key sentences of a release.

        A written sentence must be explained by sentences of the translation and add nothing to
        them; one of the translation takes the place of any other. Where there is no room or time
        to write, all are chosen, unless the result is to be reproducible.

        Args:
            translations: the release's sentences with their English, in document order.
            options: what is asked of the brief.
            ask: what the request asks of the queue.
            cutoff: `time.monotonic()` value after which not to wait for the models.

        Raises:
            FeatureUnavailable: no such model as the options name is loaded.
            LoadError: there is no room, or no time.
        """
        body, count = _body(translations), options.sentence_count
        chosen = {"sentences": str(count), "strategy": SummaryStrategy.EXTRACTIVE.value}
        if options.strategy is SummaryStrategy.EXTRACTIVE:
            return await self._chosen(body, count, chosen, cutoff)
        abstractor = self._abstractors.find(options.summary_model)
        shape = {**chosen, "strategy": _BOTH, **abstractor.options(reproducible=ask.reproducible)}
        if len(body.texts) <= count:  # there is nothing to leave out
            return await self._chosen(body, count, shape, cutoff, abstractor.identity)
        try:
            written = await abstractor.write(_readable(body), ask, cutoff)
        except (QueueFull, DeadlineExceeded):
            if not ask.may_vary:
                raise
            return await self._chosen(body, count, chosen, cutoff)
        embeddings = await self._summariser.embed([*body.texts, *written], cutoff)
        sentences = await asyncio.to_thread(_compose, body, written, embeddings, count)
        return Chosen(sentences, (abstractor.identity, self._summariser.identity), shape)

    async def _chosen(
        self,
        body: _Body,
        count: int,
        shape: Mapping[str, str],
        cutoff: float | None,
        *models: ModelIdentity,
    ) -> Chosen:
        places = await self._summariser.summarise(body.texts, count, body.penalties, cutoff)
        sentences = tuple(body.taken(place) for place in places)
        return Chosen(sentences, (*models, self._summariser.identity), shape)


def _body(translations: Sequence[Translation]) -> _Body:
    said = [translation for translation in translations if translation.text]
    body = [translation for translation in said if translation.sentence.kind in BODY] or said
    return _Body(body, [t.text for t in body], [_penalty(t.findings) for t in body])


def _penalty(findings: Sequence[Finding]) -> float:
    weight = weigh(findings)
    return 1.0 if weight >= _UNSOUND else _DOUBT * weight


def _readable(body: _Body) -> list[str]:
    """Leave out what a summary mustn't rest on, as long as anything is left."""
    sound = [
        text
        for text, penalty in zip(body.texts, body.penalties, strict=True)
        if penalty < 1 and is_sound(text)
    ]
    return sound or list(body.texts)


def _compose(
    body: _Body, written: Sequence[str], embeddings: _Floats, count: int
) -> tuple[BriefSentence, ...]:
    """Take the best of what was written and holds, and fill up with the translation's sentences."""
    read, own = embeddings[: len(body.texts)], embeddings[len(body.texts) :]
    rests = align(body.texts, written, read, own)
    drafts = [_draft(body, text, rest) for text, rest in zip(written, rests, strict=True)]
    faults = [1.0 if draft is None else _penalty(draft.findings) for draft in drafts]
    found: list[BriefSentence] = []
    used: set[int] = set()
    instead: list[int] = []
    for place in rank(written, own, count, faults):
        draft, rest = drafts[place], rests[place]
        if draft is None:
            instead += [best for best in rest[:1] if body.penalties[best] < 1]
        elif used.isdisjoint(rest[:1]):
            found.append(draft)
            used.update(rest)
    for place in (*instead, *rank(body.texts, read, _SPARE * count, body.penalties)):
        if len(found) == count:
            break
        if place not in used:
            found.append(body.taken(place))
            used.add(place)
    return tuple(sorted(found, key=lambda sentence: sentence.sources))


def _draft(body: _Body, text: str, rest: Sequence[int]) -> BriefSentence | None:
    """Make a written sentence one of the brief's, unless the checks find anything wrong with it.

    What is wrong with the translation that it rests on is wrong with it too.
    """
    places = sorted(rest)
    source = " ".join(body.texts[place] for place in places)
    if not places or not is_sound(text) or _SPOILT in text:
        return None
    if not explains(source, text) or check_abridged(source, text):
        return None
    inherited = tuple(
        replace(finding, source_span=None, target_span=None)
        for place in places
        for finding in body.translations[place].findings
    )
    if weigh(inherited) >= _UNSOUND:
        return None
    sources = tuple(body.translations[place].sentence.index for place in places)
    return BriefSentence(text, sources, inherited, SummaryStrategy.ABSTRACTIVE)

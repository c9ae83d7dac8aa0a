"""Choose the key sentences of an English text."""

import asyncio
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depesche.inference.encoder_queue import EncoderQueue
from depesche.types import ModelIdentity

__all__ = ["Summariser", "choose", "is_sound", "rank"]

_Floats = NDArray[np.float32]

# Chosen on half of 150 English news articles; see bench/summaries.py.
_UNRELATED = 0.2  # likeness up to which two sentences have nothing to do with each other
_BEFORE = 0.5  # weight of likeness to what stands before, against 1 for what follows
_LEAD_WEIGHT = 0.3  # share of a sentence's place in its relevance, from 0 to 1
_LEAD_LENGTH = 4.0  # sentences after which that share has fallen to 1/e

_FEWEST_WORDS = 5
_FEWEST_LOWER_CASE_WORDS = 2

_OPENING = "\"'`(\N{LEFT SINGLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}"
# Neither looks past the next mark of its kind: long runs of them stay linear.
_QUESTION = re.compile(r"\?[^\w?]*$")
_BOILERPLATE = re.compile(
    r"""
    ^\W* (?: (?:press|media|news) \s+ )?
        (?: contacts? | e(?:n|i)quir(?:y|ies) | inquir(?:y|ies) | office | source
          | photos? | images? | pictures? | videos? | tel(?:ephone)? | phone | fax | mobile
          | e-?mail | web(?:site)? | (?:last\ )?updated | published | editors?'?s?\ note )
        \s* :
    | © | \(c\)\s*\d{4} | \bcopyright\b | all\ rights\ reserved
    | for\ (?:more|further)\ information
    | https?:// | \bwww\. | \S@[^\s@]+\.\w
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Summariser:
    """Chooses key sentences with a sentence encoder.

    Attributes:
        identity: the encoder's model, for signatures.
    """

    def __init__(self, queue: EncoderQueue, identity: ModelIdentity) -> None:
        """Make a summariser of the way to a loaded encoder and what names it."""
        self.identity = identity
        self._queue = queue

    async def summarise(
        self,
        sentences: Sequence[str],
        count: int,
        penalties: Sequence[float] | None = None,
        cutoff: float | None = None,
    ) -> list[int]:
        """Choose `count` of `sentences`; see `choose`, and `EncoderQueue.encode` of the cutoff."""
        if not sentences:
            return []
        embeddings = await self.embed(sentences, cutoff)
        return await asyncio.to_thread(choose, sentences, embeddings, count, penalties)

    async def embed(self, sentences: Sequence[str], cutoff: float | None = None) -> _Floats:
        """Embed sentences; see `EncoderQueue.encode`."""
        return await self._queue.encode(sentences, cutoff)


def choose(
    sentences: Sequence[str],
    embeddings: _Floats,
    count: int,
    penalties: Sequence[float] | None = None,
) -> list[int]:
    """Choose sentences as `rank` does, and give their indices in document order."""
    return sorted(rank(sentences, embeddings, count, penalties))


def rank(
    sentences: Sequence[str],
    embeddings: _Floats,
    count: int,
    penalties: Sequence[float] | None = None,
) -> list[int]:
    """Find the sentences that say most of a text and differ from each other.

    The most relevant sentence comes first, then whichever adds most to those chosen, as in maximal
    marginal relevance (Carbonell & Goldstein 1998, "The Use of MMR, Diversity-Based Reranking").
    Boilerplate, questions and what is too short to say something come last.

    Args:
        sentences: the English, in document order.
        embeddings: one row of Euclidean length 1 for each sentence.
        count: how many to choose; all if there are fewer.
        penalties: for each sentence, by how much to lower its relevance, which is from 0 to 1.

    Returns:
        The chosen sentences' indices, the best first.
    """
    if not sentences:
        return []
    sound = np.array([is_sound(sentence) for sentence in sentences])
    faults = (~sound).astype(np.float32)
    if penalties is not None:
        faults += np.asarray(penalties, np.float32)
    likeness = embeddings @ embeddings.T
    relevance = _relevance(likeness, sound)
    return _diverse(relevance, faults, likeness, min(count, len(sentences)))


def _relevance(likeness: _Floats, sound: NDArray[np.bool_]) -> _Floats:
    """Rate each sentence from 0 to 1 by its likeness to the others and by its place.

    News states first what it then elaborates, so a sentence is central if others are like it, and
    those after it count more than those before (Zheng & Lapata 2019, "Sentence Centrality Revisited
    for Unsupervised Summarization"). Sentences that aren't sound neither count nor take a place.
    """
    related = np.clip(likeness - _UNRELATED, 0, None) * sound
    after, before = np.triu(related, k=1), np.tril(related, k=-1)
    centrality = (after + _BEFORE * before).sum(axis=1)
    centrality = centrality / max(centrality.max(), np.finfo(np.float32).tiny)
    places = np.clip(np.cumsum(sound) - 1, 0, None)
    lead = np.exp(-places / _LEAD_LENGTH, dtype=np.float32)
    relevance: _Floats = (1 - _LEAD_WEIGHT) * centrality + _LEAD_WEIGHT * lead
    return relevance


def _diverse(relevance: _Floats, faults: _Floats, likeness: _Floats, count: int) -> list[int]:
    """Choose `count` indices, each for what it adds to the ones before.

    Of a sentence's unit vector, the part across a chosen one has the squared length 1 - cos². That
    share of its relevance is new. Unlike MMR's difference, it never favours what is off the topic.
    """
    chosen: list[int] = []
    novelty = np.ones_like(relevance)
    for _ in range(count):
        gains = relevance * novelty - faults
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        novelty = np.minimum(novelty, 1 - likeness[chosen[-1]].clip(0, 1) ** 2)
    return chosen


def is_sound(sentence: str) -> bool:
    """Tell whether a sentence is fit for a brief by its form: no question, fragment or contact."""
    return not (
        _is_fragment(sentence) or _QUESTION.search(sentence) or _BOILERPLATE.search(sentence)
    )


def _is_fragment(sentence: str) -> bool:
    """Tell a byline, a heading or a call from a sentence.

    Without a parser a verb can't be found, but English verbs and their particles are in lower case.
    """
    words = [word for word in sentence.split() if any(c.isalnum() for c in word)]
    lower = sum(word.lstrip(_OPENING)[:1].islower() for word in words)
    return len(words) < _FEWEST_WORDS or lower < _FEWEST_LOWER_CASE_WORDS

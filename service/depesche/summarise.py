"""Choose the key sentences of an English text."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depesche.inference.encoder import SentenceEncoder
from depesche.types import ModelIdentity

__all__ = ["Summariser", "choose"]

_Floats = NDArray[np.float32]

# Chosen on half of 150 English news articles; see bench/summaries.py.
_UNRELATED = 0.2  # likeness up to which two sentences have nothing to do with each other
_LEAD_WEIGHT = 0.15  # share of a sentence's place in its relevance, from 0 to 1
_LEAD_LENGTH = 4.0  # sentences after which that share has fallen to 1/e
_RELEVANCE_WEIGHT = 0.6  # relevance against novelty, from 0 to 1
_SAME = 0.9  # likeness from which two sentences say the same

_FEWEST_WORDS = 5
_FEWEST_LOWER_CASE_WORDS = 2
_BOILERPLATE_PENALTY = 1.0
_QUESTION_PENALTY = 0.5

_OPENING = "\"'`(\N{LEFT SINGLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}"
_QUESTION = re.compile(r"\?\W*$")
_BOILERPLATE = re.compile(
    r"""
    ^\W* (?: (?:press|media|news) \s+ )?
        (?: contacts? | e(?:n|i)quir(?:y|ies) | inquir(?:y|ies) | office | source
          | photos? | images? | pictures? | videos? | tel(?:ephone)? | phone | fax | mobile
          | e-?mail | web(?:site)? | (?:last\ )?updated | published | editors?'?s?\ note )
        \s* :
    | © | \(c\)\s*\d{4} | \bcopyright\b | all\ rights\ reserved
    | for\ (?:more|further)\ information
    | https?:// | \bwww\. | \S@\S+\.\w
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Summariser:
    """Chooses key sentences with a sentence encoder.

    Attributes:
        identity: the encoder's model, for signatures.
    """

    def __init__(self, encoder: SentenceEncoder, identity: ModelIdentity) -> None:
        """Make a summariser of a loaded encoder and what names it."""
        self.identity = identity
        self._encoder = encoder

    def summarise(
        self, sentences: Sequence[str], count: int, penalties: Sequence[float] | None = None
    ) -> list[int]:
        """Choose `count` of `sentences`; see `choose`. Blocks while the encoder runs."""
        return choose(sentences, self._encoder.encode(sentences), count, penalties)


def choose(
    sentences: Sequence[str],
    embeddings: _Floats,
    count: int,
    penalties: Sequence[float] | None = None,
) -> list[int]:
    """Choose the sentences that say most of a text and differ from each other.

    The most relevant sentence comes first, then the best of the rest by maximal marginal relevance
    (Carbonell & Goldstein 1998, "The Use of MMR, Diversity-Based Reranking"). Boilerplate,
    questions and what is too short to say something are chosen last.

    Args:
        sentences: the English, in document order.
        embeddings: one row of Euclidean length 1 for each sentence.
        count: how many to choose; all if there are fewer.
        penalties: for each sentence, by how much to lower its relevance, which is from 0 to 1.

    Returns:
        The chosen sentences' indices, in document order.
    """
    if not sentences:
        return []
    faults = np.array([_fault(sentence) for sentence in sentences], np.float32)
    likeness = embeddings @ embeddings.T
    scores = _relevance(likeness, sound=faults < _BOILERPLATE_PENALTY) - faults
    if penalties is not None:
        scores -= np.asarray(penalties, np.float32)
    return sorted(_diverse(scores, likeness, min(count, len(sentences))))


def _relevance(likeness: _Floats, sound: NDArray[np.bool_]) -> _Floats:
    """Rate each sentence from 0 to 1 by what follows it and by its place.

    News states first what it then elaborates, so a sentence is central if those after it are like
    it; those before it don't count (Zheng & Lapata 2019, "Sentence Centrality Revisited for
    Unsupervised Summarization"). Sentences that aren't sound neither count nor take a place.
    """
    related = np.clip(likeness - _UNRELATED, 0, None) * sound
    centrality = np.triu(related, k=1).sum(axis=1)
    centrality = centrality / max(centrality.max(), np.finfo(np.float32).tiny)
    places = np.clip(np.cumsum(sound) - 1, 0, None)
    lead = np.exp(-places / _LEAD_LENGTH, dtype=np.float32)
    relevance: _Floats = (1 - _LEAD_WEIGHT) * centrality + _LEAD_WEIGHT * lead
    return relevance


def _diverse(scores: _Floats, likeness: _Floats, count: int) -> list[int]:
    """Choose `count` indices of high score that are little like each other."""
    chosen: list[int] = []
    redundancy = np.zeros_like(scores)
    for _ in range(count):
        gains = _RELEVANCE_WEIGHT * scores - (1 - _RELEVANCE_WEIGHT) * redundancy
        # The same thing said twice is worse than any boilerplate.
        gains -= 2 * _BOILERPLATE_PENALTY * (redundancy >= _SAME)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        redundancy = np.maximum(redundancy, likeness[chosen[-1]])
    return chosen


def _fault(sentence: str) -> float:
    """Tell how far the form of a sentence speaks against it, from 0 to 1."""
    if _is_fragment(sentence) or _BOILERPLATE.search(sentence):
        return _BOILERPLATE_PENALTY
    return _QUESTION_PENALTY if _QUESTION.search(sentence) else 0.0


def _is_fragment(sentence: str) -> bool:
    """Tell a byline, a heading or a call from a sentence.

    Without a parser a verb can't be found, but English verbs and their particles are in lower case.
    """
    words = [word for word in sentence.split() if any(c.isalnum() for c in word)]
    lower = sum(word.lstrip(_OPENING)[:1].islower() for word in words)
    return len(words) < _FEWEST_WORDS or lower < _FEWEST_LOWER_CASE_WORDS

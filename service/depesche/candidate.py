"""One candidate for the English of a sentence: put together, mended, checked, and ranked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from depesche.fidelity import LEAST_SCORE, check, weigh
from depesche.fidelity.mend import mend, mend_numerals
from depesche.fidelity.term_swap import swap_terms
from depesche.fidelity.terms import check_terms, without_terms
from depesche.inference.backend import Hypothesis
from depesche.text.join import finish, join_parts
from depesche.text.quotes import repair
from depesche.text.terms import TermPlace
from depesche.types import Decoding, Finding, FindingKind, Language, Sentence, Translation

__all__ = ["SPLIT_COST", "compose", "missing_terms", "rank", "swapped"]

SPLIT_COST = 3.0
"""What parts of a sentence must be better by than the whole: more than one wrong figure.

Parts that the model took for whole sentences may say together what the source doesn't, and no check
sees it; a wrong figure is flagged at least.
"""


async def compose(
    sentence: Sentence,
    parts: Sequence[Hypothesis],
    decoding: Decoding,
    language: Language,
    terms: Sequence[TermPlace] = (),
    *,
    least_score: float = LEAST_SCORE,
) -> Translation:
    """Make a translation of hypotheses, off the event loop: the checks of a long one take time.

    Args:
        sentence: the source.
        parts: what the model wrote for its parts, in order.
        decoding: how.
        language: the language of the source.
        terms: the glossary's terms in it.
        least_score: mean log-probability per token below which the model's words are doubtful.
    """
    judge = partial(_check, sentence, language=language, terms=terms, least_score=least_score)
    return await asyncio.to_thread(_join_and_check, sentence, parts, decoding, language, judge)


def swapped(
    translation: Translation,
    own: Sequence[Sequence[str]],
    language: Language,
    terms: Sequence[TermPlace],
    *,
    least_score: float = LEAST_SCORE,
) -> Translation:
    """Put the English of missing terms in the place of the model's own words, and check that.

    Args:
        translation: what lacks terms.
        own: for each of `terms`, what the model has for it alone.
        language: the language of the source.
        terms: the glossary's terms in it.
        least_score: as in `compose`.
    """
    text = swap_terms(translation.text, terms, own)
    if text == translation.text:
        return translation
    score, sentence = translation.score, translation.sentence
    truncated = any(f.kind is FindingKind.TRUNCATED for f in translation.findings)
    findings = _check(
        sentence, text, score, truncated, language=language, terms=terms, least_score=least_score
    )
    return min(translation, replace(translation, text=text, findings=findings), key=rank)


def missing_terms(translation: Translation) -> int:
    """Count the places at which the glossary's English is missing."""
    return sum(finding.kind is FindingKind.TERM_MISSING for finding in translation.findings)


def rank(translation: Translation) -> tuple[float, float]:
    """Order candidates: the lightest findings first, then the best score."""
    split = SPLIT_COST if translation.decoding is Decoding.SPLIT else 0.0
    return weigh(translation.findings) + split, -(translation.score or 0.0)


def _join_and_check(
    sentence: Sentence,
    parts: Sequence[Hypothesis],
    decoding: Decoding,
    language: Language,
    judge: Callable[[str, float, bool], tuple[Finding, ...]],
) -> Translation:
    """Join the parts of a sentence, check the whole and mend what can be mended without a model."""
    joined = finish(join_parts([part.text for part in parts]), sentence.text)
    text = mend_numerals(repair(joined, sentence.text), sentence.text, language)
    score = _mean_score(parts)
    truncated = any(part.truncated for part in parts)
    findings = judge(text, score, truncated)
    mended = mend(text, findings)
    if mended != text:
        findings = judge(mended, score, truncated)
    return Translation(sentence, mended, score, decoding, findings)


def _check(
    sentence: Sentence,
    text: str,
    score: float | None,
    truncated: bool,
    *,
    language: Language,
    terms: Sequence[TermPlace],
    least_score: float,
) -> tuple[Finding, ...]:
    found = check(
        sentence.text, text, language, score, least_score=least_score, truncated=truncated
    )
    lawful = without_terms(found, text, terms)
    return (*lawful, *check_terms(sentence.text, text, terms))


def _mean_score(parts: Sequence[Hypothesis]) -> float:
    tokens = sum(part.tokens for part in parts)
    return sum(part.score * part.tokens for part in parts) / tokens if tokens else 0.0

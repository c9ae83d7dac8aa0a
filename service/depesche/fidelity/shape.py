"""Check the shape of a translation: that it is there, whole, of a likely length and score."""

import re

from depesche.types import Finding, FindingKind, Language

__all__ = ["LEAST_SCORE", "check_shape", "is_empty"]

# Least and greatest ratio of characters, English to source, once `_SLACK` characters are allowed
# for. No human translation of flores200_dev (997 a language) lies outside; the quantiles 0.1 % and
# 99.9 % are 0.56 and 1.28 (German), 0.53 and 1.48 (Russian), 0.50 and 1.68 (Khmer).
_RATIOS = {
    Language.GERMAN: (0.5, 1.3),
    Language.RUSSIAN: (0.5, 1.5),
    Language.KHMER: (0.45, 1.75),
}
# Short sentences vary more: "США" is "United States".
_SLACK = 30

LEAST_SCORE = -0.7
"""Mean log-probability a token, below which a sentence is doubtful. How sure a model is depends on
its training, so the manifest has another bar for a model of which it was measured."""

# Headings and other short sentences score lower without being worse: how many times lower, of fewer
# words than the number.
_SHORT = ((4, 2.14), (8, 1.57))

_SPACE = re.compile(r"\s+")


def check_shape(
    source: str,
    target: str,
    language: Language,
    score: float | None = None,
    *,
    least_score: float = LEAST_SCORE,
    truncated: bool = False,
) -> list[Finding]:
    """Check completeness, length and score.

    Args:
        source: the sentence.
        target: its English, not empty.
        language: the language of `source`.
        score: mean log-probability per token of `target`, or None to leave it unchecked.
        least_score: what it must be, below 0; a short sentence may have less.
        truncated: whether the decoder stopped at its limit.
    """
    findings = []
    if truncated:
        findings.append(Finding(FindingKind.TRUNCATED, "The English breaks off before its end"))
    findings += _check_length(source, target, language)
    if score is not None and score < least_score * _leeway(target):
        findings.append(
            Finding(
                FindingKind.LOW_SCORE, f"The model is unsure of this sentence (score {score:.2f})"
            )
        )
    return findings


def is_empty(text: str) -> bool:
    """Tell whether `text` holds no letter and no digit."""
    return not any(character.isalnum() for character in text)


def _leeway(target: str) -> float:
    words = len(target.split())
    return next((times for most, times in _SHORT if words < most), 1.0)


def _check_length(source: str, target: str, language: Language) -> list[Finding]:
    if language not in _RATIOS:
        return []
    least, most = _RATIOS[language]
    here, there = len(_SPACE.sub(" ", target)), len(_SPACE.sub(" ", source))
    if here + _SLACK < least * there:
        problem = "short"
    elif here - _SLACK > most * there:
        problem = "long"
    else:
        return []
    message = f"The English is unusually {problem} for this source: {here} characters for {there}"
    return [Finding(FindingKind.LENGTH, message)]

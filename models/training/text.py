"""Cleaning one pair of sentences: what is repaired, and what is a reason to leave it out."""

import re
import unicodedata
from dataclasses import dataclass

from depesche.text.normalize import normalize

__all__ = ["Pair", "clean_source", "clean_target", "fault", "folded", "numbers"]

_STRAIGHT = str.maketrans({"„": '"', "“": '"', "”": '"', "«": '"', "»": '"', "’": "'", "‘": "'"})

_SCRIPTS = {"de": "LATIN", "ru": "CYRILLIC", "km": "KHMER", "en": "LATIN"}
_SCRIPT_SHARE = 0.5
"""Least share of a source's letters in its language's script; names may be in another."""

_TARGET_SHARE = 0.95
_RATIO = 2.6
"""Most that one side may be longer than the other, in characters; all four are alike in length."""

_SLACK = 20
"""Characters that may be missing or extra beside the ratio, for words, titles, short calls."""

_COPIED_WORDS = 5
_COPIED_SHARE = 0.7

_NUMBER = re.compile(r"\d+(?:[.,]\d+|[\u00a0\u202f' ]\d{3}(?!\d))*")
_WORD = re.compile(r"[^\W\d_]+")
_KHMER_SPACE = re.compile(r"(?<=[\u1780-\u17d3]) (?=[\u1780-\u17d3])")
_KHMER = re.compile(r"[\u1780-\u17d3]")
_SEGMENTED = 0.12
"""Spaces per Khmer character above which all words are spaced; real text has one a phrase."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and its English translation.

    Attributes:
        source: the sentence.
        target: its translation.
        language: ISO 639-1 code of the source.
        corpus: name of the corpus that it stands in.
    """

    source: str
    target: str
    language: str
    corpus: str


def clean_source(text: str, language: str) -> str:
    """Write a source on one line as the service normalises it; undo the spacing of Khmer words."""
    text = _clean(text)
    if language == "km":
        spaces, letters = len(_KHMER_SPACE.findall(text)), len(_KHMER.findall(text))
        if spaces > letters * _SEGMENTED:
            return _KHMER_SPACE.sub("", text)
    return text


def clean_target(text: str) -> str:
    """Clean English as a source is, with straight quotation marks, so that there is one style."""
    return _clean(text).translate(_STRAIGHT)


def _clean(text: str) -> str:
    return normalize(text).text.replace("\n", " ").strip()


def folded(text: str) -> str:
    """Return what is left of a text without case, punctuation and white space."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def fault(pair: Pair) -> str | None:
    """Say why a cleaned pair must not be learnt from, or None if it may."""
    source, target = pair.source, pair.target
    if not folded(source) or not folded(target):
        return "empty"
    if max(len(source), len(target)) > _RATIO * min(len(source), len(target)) + _SLACK:
        return "length"
    if _share(source, _SCRIPTS[pair.language]) < _SCRIPT_SHARE:
        return "script"
    if _share(target, _SCRIPTS["en"]) < _TARGET_SHARE:
        return "script"
    if _is_copied(source, target):
        return "copied"
    return "numbers" if _numbers_disagree(source, target) else None


def _share(text: str, script: str) -> float:
    letters = [char for char in text if char.isalpha()]
    named = sum(unicodedata.name(char, "").startswith(script) for char in letters)
    return named / len(letters) if letters else 1.0


def _is_copied(source: str, target: str) -> bool:
    """Say whether the target is the source, or most of its words are."""
    if folded(source) == folded(target):
        return len(_WORD.findall(source)) > 1
    words = {word.casefold() for word in _WORD.findall(source)}
    copies = words & {word.casefold() for word in _WORD.findall(target)}
    return len(words) >= _COPIED_WORDS and len(copies) > _COPIED_SHARE * len(words)


def _numbers_disagree(source: str, target: str) -> bool:
    """Say whether each side has a number of three or more digits that the other hasn't.

    Smaller numbers are often words on one side, or hours of another clock; and one side alone may
    well spell a number out.
    """
    there, here = numbers(source), numbers(target)
    return any(len(n) > 2 for n in there - here) and any(len(n) > 2 for n in here - there)  # noqa: PLR2004


def numbers(text: str) -> set[str]:
    """Return the numbers of a text in digits, without the marks that group or divide them."""
    digits = "".join(str(unicodedata.decimal(char, char)) for char in text)
    return {re.sub(r"\D", "", number) for number in _NUMBER.findall(digits)}

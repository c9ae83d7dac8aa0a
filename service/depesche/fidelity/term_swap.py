"""Putting the glossary's English in the place of the words that the model has for a term."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from depesche.fidelity.terms import Free, find_english, pattern
from depesche.text.normalize import has_words
from depesche.text.terms import TermPlace

__all__ = ["bare_words", "swap_terms"]

_ARTICLE = re.compile(r"(?:an?|the)\s+", re.IGNORECASE)
_ARTICLE_BEFORE = re.compile(r"(?<!\w)(an?|the)\s+\Z", re.IGNORECASE)
_LONGEST_ARTICLE = len(" the ")
# "An" goes by sound: abbreviations of up to three letters are spelt, longer ones mostly spoken.
_VOWEL = re.compile(
    r"(?!(?i:eu|uni|us[aeiu]|one\b|ufo|u\.))[aeiouAEIOU]|(?i:hour|honest|honou?r|heir)"
    r"|[FHLMNRSX][A-Z]{0,2}s?\b"
)
_HISSING = ("ss", "x", "z", "ch", "sh")
_CONSONANT_Y = re.compile(r"[^aeiou\W]y\Z")


def swap_terms(target: str, places: Sequence[TermPlace], own: Sequence[Sequence[str]]) -> str:
    """Put the English of missing terms in the place of the model's own words for them.

    That is done only where these words stand as often as the term is missing, so that no other word
    of the source can be meant. The number of a noun, a genitive ending, a capital at the start and
    the article before it follow.

    Args:
        target: the English of a sentence.
        places: the terms of the sentence.
        own: for each place, what the model has for the term alone, the likeliest first.
    """
    missing: defaultdict[str, list[int]] = defaultdict(list)
    free = Free(target)
    for at, span in enumerate(find_english(target, places)):
        if span is None:
            missing[places[at].forms[0]].append(at)
        else:
            free.take((span.start, span.end))
    swaps: dict[int, tuple[re.Match[str], str]] = {}
    for english, waiting in missing.items():
        candidates = dict.fromkeys(words for at in waiting for words in own[at] if words)
        for match in _matches(target, candidates, len(waiting), free):
            free.take(match.span())
            swaps[match.start()] = match, english
    for _, (match, english) in sorted(swaps.items(), reverse=True):
        target = "".join(_replaced(target, match, english))
    return target


def bare_words(text: str) -> str:
    """Take the article and the marks from what the model has for a term alone."""
    words = _ARTICLE.sub("", text.strip(" \t\n.,;:!?\"'“”‘’()"), count=1)
    return words if has_words(words) else ""


def _matches(target: str, candidates: Iterable[str], count: int, free: Free) -> list[re.Match[str]]:
    """Find the first words that stand so often in what is free of the text."""
    found = (list(filter(free.holds, pattern(words).finditer(target))) for words in candidates)
    return next((matches for matches in found if len(matches) == count), [])


def _replaced(target: str, match: re.Match[str], english: str) -> Iterator[str]:
    """Give the text with one match replaced, in pieces; behind it, it may have changed."""
    before = target[: match.start()]
    if article := _ARTICLE_BEFORE.search(before, max(0, len(before) - _LONGEST_ARTICLE)):
        before = before[: article.start()] + _article(article[0], match[0], english)
    written = _inflected(english, match["ending"])
    opening = before.rstrip("\"'“‘(")
    begins = not opening or opening.endswith((". ", "! ", "? ", ": "))
    yield before
    yield written[0].upper() + written[1:] if begins else written
    yield target[match.end() :]


def _article(article: str, words: str, english: str) -> str:
    """Give the article before `words` as it must be before `english`."""
    if _ARTICLE.match(english):
        return ""
    if article[0] in "tT" or bool(_VOWEL.match(words)) == bool(_VOWEL.match(english)):
        return article
    return article[0] + ("n " if _VOWEL.match(english) else " ")


def _inflected(english: str, ending: str) -> str:
    """Give the English an ending of the words that it replaces."""
    if ending in ("s", "es", "ies"):
        if english.endswith(_HISSING):
            return f"{english}es"
        if english.endswith("s"):
            return english
        return f"{english[:-1]}ies" if _CONSONANT_Y.search(english) else f"{english}s"
    return english + ending

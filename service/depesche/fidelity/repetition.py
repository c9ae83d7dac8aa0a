"""Find loops: the same words or letters again and again, the commonest failure of a decoder."""

import re

from depesche.types import Finding, FindingKind, Span

__all__ = ["check_repetition"]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LETTERS = re.compile(r"(\S{1,20}?)\1{3,}")
_LOOP_CHARACTERS = 8

# How often a run of so many words must stand in a row to be a loop: people repeat one word ("no,
# no, no") and two ("step by step by step") on purpose. Longer runs come from decoders alone.
_LONGEST = 8
_LOOP_TIMES = {1: 4, 2: 3, 3: 3, 4: 3}
_LONG_TIMES = 2
# Doubled, these are slips.
_NEVER_DOUBLED = frozenset({"a", "an", "and", "of", "the"})

# From which share of repeated four-word runs a longer sentence turns in circles. The most
# repetitive of 6,000 human translations (flores200_dev, WMT news from German and Russian) has 0.09.
_GRAM = 4
_CIRCLE_WORDS = 16
_CIRCLE_SHARE = 0.15

# A name of two words or more, as one item of a list.
_ITEM = re.compile(
    r"(?:,|;|\band)\s+(?:the\s+)?"
    r"(?P<name>[A-Z][\w'’-]{1,40}(?: (?:(?:of|for|the) ){0,2}[A-Z][\w'’-]{1,40}){1,8})"
    r"(?=,|;|\.|\s+and\b)"
)


def check_repetition(source: str, target: str) -> list[Finding]:
    """Find the first loop in the English, unless the source repeats itself as well.

    A loop is a run of words or characters several times in a row, a sentence much of which is said
    twice, or a list that holds the same name twice.
    """
    span = _row_of_words(target) or _row_of_letters(target)
    if span is not None and (_row_of_words(source) or _row_of_letters(source)):
        span = None
    span = span or _circle(source, target) or _doubled_item(target)
    if span is None:
        return []
    found = target[span.start : span.end]
    return [
        Finding(FindingKind.REPETITION, "The English repeats itself", found=found, target_span=span)
    ]


def _row_of_words(text: str) -> Span | None:
    """Find a run of up to eight words that follows itself too often."""
    matches = list(_WORD.finditer(text))
    words = [match[0].casefold() for match in matches]
    for size in range(1, _LONGEST + 1):
        row = _row(words, size)
        if row is not None:
            return Span(matches[row.start].start(), matches[row.end - 1].end())
    return None


def _row(words: list[str], size: int) -> Span | None:
    wanted = _LOOP_TIMES.get(size, _LONG_TIMES)
    same = 0
    for index in range(size, len(words)):
        same = same + 1 if words[index] == words[index - size] else 0
        if size == 1 and same == 1 and words[index] in _NEVER_DOUBLED:
            return Span(index - 1, index + 1)
        start = index + 1 - wanted * size
        if same >= (wanted - 1) * size and _has_letters(words[start : index + 1]):
            return Span(start, index + 1)
    return None


def _has_letters(words: list[str]) -> bool:
    """Tell whether words are meant: "0 0 0" and "1, 2, 1, 2" are figures."""
    return any(character.isalpha() for word in words for character in word)


def _row_of_letters(text: str) -> Span | None:
    for match in _LETTERS.finditer(text):
        digits = any(character.isdigit() for character in match[1])
        if len(match[0]) >= _LOOP_CHARACTERS and not digits:
            return Span(*match.span())
    return None


def _circle(source: str, target: str) -> Span | None:
    """Find the second saying of what makes up much of the sentence."""
    matches = list(_WORD.finditer(target))
    words = [match[0].casefold() for match in matches]
    if len(words) < _CIRCLE_WORDS or _repeated_share(words) < _CIRCLE_SHARE:
        return None
    if (
        _repeated_share([match[0].casefold() for match in _WORD.finditer(source)])
        >= _CIRCLE_SHARE / 2
    ):
        return None
    grams = [tuple(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1)]
    seen: set[tuple[str, ...]] = set()
    for index, gram in enumerate(grams):
        if gram in seen:
            return Span(matches[index].start(), matches[-1].end())
        seen.add(gram)
    return None


def _repeated_share(words: list[str]) -> float:
    grams = [tuple(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def _doubled_item(target: str) -> Span | None:
    """Find a name that one list holds twice."""
    seen: set[str] = set()
    for match in _ITEM.finditer(target):
        if match["name"] in seen:
            return Span(*match.span("name"))
        seen.add(match["name"])
    return None

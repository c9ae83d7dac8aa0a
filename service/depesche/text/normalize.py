"""One way to write each text, with a map back to the text as it was sent."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import pheasa

from depesche.text.mapped import MappedText

__all__ = ["has_words", "normalize", "skeleton"]

_SPACES = r"\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BREAKS = r"\n\v\f\r\u0085\u2028\u2029"
# Never seen: controls, soft hyphens, bidirectional marks, zero-width spaces and joiners, Khmer
# inherent vowels, annotation marks. Surrogates alone are no characters, and UTF-8 can't hold them.
_INVISIBLE = (
    r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u17b4\u17b5\u180e\u200b\u200c"
    r"\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
)
# Between two pictographs a zero-width joiner makes one emoji of them; elsewhere it is invisible.
_EMOJI = r"[\u00a9\u00ae\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff]"
_JOINER = rf"(?:\u200d(?!{_EMOJI})|(?<!{_EMOJI})\u200d)"

# What colours a terminal (ECMA-48, section 5.4, "Control sequences").
_ESCAPE = r"\x1b\[[0-?]*+[@-~]"

# Runs of space, breaks and invisible characters, but not what is right as it stands: one space
# inside a line, or one line feed.
_GAP = re.compile(
    rf"(?:{_ESCAPE}|[{_SPACES}{_BREAKS}{_INVISIBLE}]|{_JOINER}){{2,}}"
    rf"|{_ESCAPE}|(?![ \n])[{_SPACES}{_BREAKS}{_INVISIBLE}]|{_JOINER}|\A[ ]|[ ]\Z"
)
_BREAK = re.compile(rf"\r\n|[{_BREAKS}]")
_SPACE = re.compile(rf"[{_SPACES}]")
# Breaks that word processors leave inside a paragraph too.
_SOFT_BREAKS = frozenset("\v\f\u0085\u2028")

# A base with its subscripts, vowels and signs (Unicode Technical Note 61, "Khmer Encoding
# Structure", page 16).
_KHMER_BASE = r"[\u1780-\u17a2\u17a5-\u17b3]"
_KHMER_SYLLABLE = re.compile(rf"{_KHMER_BASE}(?:\u17d2{_KHMER_BASE}|[\u17b6-\u17d3\u17dd])+")

# Real text piles up a handful of marks on a base. Longer runs are left as they stand, because
# canonical ordering and Khmer reordering take quadratic time in them. 30 is the bound of the
# Stream-Safe Text Format (Unicode Standard Annex 15, section 13).
_MOST_MARKS = 30


def normalize(source: str) -> MappedText:
    """Write `source` the one way that the pipeline works on.

    The text is in Unicode's Normalization Form C, with Khmer syllables in the order of Unicode
    Technical Note 61. Every kind of space becomes " ", once; every kind of line break becomes a
    line feed, but a soft one before a small letter a space; lines have no space around them.
    Invisible characters and terminal escape sequences go. Normalising a second time changes
    nothing. Takes time linear in the length of `source`.
    """
    text = MappedText.identity(source)
    for edits in (_clean, _compose, _order_khmer):
        text = text.rewrite(edits(text.text))
    return text


def skeleton(text: str) -> str:
    """Reduce a text to its letters and digits, without case: what to compare it by."""
    return "".join(character for character in text.casefold() if character.isalnum())


def has_words(text: str) -> bool:
    """Tell whether a text holds a letter or digit, rather than marks and space alone."""
    return any(map(str.isalnum, text))


def _clean(text: str) -> Iterator[tuple[int, int, str]]:
    """Tidy spaces and line breaks, and take out what can't be seen."""
    for gap in _GAP.finditer(text):
        breaks = _BREAK.findall(gap[0])
        at_edge = gap.start() == 0 or gap.end() == len(text)
        goes_on = text[gap.end() : gap.end() + 1].islower()
        if len(breaks) == 1 and breaks[0] in _SOFT_BREAKS and goes_on and not at_edge:
            yield gap.start(), gap.end(), " "
        else:
            inner = " " if _SPACE.search(gap[0]) and not at_edge else ""
            yield gap.start(), gap.end(), "\n" * len(breaks) or inner


def _compose(text: str) -> Iterator[tuple[int, int, str]]:
    """Compose base characters and their marks."""
    if unicodedata.is_normalized("NFC", text):
        return
    bases = (place for place in range(1, len(text)) if not _attaches(text, place))
    for start, end in pairwise((0, *bases, len(text))):
        cluster = text[start:end]
        composed = unicodedata.normalize("NFC", cluster) if end - start <= _MOST_MARKS else cluster
        if composed != cluster:
            yield start, end, composed


def _attaches(text: str, place: int) -> bool:
    """Tell whether the character may combine with one before it: a mark, or a Hangul jamo."""
    character = text[place]
    joins = unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"
    return joins and text[place - 1] != "\n"


def _order_khmer(text: str) -> Iterator[tuple[int, int, str]]:
    """Bring each Khmer syllable into its one order."""
    known: dict[str, str] = {}
    for match in _KHMER_SYLLABLE.finditer(text):
        syllable, following = match[0], text[match.end() : match.end() + 1]
        # A foreign mark after the syllable would be reordered with the syllable's last mark.
        if len(syllable) > _MOST_MARKS or (following and unicodedata.combining(following)):
            continue
        if syllable not in known:
            known[syllable] = pheasa.normalize(syllable)
        if known[syllable] != syllable:
            yield match.start(), match.end(), known[syllable]

"""Sentence boundaries of German, English, Khmer and Russian news text.

One expression finds the marks that can end a sentence; a few rules and a list of abbreviations a
language tell which of them do. Sentences inside quotation marks are sentences of their own, since
releases quote at length.

The files `abbreviations/<language>.txt` hold one entry a line under these sections:

- `never`: no sentence ends with it («Dr.»); an entry of two words is an abbreviation and the word
  after it («долл. США»).
- `may end`: ends a sentence where a capital follows («usw.», «и др.»).
- `may end after a figure`: likewise, but only behind a figure («2021 г.», not «г. Тула»).
- `only before a figure`: a word like any other unless a figure follows («No. 5»).
- `ends before a starter`: ends a sentence only where one of `starters` follows («Mio.»).
- `starters`: words that often begin a sentence and hardly stand after an abbreviation.
- `openings`: words that, with a date after them, open a sentence («В 2021 г. Россия …»).

Frequent sentence starters as evidence are from Kiss and Strunk (2006), "Unsupervised Multilingual
Sentence Boundary Detection".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from depesche.types import Language, Span

__all__ = ["VERSION", "split"]

VERSION = "1"
"""Version of the rules and lists; part of every brief's signature."""

_SPACE = re.compile(r"[\s\u200b]*+")
# Possessive, and without a look at what follows the run: long runs of marks stay linear.
_TERMINAL = re.compile(
    r"(?P<mark>[.!?…]++|[។៕៚]++)"
    r"(?P<close>(?:[»”’›)\]]|[\"'“«‹](?!\w))*+(?:\s[»”\"](?![\w\"«„“]))?)"
)
_OPENING = re.compile(r"(?:[\"'«»„“”‚‘‹›(\[–—-]\s?)*+")
_DASHES = "–—-"
_QUOTES = frozenset("»”’›\"'“«‹")

# What stands before a full stop: a word with the abbreviations right before it («т. е», «O. V»).
_TOKEN = re.compile(r"(?:[\w-]+\.\s?)*[\w-]+\Z")
_TOKEN_WINDOW = 40
_WORD = re.compile(r"\w+")
_ROMAN = re.compile(r"[IVXLC]+")
_AFTER_FIGURE = re.compile(r"[\dIVX]\s?\Z")
_OPENING_DATE_LENGTH = 30
_BRACKET_WINDOW = 1_000
_MARKER_LENGTH = 3
_ORDINAL_LENGTH = 3

# ។ល។ is "and so on", and stands within a sentence as often as at its end.
_ET_CETERA_FOLLOWS = re.compile(r"\s?ល\s?។")
_ET_CETERA = re.compile(r"។\s?ល\s?\Z")
_ET_CETERA_WINDOW = 6


class _Kind(StrEnum):
    """What an abbreviation says about the full stop behind it: sections of the lists."""

    NEVER = "never"
    MAY_END = "may end"
    AFTER_FIGURE = "may end after a figure"
    BEFORE_FIGURE = "only before a figure"
    BEFORE_STARTER = "ends before a starter"


@dataclass(frozen=True, slots=True)
class _Rules:
    """A language's lists."""

    kinds: Mapping[str, _Kind]
    starters: frozenset[str]
    openings: frozenset[str]
    ordinals: bool  # «24. November»: a full stop makes a figure an ordinal


@dataclass(frozen=True, slots=True)
class _Stop:
    """A full stop and where to look for evidence around it.

    Attributes:
        text: the text.
        begin: where the sentence begins.
        at: where the full stop stands.
        following: where the next word begins, behind space and opening marks.
    """

    text: str
    begin: int
    at: int
    following: int


def split(text: str, language: Language) -> list[Span]:
    """Split a text into sentences.

    Line ends count as spaces. White space after a sentence belongs to it, so that the spans are
    contiguous and cover the text; no span is empty. Takes linear time.
    """
    rules = _rules(language)
    spans = []
    start, begin = 0, _skip_space(text, 0)
    for match in _TERMINAL.finditer(text):
        end = _skip_space(text, match.end())
        if end < len(text) and _is_boundary(text, begin, match, end, rules):
            spans.append(Span(start, end))
            start = begin = end
    if start < len(text):
        spans.append(Span(start, len(text)))
    return spans


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _is_boundary(text: str, begin: int, match: re.Match[str], end: int, rules: _Rules) -> bool:
    """Tell whether a sentence that begins at `begin` ends with `match`, the next one at `end`."""
    mark, close = match["mark"], match["close"].strip()
    if mark[0] in "។៕៚":
        return not _is_et_cetera(text, match, end, rules)
    opening = _OPENING.match(text, end)
    following = opening.end() if opening else end
    if end == match.end() and not (mark[-1] in "!?" and "\u1780" <= text[end] <= "\u17dc"):
        ends = False  # no space: a file's name, an address, a time
    elif _continues(text, following) or (text[end] in _DASHES and close[-1:] in _QUOTES):
        ends = False  # «Да!» — МИД: who says it
    elif close[:1] in (")", "]"):
        ends = _closes_sentence(text, begin, match.start())
    elif mark != "." or close:
        ends = True
    else:
        ends = _full_stop_ends(_Stop(text, begin, match.start(), following), rules)
    return ends


def _continues(text: str, at: int) -> bool:
    """Tell whether what stands at `at` goes on with a sentence."""
    if at == len(text):
        return True
    is_name = text[at + 1 : at + 2].isupper()  # eBay, iPhone
    return (text[at].islower() and not is_name) or text[at] in ",;:)]"


def _closes_sentence(text: str, begin: int, at: int) -> bool:
    """Tell whether a bracket that closes after the mark at `at` closes whole sentences.

    It does if it opened before what it closes: «(Das war gut.) Der …», not «[…] Der», «(ca.) Der».
    """
    opened = max(text.rfind(bracket, max(begin, at - _BRACKET_WINDOW), at) for bracket in "([")
    return opened in (-1, begin)


def _is_et_cetera(text: str, match: re.Match[str], end: int, rules: _Rules) -> bool:
    if _ET_CETERA_FOLLOWS.match(text, match.end()):
        return True
    before = _ET_CETERA.search(text, max(0, match.start() - _ET_CETERA_WINDOW), match.start())
    return before is not None and not text.startswith(tuple(rules.starters), end)


def _full_stop_ends(stop: _Stop, rules: _Rules) -> bool:
    """Tell whether a single full stop ends a sentence rather than an abbreviation or ordinal."""
    token = _TOKEN.search(stop.text, max(stop.begin, stop.at - _TOKEN_WINDOW), stop.at)
    if token is None or stop.text[token.start() - 1 : token.start()] == "/":
        return True  # «160 км/ч.» is no abbreviation
    parts = "".join(token[0].split()).split(".")
    word = parts[-1].strip("-")
    kind = _kind(parts, _word_at(stop.text, stop.following), rules)
    if kind is not None:
        return _abbreviation_ends(kind, stop, token.start(), rules)
    is_short = len(word) == 1 or (word.isdecimal() and len(word) <= _MARKER_LENGTH)
    if is_short and token.start() == stop.begin:
        return False  # a list marker: «1. », «a. »
    if (len(word) == 1 and word.isalpha()) or (rules.ordinals and _is_ordinal(token, parts)):
        return _starts(stop, rules)
    return True


def _kind(parts: list[str], following: str, rules: _Rules) -> _Kind | None:
    """Look the longest abbreviation up that `parts` end with."""
    keys = [f"{parts[-1]} {following}", *(".".join(parts[-size:]) for size in (3, 2, 1))]
    keys.append(parts[-1].lstrip("-"))  # «Dr.-Ing.»
    for key in keys:
        # An abbreviation that is listed in lower case may stand at the start of a sentence.
        kind = rules.kinds.get(key) or rules.kinds.get(key[:1].lower() + key[1:])
        if kind is not None:
            return kind
    return None


def _abbreviation_ends(kind: _Kind, stop: _Stop, token: int, rules: _Rules) -> bool:
    before_figure = stop.text[stop.following].isdecimal()  # «10 ч. 30 мин.»
    match kind:
        case _Kind.NEVER:
            return False
        case _Kind.MAY_END:
            return not before_figure
        case _Kind.AFTER_FIGURE:
            ends = _follows_figure(stop, token) and not _is_opening_date(stop, rules)
            return ends and not before_figure
        case _Kind.BEFORE_FIGURE:
            return not before_figure
    return _starts(stop, rules)


def _follows_figure(stop: _Stop, token: int) -> bool:
    return _AFTER_FIGURE.search(stop.text, max(stop.begin, token - 2), token) is not None


def _is_opening_date(stop: _Stop, rules: _Rules) -> bool:
    """Tell whether the sentence holds no more than a date so far: «24 ноября 2021 г. Россия …»."""
    if stop.at - stop.begin > _OPENING_DATE_LENGTH:
        return False
    first = _word_at(stop.text, stop.begin)
    return first.isdecimal() or first in rules.openings


def _is_ordinal(token: re.Match[str], parts: list[str]) -> bool:
    """Tell «24» and «31.12» before a full stop from «2021», «3,5» and «v1.2»."""
    words = [part.strip("-") for part in parts]
    if not words[-1].isdecimal():
        return _ROMAN.fullmatch(words[-1]) is not None
    is_decimal = token.string[max(0, token.start() - 1) : token.start()] == ","
    is_plain = all(word.isdecimal() or word.isalpha() for word in words)
    return is_plain and not is_decimal and len(words[-1]) <= _ORDINAL_LENGTH


def _starts(stop: _Stop, rules: _Rules) -> bool:
    """Tell whether a sentence starter follows; «В» in «А. В. Петров» is an initial instead."""
    word = _word_at(stop.text, stop.following)
    after = stop.following + len(word)
    return word in rules.starters and stop.text[after : after + 1] != "."


def _word_at(text: str, at: int) -> str:
    match = _WORD.match(text, at)
    return match[0] if match else ""


@cache
def _rules(language: Language) -> _Rules:
    sections: dict[str, list[str]] = {"starters": [], "openings": []}
    for section, entry in _entries(language):
        sections.setdefault(section, []).append(entry)
    return _Rules(
        kinds={entry: kind for kind in _Kind for entry in sections.get(kind, [])},
        starters=frozenset(sections["starters"]),
        openings=frozenset(sections["openings"]),
        ordinals=language is Language.GERMAN,
    )


def _entries(language: Language) -> Iterator[tuple[str, str]]:
    """Read a language's list as pairs of section and entry."""
    source = files("depesche.text") / "abbreviations" / f"{language}.txt"
    section = ""
    for line in source.read_text(encoding="utf-8").splitlines():
        entry = line.partition("#")[0].strip()
        if entry.startswith("["):
            section = entry.strip("[]")
        elif entry:
            yield section, entry

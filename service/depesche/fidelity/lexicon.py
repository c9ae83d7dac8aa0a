"""Words and signs that figures are made of, and the lexer that finds them in a text."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from depesche.fidelity.compounds import german_number, russian_prefix
from depesche.fidelity.dates import MONTHS, SHORT_MONTHS, WEEKDAYS
from depesche.fidelity.money import CURRENCIES, NATIONS, PREFIXES
from depesche.fidelity.number_words import (
    CARDINALS,
    FRACTIONS,
    ORDINALS,
    SCALES,
)
from depesche.fidelity.numerals import fold
from depesche.text.normalize import normalize
from depesche.types import Language

__all__ = ["Term", "Token", "lex"]


class Term(StrEnum):
    """What a token is to the reader of figures."""

    NUMERAL = "numeral"
    CARDINAL = "cardinal"
    ORDINAL = "ordinal"
    FRACTION = "fraction"
    SCALE = "scale"
    ROMAN = "roman"
    PERCENT = "percent"
    SIGN = "sign"
    CURRENCY = "currency"
    NATION = "nation"
    MONTH = "month"
    SHORT_MONTH = "short_month"
    WEEKDAY = "weekday"
    OCLOCK = "oclock"
    HOUR = "hour"
    MINUTE = "minute"
    MERIDIEM = "meridiem"
    NOON = "noon"
    ARTICLE = "article"
    AND = "and"
    CENTURY = "century"
    FILLER = "filler"
    ORDINAL_SIGN = "ordinal_sign"
    MARK = "mark"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, numeral or sign.

    Attributes:
        term: what it is.
        text: how it stands in the folded text.
        start: where it begins.
        end: where it ends, exclusive.
        value: its value, number of month or weekday, or currency, as its term asks.
    """

    term: Term
    text: str
    start: int
    end: int
    value: Decimal | str | int = ""


_Entry = tuple[Term, Decimal | str | int]

_LITTLE_WORDS: Mapping[Language, Mapping[Term, str]] = {
    Language.ENGLISH: {
        Term.PERCENT: "percent percentage pct",
        Term.OCLOCK: "o'clock hrs",
        Term.ARTICLE: "a an",
        Term.AND: "and",
        Term.CENTURY: "century centuries",
        Term.ORDINAL_SIGN: "st nd rd th",
        Term.FILLER: "of",
    },
    Language.GERMAN: {
        Term.PERCENT: "prozent prozents prozentpunkte prozentpunkten prozentpunkt prozentig "
        "prozentige prozentigen prozentiger prozentiges",
        Term.OCLOCK: "uhr",
        Term.AND: "und",
        Term.CENTURY: "jahrhundert jahrhunderts jahrhunderte jahrhunderten jh jhd",
        Term.ORDINAL_SIGN: "te ter tes ten er ern",
    },
    Language.RUSSIAN: {
        Term.PERCENT: "процент процента процентов проценту процентом процентам процентами "
        "процентах процентный процентного процентное процентная процентной процентную "
        "процентных процентными проц",
        Term.HOUR: "ч час часа часов часам",
        Term.MINUTE: "мин минут минуты минута",
        Term.AND: "с",
        Term.CENTURY: "век века веке веком веку веков веках вв столетие столетия столетии",
        Term.ORDINAL_SIGN: "й я е х го м ю му ми ый ая ое ые ого ом ых ой",
    },
    Language.KHMER: {
        Term.PERCENT: "ភាគរយ",
        Term.HOUR: "ម៉ោង",
        Term.MINUTE: "នាទី",
        Term.CENTURY: "សតវត្ស សតវត្សរ៍ សតវត្សទី សតវត្សរ៍ទី",
        Term.FILLER: "ឆ្នាំ",
        Term.WORD: "បីដូច",
    },
}
_MERIDIEM: Mapping[Language, Mapping[str, int]] = {
    Language.ENGLISH: {"am": 0, "pm": 12},
    Language.GERMAN: {},
    Language.RUSSIAN: {"утра": 0, "вечера": 12},
    Language.KHMER: {"ព្រឹក": 0, "រសៀល": 12, "ល្ងាច": 12},
}
_NOON: Mapping[Language, Mapping[str, int]] = {
    Language.ENGLISH: {"noon": 12, "midday": 12, "midnight": 0},
    Language.GERMAN: {"mittag": 12, "mittags": 12, "mitternacht": 0, "mitternachts": 0},
    Language.RUSSIAN: {"полдень": 12, "полудня": 12, "полночь": 0, "полуночи": 0, "полночи": 0},
    Language.KHMER: {"ថ្ងៃត្រង់": 12, "អធ្រាត្រ": 0},
}

_GLUED = r"us-?\$|(?:au|ca|hk|nz|[acs])\$|per[ -]cent(?![^\W\d_])|[ap]\. ?m\.|u\.s\.|o'clock"
_NUMERAL = r"\d*[½¼¾⅓⅔]|(?<![\d.,'])\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)?(?!\d)|\d+(?:[.,']\d+)*"
_SPACED = re.compile(r"[. ]")
_ROMAN = re.compile(r"(?=[IVXХ])[XХ]{0,3}(?:I[XХ]|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "Х": 10}


@functools.cache
def _lexicon(language: Language) -> Mapping[str, _Entry]:
    tables: tuple[tuple[Term, Mapping[str, Decimal | str | int]], ...] = (
        (Term.WEEKDAY, WEEKDAYS[Language.ENGLISH]),
        (Term.SHORT_MONTH, SHORT_MONTHS[language]),
        (Term.MONTH, MONTHS[language]),
        (Term.WEEKDAY, WEEKDAYS[language]),
        (Term.CARDINAL, CARDINALS[language]),
        (Term.ORDINAL, ORDINALS[language]),
        (Term.FRACTION, FRACTIONS[language]),
        (Term.SCALE, SCALES[language]),
        (Term.MERIDIEM, _MERIDIEM[language]),
        (Term.NOON, _NOON[language]),
        (Term.NATION, dict.fromkeys(NATIONS[language], "")),
        (Term.CURRENCY, CURRENCIES[language]),
        (Term.SIGN, PREFIXES),
        *(
            (term, dict.fromkeys(words.split(), ""))
            for term, words in _LITTLE_WORDS[language].items()
        ),
    )
    return {
        form: (term, value)
        for term, words in tables
        for word, value in words.items()
        for form in (word, normalize(word).text)
    }


@functools.cache
def _pattern(language: Language) -> re.Pattern[str]:
    word = r"[^\W\d_]+"
    if language is Language.KHMER:
        # Khmer writes no spaces between words: find the words that matter, longest first, and only
        # whole syllables: U+17D2 joins consonants, marks from U+17B6 on belong to the one before.
        months = "|".join(SHORT_MONTHS[language])
        khmer = sorted((w for w in _lexicon(language) if w[0] >= "\u1780"), key=len, reverse=True)
        word = rf"(?<!\u17d2)(?:ខែ ?(?:{months})|{'|'.join(khmer)})(?![\u17b6-\u17d3])|[a-z]+"
    return re.compile(rf"{_GLUED}|(?P<numeral>{_NUMERAL})|(?P<word>{word})|[-%$€£¥₽៛₴₹/:.,()+]")


def lex(text: str, language: Language) -> Iterator[Token]:
    """Find the words, numerals and signs of `text`; what lies between them counts as a word."""
    folded = fold(text)
    done = 0
    for match in _pattern(language).finditer(folded):
        start, end = match.span()
        if folded[done:start].strip():
            yield Token(Term.WORD, folded[done:start], done, start)
        done = end
        if match["numeral"]:
            yield Token(Term.NUMERAL, match[0], start, end)
        elif match["word"] and (number := _roman(text[start:end])):
            yield Token(Term.ROMAN, match[0], start, end, number)
        else:
            term, value = _classify(match[0], text[start:end], language)
            yield Token(term, match[0], start, end, value)


def _classify(word: str, written: str, language: Language) -> _Entry:
    term, value = _look_up(word, language)
    if term in (Term.MONTH, Term.SHORT_MONTH) and written[0].islower():
        # Only English and German capitalise months, and "may" and "march" are verbs.
        return (term, value) if language in (Language.RUSSIAN, Language.KHMER) else (Term.WORD, "")
    return term, value


def _look_up(word: str, language: Language) -> _Entry:
    lexicon = _lexicon(language)
    if word in lexicon:
        return lexicon[word]
    if word == "%" or word.startswith("per"):
        return _percent_or_word(word)
    if not word[0].isalpha():
        return Term.MARK, ""
    if word[1:2] == "." or word.startswith("ខែ"):
        return _unglue(word, lexicon)
    return _compound(word, language)


def _percent_or_word(word: str) -> _Entry:
    return (Term.PERCENT if word == "%" or word[3:] in (" cent", "-cent") else Term.WORD), ""


def _unglue(word: str, lexicon: Mapping[str, _Entry]) -> _Entry:
    """Look up `a.m.`, `U.S.` and Khmer months behind the word for month."""
    if word.startswith("ខែ"):
        return Term.MONTH, lexicon[word[2:].strip()][1]
    return lexicon.get(_SPACED.sub("", word), (Term.WORD, ""))


def _compound(word: str, language: Language) -> _Entry:
    if language is Language.GERMAN:
        return _german_compound(word)
    prefix = russian_prefix(word) if language is Language.RUSSIAN else None
    return (Term.WORD, "") if prefix is None else (Term.ORDINAL, prefix)


def _german_compound(word: str) -> _Entry:
    if number := german_number(word):
        value, cardinal = number
        return (Term.CARDINAL if cardinal else Term.ORDINAL), value
    for term, names in ((Term.WEEKDAY, WEEKDAYS), (Term.SHORT_MONTH, MONTHS)):
        for name, number_in_order in names[Language.GERMAN].items():
            if word.startswith(name):
                return term, number_in_order
    return Term.WORD, ""


def _roman(written: str) -> int:
    """Read a Roman numeral up to 39, Cyrillic Х counting as X; 0 if it is none."""
    if len(written) > 7 or not _ROMAN.fullmatch(written):  # noqa: PLR2004 -- XXXVIII is the longest
        return 0
    values = [_ROMAN_VALUES[letter] for letter in written]
    followers = [*values[1:], 0]
    return sum(-v if v < after else v for v, after in zip(values, followers, strict=True))

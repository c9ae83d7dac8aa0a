"""Find the names in a source sentence that its English must hold, where that is certain."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from depesche.fidelity.glossary import glossary
from depesche.fidelity.romanise import romanise
from depesche.types import Language, Span

__all__ = [
    "Mention",
    "MentionKind",
    "has_unknown_abbreviation",
    "is_roman_numeral",
    "mentions",
    "shouts",
]


class MentionKind(StrEnum):
    """How a name is compared with the English."""

    ABBREVIATION = "abbreviation"
    LATIN = "latin"
    PERSON = "person"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Mention:
    """One name in a source sentence.

    Attributes:
        kind: how it is compared.
        text: the name, as the source writes it; a person's surname.
        span: where it stands.
        forms: English forms that may stand for it, the one to propose first; never empty.
        known: whether it is an abbreviation of the glossary.
    """

    kind: MentionKind
    text: str
    span: Span
    forms: tuple[str, ...]
    known: bool = False


# A token of Latin letters, perhaps with digits and signs inside: COVID-19, iPhone, AT&T.
_LATIN = re.compile(r"(?<![^\W_])[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9]*(?:[.&'’+-][A-Za-zÀ-ɏ0-9]+)*")
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_UNIT = re.compile(
    r"(?:[kmcdµ]?m|[kKMGTm]?[gBWVAlLt]|[kMG]?Hz|[kMGT]?(?:bit|Wh?)|ha|rpm|mph|km/h)\d?"
)
# The check of amounts covers currencies.
_CURRENCY = re.compile(r"USD|EUR|GBP|CHF|RUB|KHR|CNY|JPY|UAH|US(?=-(?:Dollar|Cent))")
_RUSSIAN_CURRENCY = re.compile(r"(?:доллар[а-я]*|долл\.|цент[а-я]*) $")
_LEAST_LETTERS = 2

_GERMAN_ABBREVIATION = re.compile(
    r"(?<![^\W_])(?:[A-ZÄÖÜ]{2,}\d*|[A-ZÄÖÜ]+-?\d+[A-Z]*|[A-ZÄÖÜ]?[a-zäöü]+[A-ZÄÖÜ][A-Za-zÄÖÜäöü]*"
    r"|[A-ZÄÖÜ]{2,}[a-zäöü]+[A-Z]*|C(?:OVID|ovid)-19)(?![^\W_])"
)
# Both genders in one word: LehrerInnen.
_GENDERED = re.compile(r"[a-zäöü]In(?:nen)?$")
_PLURAL = re.compile(r"(?<=[A-ZÄÖÜ])s$")
_GERMAN_NAME = r"[A-ZÄÖÜ][^\W\d_]{0,20}[a-zäöüß][^\W\d_]{0,20}(?:[-’'][A-ZÄÖÜ][^\W\d_]{1,20})?"
_GERMAN_TITLE = (
    r"(?:Herrn?|Frau|[A-ZÄÖÜ]?[a-zäöü]{0,30}(?:[Mm]inister|[Kk]anzler|[Pp]räsident|[Ss]ekretär"
    r"|[Ss]precher|[Dd]irektor|[Bb]otschafter|[Bb]ürgermeister|[Kk]ommissar)(?:s|en|in)?)"
)
_GERMAN_PERSON = re.compile(
    # Initials, but not the end of "z. B." or "d. h.", and no "U.S.".
    r"(?<![\w.])(?<![a-zäöü]\. )(?!U\.\s?[SNK]\.)(?:[A-ZÄÖÜ]\.[ -]?){1,3}"
    rf"(?P<initials>{_GERMAN_NAME})"
    rf"|\b(?:(?:Dr|Prof)\. ){{1,3}}(?:[A-ZÄÖÜ]\. ?)?(?:{_GERMAN_NAME} ){{0,2}}"
    rf"(?P<title>{_GERMAN_NAME})"
    # A genitive after an office is a place: "Präsident Russlands".
    rf"|\b{_GERMAN_TITLE} (?:{_GERMAN_NAME}(?<!s) )?(?P<office>{_GERMAN_NAME})(?<!s)(?![\w-])"
    # An apposition: "und Sok Puthivutha, Staatssekretär des ...".
    rf"|\b(?:und|von|durch|mit) {_GERMAN_NAME} (?P<apposed>{_GERMAN_NAME})"
    r"(?=, [A-ZÄÖÜ][\w-]{1,40} (?:de[rs]|im|in|von|für)\b)"
)
_NO_SURNAME = re.compile(
    r"Anfang|Mitte|Ende|Prozent|Euro|Dollar|Millionen|Milliarden|Tonnen|Januar|Februar|März|April"
    r"|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Montag|Dienstag|Mittwoch|Donnerstag"
    rf"|Freitag|Samstag|Sonntag|Ihnen|Sie|Ihre?|.+(?:ung|heit|keit|schaft)|{_GERMAN_TITLE}"
)

_RUSSIAN_ABBREVIATION = re.compile(
    r"(?<![^\W_])([А-ЯЁ]{2,})(?:-?(?:а|у|е|ом|ы|ов|ам|ами|ах|и|ю|я))?(?![^\W_])"
)
_RUSSIAN_NAME = r"[А-ЯЁ][а-яё]{1,30}(?:-[А-ЯЁ][а-яё]{1,30})?"
_RUSSIAN_SURNAME = (
    r"[А-ЯЁ][а-яё]{0,30}(?:(?:[оеё]в|ин)(?:а|у|ым|е|ой|ых)?"
    r"|[сц]к(?:ий|ого|ому|им|ом|ая|ой|ую)|[её]нко|швили|дзе|[ая]н(?:а|у|ом|е))"
)
_RUSSIAN_PERSON = re.compile(
    rf"(?<![\w.])(?:(?:[А-ЯЁ]|Дж)\. ?){{1,2}}(?P<initials>{_RUSSIAN_NAME})"
    rf"|(?P<reversed>{_RUSSIAN_NAME}) [А-ЯЁ]\. ?[А-ЯЁ]\.(?! ?{_RUSSIAN_NAME})"
    rf"|(?<!\w){_RUSSIAN_NAME} (?:[А-ЯЁ][а-яё]{{1,30}}(?:вич|вн|ьич)[а-яё]{{0,3}} )?"
    rf"(?P<full>{_RUSSIAN_SURNAME})(?!\w)"
)
# Words before or as the second capitalised one that make a place or an office of the two.
_RUSSIAN_ADJECTIVE = re.compile(r"(?:ых|их|ая|ое|ые|ого|ому|ной|ный|ском|ской|ский|ую)$")
_RUSSIAN_COMMON = frozenset({"штатов", "эмиратов", "островов", "министров", "государств", "берлин"})

_SHOUTING_LETTERS = 12
_SHOUTING_SHARE = 0.6


def mentions(source: str, language: Language) -> list[Mention]:
    """Find the names in `source`, in order, each spelling once.

    Found are abbreviations, tokens of Latin letters in Russian and Khmer, tokens with digits or
    inner capitals in German, countries by the glossary, and persons where the form is unmistakable:
    after initials or a title, or with a Russian surname's ending. German capitalises all nouns, so
    its other names can't be told; neither can names in Khmer letters.
    """
    finders = {
        Language.GERMAN: (_german_tokens, _german_persons),
        Language.RUSSIAN: (_latin_tokens, _russian_abbreviations, _russian_persons),
        Language.KHMER: (_latin_tokens,),
    }
    found = [mention for find in finders.get(language, ()) for mention in find(source)]
    if language in finders:
        found += _places(source, language)
    unique = {mention.text: mention for mention in reversed(found)}
    return sorted(unique.values(), key=lambda mention: mention.span.start)


def is_roman_numeral(token: str) -> bool:
    """Tell whether `token` is a Roman numeral; it is a figure then, not a name."""
    return bool(token) and _ROMAN.fullmatch(token) is not None


def has_unknown_abbreviation(source: str) -> bool:
    """Tell whether `source` holds a Cyrillic abbreviation that the glossary doesn't."""
    table = glossary(Language.RUSSIAN).words
    return any(match[1] not in table for match in _RUSSIAN_ABBREVIATION.finditer(source))


def shouts(text: str) -> bool:
    """Tell whether `text` is set in capitals, so that they tell nothing about its words."""
    letters = [character for character in text if character.isalpha()]
    if len(letters) < _SHOUTING_LETTERS:
        return False
    return sum(letter.isupper() for letter in letters) > _SHOUTING_SHARE * len(letters)


def _latin_tokens(source: str) -> Iterator[Mention]:
    for match in _LATIN.finditer(source):
        token = match[0]
        letters = sum(character.isalpha() for character in token)
        if letters >= _LEAST_LETTERS and not is_roman_numeral(token) and not _UNIT.fullmatch(token):
            yield Mention(MentionKind.LATIN, token, Span(*match.span()), (token,))


def _german_tokens(source: str) -> Iterator[Mention]:
    if shouts(source):
        return
    table = glossary(Language.GERMAN).words
    for match in _GERMAN_ABBREVIATION.finditer(source):
        token = _PLURAL.sub("", match[0])
        figure = is_roman_numeral(token) or _UNIT.fullmatch(token)
        if figure or _GENDERED.search(token) or _CURRENCY.match(source, match.start()):
            continue
        yield _abbreviation(token, match.start(), table)


def _abbreviation(token: str, start: int, table: Mapping[str, tuple[str, ...]]) -> Mention:
    forms = table.get(token)
    span = Span(start, start + len(token))
    return Mention(MentionKind.ABBREVIATION, token, span, forms or (token,), forms is not None)


def _german_persons(source: str) -> Iterator[Mention]:
    for match in _GERMAN_PERSON.finditer(source):
        surname = match[match.lastgroup or 0]
        if match.lastgroup in {"initials", "title"} or not _NO_SURNAME.fullmatch(surname):
            span = Span(*match.span(match.lastgroup or 0))
            yield Mention(MentionKind.PERSON, surname, span, (surname,))


def _russian_abbreviations(source: str) -> Iterator[Mention]:
    if shouts(source):
        return
    table = glossary(Language.RUSSIAN).words
    for match in _RUSSIAN_ABBREVIATION.finditer(source):
        # What isn't in the glossary may be anything in English.
        if match[1] in table and not _RUSSIAN_CURRENCY.search(
            source[max(0, match.start() - 12) : match.start()]
        ):
            yield _abbreviation(match[1], match.start(), table)


def _russian_persons(source: str) -> Iterator[Mention]:
    for match in _RUSSIAN_PERSON.finditer(source):
        group = match.lastgroup or ""
        first = match[0].split(" ", 1)[0]
        surname = match[group]
        if group == "full" and (
            _RUSSIAN_ADJECTIVE.search(first) or surname.lower() in _RUSSIAN_COMMON
        ):
            continue
        yield Mention(MentionKind.PERSON, surname, Span(*match.span(group)), (romanise(surname),))


def _places(source: str, language: Language) -> Iterator[Mention]:
    """Find words that begin with a stem of the glossary; the first of each entry is enough."""
    entries = glossary(language)
    seen: set[tuple[str, ...]] = set()
    for match in entries.pattern.finditer(source):
        stem = match[match.lastgroup or 0]
        forms = entries.stems[stem.lower() if language is Language.RUSSIAN else stem]
        if forms not in seen:
            seen.add(forms)
            yield Mention(MentionKind.PLACE, match[0], Span(*match.span()), forms)

"""Check that the names of a source sentence survive in its English, and no others come in."""

import re
from collections.abc import Iterator

from depesche.fidelity.mentions import (
    Mention,
    MentionKind,
    has_unknown_abbreviation,
    is_roman_numeral,
    mentions,
    shouts,
)
from depesche.fidelity.romanise import alike, fold, romanise, stem
from depesche.fidelity.target import Target, plain
from depesche.types import Finding, FindingKind, Language, Span

__all__ = ["check_names"]

# Ratios of matching letters from which two spellings count as one name, set on human translations
# (flores200_dev): German and English differ by a transliteration at most, Russian by more.
_GERMAN_LIKENESS = 0.8
_RUSSIAN_LIKENESS = 0.7
# A foreign name comes back from Cyrillic to its own spelling: Шрёдер, Schröder; Байден, Biden.
_FOREIGN_LIKENESS = 0.55
_RUSSIAN_ENDING = re.compile(r"(?:[оеё]в|ин|[сц]к|нк)$")
# Names are compared by likeness; no sentence comes near so many.
_MOST_MENTIONS = 100

_LONG = 5

_ENGLISH_ABBREVIATION = re.compile(r"(?<![^\W_])(?:[A-Z]{2,}(?=s?(?![^\W_]))|(?:[A-Z]\.){2,})")
_ENGLISH_PERSON = re.compile(
    r"(?<![\w.])(?!U\. ?[SNK]\.|E\. ?U\.|D\. ?C\.)(?:[A-Z]\. ?){1,3}(?P<surname>[A-Z][^\W\d_]*[a-z][^\W\d_]*)"
)
# Abbreviations that English uses where the source writes words.
_EVERYDAY = frozenset(
    "AC AD AI AIDS AM ASEAN ATM AU BBC BC BCE BRICS CCTV CD CE CEO CIA CIS CO COVID CPR CSTO CT DC DIY "
    "DNA DPRK DSLR DVD EAEU EC ECB ER EU FBI FIFA FM FRG GB GDP GDR GMT GP GPS HIV HQ HR IAEA ICC ICT "
    "ID ILO IMF IOC IQ ISS IT JFK LA LGBT MP MPs MRI NASA NATO NGO NHS NY NYC OECD OK OPEC OSCE PC PCR PhD "
    "PIN PM PR PRC PTSD QR REM RNA SCO SIM SME SUV TB TV UAE UAV UEFA UFO UK UN UNESCO UNICEF US USA "
    "USD USSR UTC VAT VIP VS WADA WHO WTO WWI WWII".split()
)


def check_names(source: str, target: str, language: Language) -> list[Finding]:
    """Compare the names of `source` with those of its English `target`.

    Latin-script names must come back letter for letter, but for case, accents, hyphens and a
    genitive s; abbreviations as themselves, as a form of the glossary, or spelt out; countries
    by a form of the glossary; persons by their surname, in any transliteration. `mentions` says which names are found at all.
    An abbreviation, or a person with initials, that only the English has is reported as invented;
    not for Khmer, which writes both in its own letters.
    """
    english = Target(target)
    named = mentions(source, language)[:_MOST_MENTIONS]
    missing = [_missing(name, english, language) for name in named]
    invented = [] if language is Language.KHMER else [*_invented(source, target, named)]
    return [finding for finding in missing if finding is not None] + invented


def _missing(name: Mention, english: Target, language: Language) -> Finding | None:
    left = _left_as_it_is(name, english)
    if left is None and _survives(name, english, language):
        return None
    expected = name.forms[0].rstrip("*")
    said = f' ("{expected}")' if expected != name.text else ""
    problem = "is left as it is in the English" if left else "is missing from the English"
    return Finding(
        FindingKind.NAME_MISSING,
        f'"{name.text}"{said} {problem}',
        expected=expected,
        found=left or "",
        source_span=name.span,
        target_span=english.find(left) if left else None,
    )


def _left_as_it_is(name: Mention, english: Target) -> str | None:
    """Find a known abbreviation that the English copies although it isn't English."""
    spelt = romanise(name.text)
    if (
        name.known
        and not any(plain(form) == plain(spelt) for form in name.forms)
        and english.find(spelt)
    ):
        return spelt
    return None


def _survives(name: Mention, english: Target, language: Language) -> bool:
    if name.kind is MentionKind.PERSON:
        return _person_survives(name.text, english, language)
    if any(english.holds(form) for form in name.forms):
        return True
    # A country's name may come back as its adjective: Croatia, Croatian.
    if len(name.text) >= _LONG and english.holds(f"{name.text}*"):
        return True
    return name.text.isascii() and (english.joins(name.text) or english.spells_out(name.text))


def _person_survives(surname: str, english: Target, language: Language) -> bool:
    if language is Language.GERMAN:
        return alike(fold(surname), english.names, _GERMAN_LIKENESS)
    bare = stem(surname)
    native = _RUSSIAN_ENDING.search(surname) or bare.endswith(("ov", "ev", "in", "sk", "nk"))
    return alike(bare, english.stems, _RUSSIAN_LIKENESS if native else _FOREIGN_LIKENESS)


def _invented(source: str, target: str, named: list[Mention]) -> Iterator[Finding]:
    yield from _invented_abbreviations(source, target, named)
    words = _words(source)
    for match in _ENGLISH_PERSON.finditer(target):
        if not alike(stem(match["surname"]), words, _FOREIGN_LIKENESS):
            yield _invention(match[0], Span(*match.span()))


def _words(source: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", source)
    return frozenset(stem(word) for word in words[:1000] if word[0].isupper())


def _invented_abbreviations(source: str, target: str, named: list[Mention]) -> Iterator[Finding]:
    # An abbreviation that the glossary doesn't know may be anything in English.
    if shouts(target) or has_unknown_abbreviation(source):
        return
    known = {plain(form) for name in named for form in name.forms}
    origin, romanised = Target(source), Target(romanise(source))
    for match in _ENGLISH_ABBREVIATION.finditer(target):
        token = match[0].replace(".", "")
        lawful = token in _EVERYDAY or is_roman_numeral(token) or token.casefold() in known
        if lawful or any(
            text.joins(token) or text.spells_out(token) for text in (origin, romanised)
        ):
            continue
        if not Target(target).spells_out(token):
            yield _invention(match[0], Span(*match.span()))


def _invention(found: str, span: Span) -> Finding:
    return Finding(
        FindingKind.NAME_INVENTED,
        f'"{found}" stands in the English and not in the source',
        found=found,
        target_span=span,
    )

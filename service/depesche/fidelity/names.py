"""Check that the names of a source sentence survive in its English, and no others come in."""

import re
from collections.abc import Iterator
from itertools import islice

from depesche.fidelity.countries import foreign_countries
from depesche.fidelity.glossary import word_list
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

# Ratios of matching letters from which two spellings count as one name. Chosen by hand: German and
# English differ by a transliteration at most, Russian by more. In 5,000 sentences of WMT news with
# 290 persons they raise two false alarms.
_GERMAN_LIKENESS = 0.8
_RUSSIAN_LIKENESS = 0.7
# A foreign name comes back from Cyrillic to its own spelling: Шрёдер, Schröder; Байден, Biden.
_FOREIGN_LIKENESS = 0.55
_RUSSIAN_ENDING = re.compile(r"(?:[оеё]в|ин|[сц]к|нк)$")
# A country's name of so many letters may come back as its adjective: Croatia, Croatian.
_LONG = 5

_ENGLISH_ABBREVIATION = re.compile(r"(?<![^\W_])(?:[A-Z]{2,}(?=s?(?![^\W_]))|(?:[A-Z]\.){2,})")
_NAME = re.compile(r"(?<![^\W_])(?=[^\W\d_])[A-ZÄÖÜА-ЯЁ][^\W\d_]{1,40}(?:-[^\W\d_]{1,40})?")
_ENGLISH_PERSON = re.compile(
    r"(?<![\w.])(?!U\. ?[SNK]\.|E\. ?U\.|D\. ?C\.)(?:[A-Z]\. ?){1,3}"
    r"(?P<surname>[A-Z][^\W\d_]{0,20}[a-z][^\W\d_]{0,20})"
)
# More of one kind in one sentence aren't looked at; no sentence comes near so many.
_MOST_MENTIONS = 100
_MOST_INVENTED = 100
_MOST_WORDS = 300


def check_names(source: str, target: str, language: Language) -> list[Finding]:
    """Compare the names of `source` with those of its English `target`.

    Latin-script names must come back letter for letter, but for case, accents, hyphens and a
    genitive s; abbreviations as themselves, as a form of the glossary, or spelt out; countries by
    a form of the glossary; persons by their surname, in any transliteration. `mentions` says which
    names are found at all.

    A country, an abbreviation, or a person with initials, that only the English has is reported as
    invented; not for Khmer, which writes them in its own letters, and in more ways than one.
    """
    english = Target(target)
    named = mentions(source, language)[:_MOST_MENTIONS]
    missing = [_missing(name, english, language) for name in named]
    invented = [] if language is Language.KHMER else [*_invented(source, target, named, language)]
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
    if not name.known or any(Target(spelt).holds(form) for form in name.forms):
        return None
    return spelt if english.find(spelt) else None


def _survives(name: Mention, english: Target, language: Language) -> bool:
    if name.kind is MentionKind.PERSON:
        return _person_survives(name.text, english, language)
    if any(english.holds(form) for form in name.forms):
        return True
    if name.kind is MentionKind.PLACE:
        # "Niedersachsen" is no English for Niedersachsen.
        return False
    if len(name.text) >= _LONG and english.holds(f"{name.text}*"):
        return True
    return name.text.isascii() and (english.joins(name.text) or english.spells_out(name.text))


def _person_survives(surname: str, english: Target, language: Language) -> bool:
    if language is Language.GERMAN:
        return alike(fold(surname), english.names, _GERMAN_LIKENESS)
    bare = stem(surname)
    native = _RUSSIAN_ENDING.search(surname) or bare.endswith(("ov", "ev", "in", "sk", "nk"))
    return alike(bare, english.stems, _RUSSIAN_LIKENESS if native else _FOREIGN_LIKENESS)


def _invented(
    source: str, target: str, named: list[Mention], language: Language
) -> Iterator[Finding]:
    yield from islice(_invented_abbreviations(source, target, named), _MOST_INVENTED)
    for span in islice(foreign_countries(source, target, language), _MOST_INVENTED):
        yield _invention(target[span.start : span.end], span)
    words = _stems(source)
    for match in islice(_ENGLISH_PERSON.finditer(target), _MOST_INVENTED):
        if not alike(stem(match["surname"]), words, _FOREIGN_LIKENESS):
            yield _invention(match[0], Span(*match.span()))


def _stems(source: str) -> frozenset[str]:
    """Stem the capitalised words of the source, whatever its script."""
    names = (match[0] for match in _NAME.finditer(source))
    return frozenset(map(stem, islice(names, _MOST_WORDS)))


def _invented_abbreviations(source: str, target: str, named: list[Mention]) -> Iterator[Finding]:
    # An abbreviation that the glossary doesn't know may be anything in English.
    if shouts(target) or has_unknown_abbreviation(source):
        return
    lawful = word_list("everyday") | {plain(form).upper() for name in named for form in name.forms}
    texts = [Target(source), Target(romanise(source)), Target(target)]
    for match in islice(_ENGLISH_ABBREVIATION.finditer(target), _MOST_INVENTED):
        token = match[0].replace(".", "")
        if token in lawful or is_roman_numeral(token) or _comes_from(token, texts):
            continue
        yield _invention(match[0], Span(*match.span()))


def _comes_from(token: str, texts: list[Target]) -> bool:
    """Tell whether the source holds `token`, or its words or those of the English spell it out."""
    source, romanised, _ = texts
    holds = source.joins(token) or romanised.joins(token)
    return holds or any(text.spells_out(token) for text in texts)


def _invention(found: str, span: Span) -> Finding:
    return Finding(
        FindingKind.NAME_INVENTED,
        f'"{found}" stands in the English and not in the source',
        found=found,
        target_span=span,
    )

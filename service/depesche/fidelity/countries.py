"""Find countries in the English that no word of the source explains."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from depesche.fidelity.glossary import glossary, word_list
from depesche.fidelity.target import Target
from depesche.types import Language, Span

__all__ = ["foreign_countries"]

_WORD = re.compile(r"[^\W\d_]+")


def foreign_countries(source: str, target: str, language: Language) -> Iterator[Span]:
    """Find where `target` names a country that `source` doesn't, in any word or part of one.

    A country counts as named by an adjective, a capital or an abbreviation of the glossary too,
    and by its English name. One that the glossary of `language` lacks is never found.
    """
    folded = source.casefold()
    written = Target(source)
    words = frozenset(_WORD.findall(source))
    for match in _pattern().finditer(target):
        stems, abbreviations = _sources(language)[match[0]]
        if not stems or written.holds(match[0]):
            continue
        if not any(stem in folded for stem in stems) and not abbreviations & words:
            yield Span(*match.span())


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(sorted(word_list("countries"), key=len, reverse=True))
    # "New Mexico" and "East China" are elsewhere.
    return re.compile(rf"(?<!New )(?<!South )(?<!East )(?<!North )(?<!\w)(?:{names})(?!\w)")


@cache
def _sources(language: Language) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """List for each country the stems and the abbreviations that may stand for it."""
    entries = glossary(language)
    found = {}
    for country in word_list("countries"):
        english = Target(country)
        stems = [s.casefold() for s, forms in entries.stems.items() if _fit(forms, english)]
        words = [word for word, forms in entries.words.items() if _fit(forms, english)]
        found[country] = frozenset(stems), frozenset(words)
    return found


def _fit(forms: tuple[str, ...], country: Target) -> bool:
    return any(country.holds(form) for form in forms)

"""Find what the English took over from the source as it was."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from depesche.fidelity.glossary import word_list
from depesche.types import Finding, FindingKind, Language, Span

__all__ = ["check_untranslated"]

_FOREIGN_RUN = re.compile(r"[Ѐ-ԯ][Ѐ-ԯ\s.,'’«»-]*[Ѐ-ԯ]|[Ѐ-ԯ]|[ក-៿][ក-៿\s]*[ក-៿]|[ក-៿]")
_MOST_RUNS = 3

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Titles keep one: "Alternative für Deutschland" is no fault.
_COPIED_WORDS = 4
_COPIED_GERMAN = 2
_GERMAN_SHARE = 0.3
_GERMAN_LEAST = 2

_LEAST_LETTERS = 5

# Words that can only be German: nouns by their suffix, adjectives and verbs by their ending.
_GERMAN_NOUN = re.compile(
    r"(?!.*(?:zeitung|stiftung|gesellschaft)$)[A-ZÄÖÜ][a-zäöüß]{3,}"
    r"(?:ungen|ierung|keiten?|heiten?|schaften|ministeriums?|behörden?|kommunikation|itäten?|ität)"
    r"|Ministeriums?|Behörden?|Kommunikation"
)
_GERMAN_LOWER = re.compile(
    r"(?=.{7})[a-zäöüß]+(?:lich|isch|ig)(?:e[rnsm]?)|[a-zäöüß]{4,}(?:lich|ieren|ierten?)"
    r"|(?=.{5})[a-z]*[äöüß][a-zäöüß]*|[a-z]{3,}(?:al|ell|ent|bar|sam|los|haft)e[nrsm]?"
    r"|ge[a-z]{4,}te?[nrsm]?"
)


def check_untranslated(source: str, target: str, language: Language) -> list[Finding]:
    """Find Cyrillic and Khmer letters in the English, and German words that were copied.

    A German word counts as copied only if it can't be a name or English: sentences that are German
    by their function words, runs of several words, and single words that are common or whose ending
    tells.
    """
    spans = [Span(*match.span()) for match in islice(_FOREIGN_RUN.finditer(target), _MOST_RUNS)]
    if language is Language.GERMAN and not spans:
        spans = list(islice(_german_spans(source, target), _MOST_RUNS))
    return [_finding(source, target, span) for span in spans]


def _finding(source: str, target: str, span: Span) -> Finding:
    found = target[span.start : span.end]
    start = source.find(found)
    return Finding(
        FindingKind.UNTRANSLATED,
        f'"{found}" is left untranslated',
        found=found,
        source_span=Span(start, start + len(found)) if start >= 0 else None,
        target_span=span,
    )


def _german_spans(source: str, target: str) -> Iterator[Span]:
    words = list(_WORD.finditer(target))
    function_words = word_list("german")
    german = sum(match[0] in function_words for match in words)
    if german >= _GERMAN_LEAST and german >= _GERMAN_SHARE * len(words):
        yield Span(words[0].start(), words[-1].end())
        return
    tokens = [match[0] for match in _WORD.finditer(source)]
    copied = _copied_runs(tokens, words)
    yield from copied
    vocabulary = frozenset(tokens)
    for match in words:
        inside = any(run.start <= match.start() < run.end for run in copied)
        if not inside and match[0] in vocabulary and _is_german(match[0]):
            yield Span(*match.span())


def _copied_runs(tokens: list[str], words: list[re.Match[str]]) -> list[Span]:
    """Find runs of four words or more, two German ones among them, that the source has as well."""
    grams = {tuple(tokens[i : i + _COPIED_WORDS]) for i in range(len(tokens) - _COPIED_WORDS + 1)}
    function_words = word_list("german")
    runs: list[Span] = []
    end = 0
    for index in range(len(words) - _COPIED_WORDS + 1):
        window = words[index : index + _COPIED_WORDS]
        texts = tuple(match[0] for match in window)
        german = sum(text in function_words for text in texts)
        if index >= end and german >= _COPIED_GERMAN and texts in grams:
            runs.append(Span(window[0].start(), window[-1].end()))
            end = index + _COPIED_WORDS
    return runs


def _is_german(word: str) -> bool:
    if len(word) >= _LEAST_LETTERS and word in word_list("german"):
        return True
    patterns = (_GERMAN_NOUN, _GERMAN_LOWER, _common_noun())
    return any(pattern.fullmatch(word) for pattern in patterns)


@cache
def _common_noun() -> re.Pattern[str]:
    """Find the nouns of the list, alone or at the end of a compound."""
    nouns = word_list("nouns")
    whole, ends = "|".join(sorted(nouns)), "|".join(sorted(map(str.lower, nouns)))
    return re.compile(rf"(?:{whole}|[A-ZÄÖÜ][a-zäöüß]{{2,}}(?:{ends}))(?:e[nrs]?|n|s)?")

"""The language of a text, told with confidence or not at all."""

import functools
import math
import re
from collections import defaultdict

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from depesche.errors import InvalidRequest, LanguageUncertain, LanguageUnsupported, Violation
from depesche.types import Detection, Language

__all__ = ["check_named", "detect", "guess"]

# Letters. In shorter texts the classifier's probabilities mean little: it gives «Москва» to
# Bulgarian, and a headline in Dutch to German.
_FEWEST_LETTERS = 40
# Characters of the chunks that are judged one by one: long enough to be fairly sure of, short
# enough that a sentence in another language shows, and that repetition doesn't flatten the
# probabilities.
_CHUNK_MIN, _CHUNK_MAX = 80, 160
# Chunks that are judged, evenly spaced over the text; more don't change the outcome.
_MOST_CHUNKS = 100
# Share of the text that must be in one language. Quotations and an English boilerplate take up to
# a quarter of a release; a text of two languages has less than this of either.
_MAJORITY = 0.7
# Share below which all supported languages together are ruled out, though it may be open which
# of several close languages, such as Croatian and Serbian, the text is in.
_RULED_OUT = 0.1
# Share from which the rest is in other languages, rather than doubt about the first.
_MIXED = 0.2
# Characters from the start of a text by which its language is guessed.
_GUESSED = 2_000
# ISO 639-2 for no linguistic content, and for several languages.
_NONE, _SEVERAL = "zxx", "mul"

_CYRILLIC = re.compile("[\u0400-\u052f]")
_KHMER = re.compile("[\u1780-\u17b3]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_SCRIPTS = {"Cyrillic": _CYRILLIC, "Khmer": _KHMER, "Latin": _LATIN}
_SCRIPT = {
    Language.GERMAN: "Latin",
    Language.ENGLISH: "Latin",
    Language.KHMER: "Khmer",
    Language.RUSSIAN: "Cyrillic",
}


def detect(text: str) -> Detection:
    """Tell the language of a release.

    Each chunk of the text is judged apart: by its script, for Khmer, else by py3langid's naive
    Bayes classifier (Lui and Baldwin 2012, "langid.py: An Off-the-shelf Language Identification
    Tool") over all its languages, since a choice among the supported ones alone would give them
    Ukrainian as Russian. The chunks' probabilities are added up by their letters.

    Raises:
        LanguageUncertain: the text is too short, in several languages, or not clear.
        LanguageUnsupported: it is in another language than those of `Language`.
    """
    shares = _shares(text)
    language, share = max(shares.items(), key=lambda item: item[1])
    supported = sum(shares[known] for known in Language)
    if language in set(Language) and share >= _MAJORITY:
        return Detection(Language(language), min(share, 1.0))
    if language not in {_NONE, _SEVERAL} and (share >= _MAJORITY or supported < _RULED_OUT):
        raise LanguageUnsupported(language, list(Language))
    raise LanguageUncertain(_doubt(shares))


def guess(text: str) -> Language:
    """Guess the language of a release by its script alone, in no time."""
    scripts = {Language.KHMER: _KHMER, Language.RUSSIAN: _CYRILLIC, Language.GERMAN: _LATIN}
    start = text[:_GUESSED]
    return max(scripts, key=lambda language: len(scripts[language].findall(start)))


def check_named(text: str, language: Language) -> None:
    """Refuse a text that is clearly not in the language that its sender named.

    Its script contradicts, or `detect` would tell another language and hardly find the named one.
    What is open passes: the sender knows better. So do a few words in Latin letters, which may be
    names.

    Raises:
        InvalidRequest: names what the text reads as.
    """
    found = _other_script(text, language)
    if found is None and _letters(text) >= _FEWEST_LETTERS:
        found = _other_language(text, language)
    if found is not None:
        rule = f"says '{language}', and the text {found}; leave it out to have it detected"
        raise InvalidRequest([Violation("release.language", rule)])


def _other_script(text: str, language: Language) -> str | None:
    letters = _letters(text)
    for script, pattern in _SCRIPTS.items():
        few = script == "Latin" and letters < _FEWEST_LETTERS
        written = len(pattern.findall(text))
        if script != _SCRIPT[language] and written > _MAJORITY * letters and not few:
            return f"is in {script} letters"
    return None


def _other_language(text: str, language: Language) -> str | None:
    shares = _shares(text)
    best, share = max(shares.items(), key=lambda item: item[1])
    is_clear = share >= _MAJORITY and shares[language] < _RULED_OUT
    return f"reads as '{best}'" if is_clear and best not in {_NONE, _SEVERAL} else None


def _shares(text: str) -> dict[str, float]:
    """Tell how much of the text is in which language, by letters; the shares add up to 1."""
    chunks = _chunks(text)
    chunks = chunks[:: math.ceil(len(chunks) / _MOST_CHUNKS)]
    letters = sum(map(_letters, chunks))
    if letters == 0:
        raise LanguageUncertain("the text holds no letters to tell its language by")
    if letters < _FEWEST_LETTERS and not all(map(_is_khmer, chunks)):
        rule = f"the text has fewer than {_FEWEST_LETTERS} letters"
        raise LanguageUncertain(f"{rule}, too few to tell its language; name the language")
    shares: defaultdict[str, float] = defaultdict(float)
    for chunk in chunks:
        weight = _letters(chunk) / letters
        for language, probability in _probabilities(chunk):
            written = _share_of_script(language, chunk)
            shares[language] += weight * probability * written
            shares[_SEVERAL] += weight * probability * (1 - written)
    return shares


def _doubt(shares: dict[str, float]) -> str:
    """Say why the language can't be told."""
    best, second = sorted(shares, key=lambda language: -shares[language])[:2]
    if best == _NONE:
        return "the text is in no language that can be told; name the language"
    if shares[second] >= _MIXED:
        return f"the text looks mixed, of '{best}' and others; name the language"
    return f"the text's language is not clear, '{best}' at best; name the language"


def _chunks(text: str) -> list[str]:
    """Cut long lines, evenly, and pack short ones with their neighbours."""
    chunks = [""]
    for line in text.splitlines():
        size = math.ceil(len(line) / math.ceil(len(line) / _CHUNK_MAX)) if line else 1
        for start in range(0, len(line), size):
            if len(chunks[-1]) >= _CHUNK_MIN:
                chunks.append("")
            chunks[-1] += line[start : start + size] + "\n"
    return chunks


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _share_of_script(language: str, text: str) -> float:
    """Tell how many of the letters are in the script that a supported language is written in."""
    match language:
        case Language.RUSSIAN:
            script = _CYRILLIC
        case Language.GERMAN | Language.ENGLISH:
            script = _LATIN
        case _:
            return 1.0
    return len(script.findall(text)) / max(_letters(text), 1)


def _is_khmer(text: str) -> bool:
    """Tell whether most letters are Khmer, a script that no other supported language shares."""
    return 2 * len(_KHMER.findall(text)) > _letters(text)


def _probabilities(chunk: str) -> list[tuple[str, float]]:
    if _is_khmer(chunk):
        return [(Language.KHMER, 1.0)]
    ranking: list[tuple[str, float]] = _identifier().rank(chunk)
    return ranking


@functools.cache
def _identifier() -> LanguageIdentifier:
    """Load the classifier: half a second, and some 70 MB."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

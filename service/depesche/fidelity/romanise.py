"""Spell Cyrillic names in Latin letters, and compare names that are spelt by different systems."""

import re
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches

__all__ = ["alike", "fold", "romanise", "stem"]

# BGN/PCGN romanisation of Russian (1947), with yo for ё and without marks for the two signs.
_LETTERS = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "zh", "з": "z",
    "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
# The standard writes "ye" for е at the start and after a vowel or sign.
_YE = re.compile(r"(?<![^\Wаеёиоуыэюяйъь])е", re.IGNORECASE)

# What German, English and scholarly spellings of one sound have in common; the longest come first.
_SOUNDS = {
    "schtsch": "s", "shch": "s", "tsch": "h", "dsch": "i", "tch": "h", "dzh": "i", "sch": "s",
    "sh": "s", "zh": "s", "ch": "h", "kh": "h", "ts": "s", "tz": "s", "ph": "f", "th": "t",
    "dj": "i", "w": "v", "f": "v", "j": "i", "y": "i", "ck": "k", "c": "k", "q": "k", "x": "ks",
    "z": "s", "ou": "u", "oo": "u", "ee": "i", "ue": "u", "oe": "o", "ae": "a",
}  # fmt: skip
_SOUND = re.compile("|".join(_SOUNDS))
_DOUBLED = re.compile(r"(.)\1+")
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})

# Endings of cases and genders, in Cyrillic and as English keeps the nominative.
_CYRILLIC_ENDING = re.compile(
    r"(?:ого|ому|ыми|ими|ый|ий|ая|яя|ой|ую|ым|им|ом|ем|ою|ею|ей|ых|их|ам|ах|а|о|у|е|ы|и|я|ю|ь|й)$"
)
_LATIN_ENDING = re.compile(r"(?:aya|aia|iy|ii|yi|ij|yy|oy|y|i|a|o|u|e)$")
_LEAST_STEM = 3


def romanise(text: str) -> str:
    """Spell Cyrillic letters by BGN/PCGN, as English media mostly do; others stay."""
    text = _YE.sub(lambda match: "Ye" if match[0].isupper() else "ye", text)
    return "".join(map(_letter, text))


def _letter(character: str) -> str:
    latin = _LETTERS.get(character.lower(), character)
    return latin.capitalize() if character.isupper() else latin


def fold(name: str) -> str:
    """Reduce a Latin spelling to what spellings of the same name share.

    Case, accents, doubled letters and the choice between equivalents such as w and v, sch and sh,
    j and y are gone: Siromolotow and Syromolotov fold to the same.
    """
    parts = unicodedata.normalize("NFKD", name.casefold().translate(_STROKES))
    plain = "".join(part for part in parts if part.isalnum())
    sounds = _SOUND.sub(lambda match: _SOUNDS[match[0]], plain)
    return _DOUBLED.sub(r"\1", sounds).replace("ie", "e")


def stem(name: str) -> str:
    """Fold a name without the ending of its case or gender; Cyrillic is spelt in Latin first."""
    lower = name.lower()
    bare = _CYRILLIC_ENDING.sub("", lower)
    if bare == lower:
        bare = _LATIN_ENDING.sub("", lower)
    return fold(romanise(bare if len(bare) >= _LEAST_STEM else lower))


def alike(name: str, others: Collection[str], threshold: float) -> bool:
    """Tell whether one of `others` resembles `name`; all are folded or stems.

    Args:
        name: what is looked for.
        others: where it is looked for.
        threshold: least ratio of matching letters, from 0 to 1 (Ratcliff and Obershelp 1988, as
            `difflib` computes it).
    """
    return name in others or bool(get_close_matches(name, others, n=1, cutoff=threshold))

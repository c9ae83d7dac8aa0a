"""Units of measure that follow a figure."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from depesche.fidelity.numerals import fold
from depesche.types import Span

__all__ = ["Unit", "read_unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that stands behind a figure.

    Attributes:
        symbol: its symbol, the same in all languages.
        span: where it stands.
    """

    symbol: str
    span: Span


_METRE = r"(?:met(?:er|re)s?n?|метр\w*|ម៉ែត្រ)"
_GRAM = r"(?:gram(?:me|m)?s?|грамм\w*|ក្រាម)"
_LITRE = r"(?:lit(?:er|re)s?n?|литр\w*|លីត្រ)"
_WATT = r"(?:watts?|ватт(?:а|ам|ами|ов|ы|у|е)?|វ៉ាត់)"
_HOUR = r"(?:[ -]?hours?|stunden?|-?час\w*|ម៉ោង)"
_PER_HOUR = r"(?: ?(?:per|an|pro|je) (?:hour|stunde)| в час|/h|/ч|ក្នុងមួយម៉ោង)"
_KILO, _CENTI, _MILLI = "(?:kilo|кило|គីឡូ)", "(?:centi|zenti|санти|សង់ទី)", "(?:milli|милли|មីលី)"
_SQUARE = r"(?:square |sq\.? |quadrat|кв\. ?|квадратн\w+ )"
_POWERS = {
    "k": (_KILO, "k|к"),
    "M": ("(?:mega|мега|មេហ្គា)", "m|м"),
    "G": ("(?:giga|гига|ជីហ្គា|ហ្គីហ្គា)", "g|г"),
    "T": ("(?:tera|тера|តេរ៉ា)", "t|т"),
}

# The longest is tried first, so that a kilowatt hour is no kilowatt and km² no km. Symbols are in
# lower case, as the texts are folded.
_WORDS: Mapping[str, str] = {
    **{
        f"{p}Wh": f"{word}{_WATT}{_HOUR}|(?:{s})(?:wh|вт[ ·*⋅-]?ч)"
        for p, (word, s) in _POWERS.items()
    },
    **{f"{p}W": f"{word}{_WATT}|(?:{s})(?:w|вт)" for p, (word, s) in _POWERS.items()},
    "km/h": rf"{_KILO}{_METRE}{_PER_HOUR}|(?:km|км){_PER_HOUR}|kph|stundenkilometern?",
    "km²": rf"{_SQUARE}(?:{_KILO}{_METRE}|km|км)|(?:km|км)[²2]|គីឡូម៉ែត្រ ?(?:ការ៉េ|ក្រឡា)",
    "m²": rf"{_SQUARE}(?:{_METRE}|m|м)|(?:m|м)[²2]|qm|ម៉ែត្រ ?(?:ការ៉េ|ក្រឡា)",
    "km": f"{_KILO}{_METRE}|km|км|គ\\.ម",
    "cm": f"{_CENTI}{_METRE}|cm|см",
    "mm": f"{_MILLI}{_METRE}|mm|мм",
    "m": f"{_METRE}|m|м",
    "mile": r"miles?|meilen?|мил[ьяей]+|ម៉ាយ",
    "ha": r"hectares?|hektar\w*|гектар\w*|ha|га|ហិកតា|ហិចតា",
    "kg": f"{_KILO}{_GRAM}|kilos?|кило|kg|кг|គ\\.ក",
    "mg": f"{_MILLI}{_GRAM}|mg|мг",
    "g": f"{_GRAM}|g|г",
    "t": r"tonnen?|ton(?:ne)?s|ton|t|тонн\w*|т|តោន",
    "l": f"{_LITRE}|l|л",
    "°C": r"(?:degrees |grad |градус\w* )?(?:celsius|по цельсию|цельсия)|° ?[cс]|អង្សាសេ",
    "°F": r"(?:degrees |grad |градус\w* )?(?:fahrenheit|по фаренгейту)|° ?f|អង្សាហ្វារិនហៃ",
}
_LONGEST = 40


@functools.cache
def _pattern() -> re.Pattern[str]:
    groups = "|".join(f"(?P<u{index}>{words})" for index, words in enumerate(_WORDS.values()))
    # A unit that is divided, as kg/ha, isn't this unit.
    return re.compile(rf"[ -]?(?:{groups})(?![a-zà-ÿа-я²³/·2-9]| ?(?:ការ៉េ|ក្រឡា|គូប|ក្នុង|ម៉ោង))")


def read_unit(text: str, end: int) -> Unit | None:
    """Read the unit that follows the figure that ends at `end`, if it is known."""
    match = _pattern().match(fold(text[end : end + _LONGEST]))
    if match is None or match.lastgroup is None:
        return None
    start, stop = match.span(match.lastgroup)
    symbol = list(_WORDS)[int(match.lastgroup[1:])]
    return Unit(symbol, Span(end + start, end + stop))

"""Numbers inside words: German writes them in one word, and Russian joins them to nouns."""

import re
from collections.abc import Mapping
from decimal import Decimal

from depesche.fidelity.forms import values

__all__ = ["german_number", "russian_prefix"]

_GERMAN_UNITS = values("""
1 ein eins
2 zwei zwo
3 drei
4 vier
5 fünf
6 sechs
7 sieben
8 acht
9 neun
""")
_GERMAN_TEENS = values("""
10 zehn
11 elf
12 zwölf
13 dreizehn
14 vierzehn
15 fünfzehn
16 sechzehn
17 siebzehn
18 achtzehn
19 neunzehn
""")
_GERMAN_TENS = values("""
20 zwanzig
30 dreißig dreissig
40 vierzig
50 fünfzig
60 sechzig
70 siebzig
80 achtzig
90 neunzig
""")
_GERMAN_OTHERS = values("""
1 ein eins eine einem einen einer eines
1.5 anderthalb anderthalbe
""")
_GERMAN_ORDINALS = values("""
1 erst
2 beid
3 dritt
7 siebt
8 acht
""")
_HALF = Decimal("0.5")
_ZERO, _ONE = Decimal(0), Decimal(1)

_RUSSIAN_PREFIXES = values("""
2 двух дву
3 трех
4 четырех
5 пяти
6 шести
7 семи
8 восьми
9 девяти
10 десяти
11 одиннадцати
12 двенадцати
14 четырнадцати
15 пятнадцати
16 шестнадцати
17 семнадцати
18 восемнадцати
20 двадцати
30 тридцати
40 сорока
50 пятидесяти
60 шестидесяти
70 семидесяти
80 восьмидесяти
90 девяносто
100 сто
""")


def _either(words: Mapping[str, Decimal]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_UNDER_100 = (
    rf"(?:(?:(?P<unit{{0}}>{_either(_GERMAN_UNITS)})und)?(?P<tens{{0}}>{_either(_GERMAN_TENS)})"
    rf"|(?P<small{{0}}>{_either(_GERMAN_TEENS | _GERMAN_UNITS)}))"
)
_UNDER_1000 = (
    rf"(?:(?:(?P<hundreds{{0}}>{_either(_GERMAN_UNITS)})?(?P<hundred{{0}}>hundert)(?:und)?)?"
    rf"{_UNDER_100}?)"
)
_GERMAN = re.compile(
    rf"(?:{_UNDER_1000.format(1)}(?P<thousand>tausend)(?:und)?)?{_UNDER_1000.format(2)}"
    r"(?P<half>einhalb)?"
    r"(?P<ordinal>s?te[mnrs]?|er[ns]?)?"
    r"(?P<compound>mal|fach\w*|jahr\w*|kampf\w*|-?\w{2,16}ige?[mnrs]?)?"
)
_GERMAN_ORDINAL = re.compile(rf"({_either(_GERMAN_ORDINALS)})e[mnrs]?(?:mal|mals)?")


def german_number(word: str) -> tuple[Decimal, bool] | None:
    """Read a folded German word such as `einundzwanzig`, `zweihundertste` or `zweistündig`.

    Returns:
        The value and whether the word stands for the bare number, not an ordinal or a compound;
        None if it is no number word. The bare article (`ein`) counts as 1.
    """
    if word in _GERMAN_OTHERS:
        return _GERMAN_OTHERS[word], True
    if match := _GERMAN_ORDINAL.fullmatch(word):
        return _GERMAN_ORDINALS[match[1]], False
    match = _GERMAN.fullmatch(word)
    value = _german_value(match.groupdict()) if match else _ZERO
    if match is None or not value or (value == 1 and match["compound"]):
        return None
    return value, not (match["ordinal"] or match["compound"])


def _german_value(groups: Mapping[str, str | None]) -> Decimal:
    thousands = _german_under_1000(groups, "1")
    if groups["thousand"]:
        thousands = (thousands or _ONE) * 1000
    total = thousands + _german_under_1000(groups, "2")
    return total + _HALF if total and groups["half"] else total


def _german_under_1000(groups: Mapping[str, str | None], part: str) -> Decimal:
    value = _GERMAN_UNITS.get(groups[f"unit{part}"] or "", _ZERO)
    value += _GERMAN_TENS.get(groups[f"tens{part}"] or "", _ZERO)
    value += (_GERMAN_TEENS | _GERMAN_UNITS).get(groups[f"small{part}"] or "", _ZERO)
    if groups[f"hundred{part}"]:
        value += 100 * _GERMAN_UNITS.get(groups[f"hundreds{part}"] or "", _ONE)
    return value


_RUSSIAN_COMPOUND = re.compile(
    rf"({'|'.join(sorted(_RUSSIAN_PREFIXES, key=len, reverse=True))})"
    r"(?:летн|лети|час|дневн|недельн|месячн|минутн|этажн|кратн|процентн|километр|метр|сторонн"
    r"|миллион|тысячн|комнатн|местн|значн|тонн|ступенчат|мест|градусн)\w*"
)


def russian_prefix(word: str) -> Decimal | None:
    """Read the number that begins a folded Russian compound such as `двухчасовой`, if any."""
    match = _RUSSIAN_COMPOUND.fullmatch(word)
    return _RUSSIAN_PREFIXES[match[1]] if match else None

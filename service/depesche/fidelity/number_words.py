"""Words for numbers in the languages of releases."""

import re
from collections.abc import Mapping
from decimal import Decimal

from depesche.fidelity.dates import inflect
from depesche.types import Language

__all__ = ["CARDINALS", "FRACTIONS", "ORDINALS", "SCALES", "german_number", "russian_prefix"]


def _values(lines: str) -> dict[str, Decimal]:
    """Read lines of a value and the forms that mean it."""
    rows = (line.split() for line in lines.strip().splitlines())
    return {form: Decimal(value) for value, *forms in rows for form in forms}


_ENGLISH = _values("""
1 one
2 two both
3 three
4 four
5 five
6 six
7 seven
8 eight
9 nine
10 ten
11 eleven
12 twelve
13 thirteen
14 fourteen
15 fifteen
16 sixteen
17 seventeen
18 eighteen
19 nineteen
20 twenty
30 thirty
40 forty
50 fifty
60 sixty
70 seventy
80 eighty
90 ninety
""")
_ENGLISH_ORDINALS = _values("""
1 first
2 second
3 third thirds
4 fourth
5 fifth fifths
6 sixth
7 seventh
8 eighth
9 ninth
10 tenth
11 eleventh
12 twelfth
13 thirteenth
14 fourteenth
15 fifteenth
16 sixteenth
17 seventeenth
18 eighteenth
19 nineteenth
20 twentieth twenties
30 thirtieth thirties
40 fortieth forties
50 fiftieth fifties
60 sixtieth sixties
70 seventieth seventies
80 eightieth eighties
90 ninetieth nineties
100 hundredth
1000 thousandth
""")
_RUSSIAN = _values("""
1 один одна одно одного одной одному одним одном одну
1.5 полтора полторы полутора
2 два две двух двум двумя двое двоих двоим оба обе обоих обеих обоим обеим обоими обеими
3 три трех трем тремя трое троих троим
4 четыре четырех четырем четырьмя четверо четверых
5 пять пяти пятью пятеро пятерых
6 шесть шести шестью шестеро шестерых
7 семь семи семеро семерых
8 восемь восьми восемью восьмью
9 девять девяти девятью
10 десять десяти десятью
11 одиннадцать одиннадцати одиннадцатью
12 двенадцать двенадцати двенадцатью
13 тринадцать тринадцати тринадцатью
14 четырнадцать четырнадцати четырнадцатью
15 пятнадцать пятнадцати пятнадцатью
16 шестнадцать шестнадцати шестнадцатью
17 семнадцать семнадцати семнадцатью
18 восемнадцать восемнадцати восемнадцатью
19 девятнадцать девятнадцати девятнадцатью
20 двадцать двадцати двадцатью
30 тридцать тридцати тридцатью
40 сорок сорока
50 пятьдесят пятидесяти пятьюдесятью
60 шестьдесят шестидесяти шестьюдесятью
70 семьдесят семидесяти семьюдесятью
80 восемьдесят восьмидесяти восемьюдесятью
90 девяносто девяноста
100 сто ста
200 двести двухсот двумстам двумястами двухстах
300 триста трехсот тремстам тремястами трехстах
400 четыреста четырехсот четыремстам четырьмястами четырехстах
500 пятьсот пятисот пятистам пятьюстами пятистах
600 шестьсот шестисот шестистам шестьюстами шестистах
700 семьсот семисот семистам семьюстами семистах
800 восемьсот восьмисот восьмистам восемьюстами восьмистах
900 девятьсот девятисот девятистам девятьюстами девятистах
""")
_RUSSIAN_STEMS = _values("""
1 перв
2 втор
4 четверт
5 пят
6 шест
7 седьм
8 восьм
9 девят
10 десят
11 одиннадцат
12 двенадцат
13 тринадцат
14 четырнадцат
15 пятнадцат
16 шестнадцат
17 семнадцат
18 восемнадцат
19 девятнадцат
20 двадцат
30 тридцат
40 сороков
50 пятидесят
60 шестидесят
70 семидесят
80 восьмидесят
90 девяност
""")
_RUSSIAN_ENDINGS = "ый ой ая ое ые ого ому ым ом ую ых ыми".split()
_RUSSIAN_PREFIXES = _values("""
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
_KHMER = _values("""
1 មួយ
2 ពីរ
3 បី
4 បួន
5 ប្រាំ
6 ប្រាំមួយ
7 ប្រាំពីរ ប្រាំពិរ
8 ប្រាំបី
9 ប្រាំបួន
10 ដប់
20 ម្ភៃ
30 សាមសិប
40 សែសិប
50 ហាសិប
60 ហុកសិប
70 ចិតសិប
80 ប៉ែតសិប
90 កៅសិប
""")

CARDINALS: Mapping[Language, Mapping[str, Decimal]] = {
    Language.ENGLISH: _ENGLISH,
    Language.GERMAN: {},
    Language.RUSSIAN: _RUSSIAN,
    Language.KHMER: _KHMER,
}
"""German ones are compounds: see `german_number`."""

ORDINALS: Mapping[Language, Mapping[str, Decimal]] = {
    Language.ENGLISH: _ENGLISH_ORDINALS,
    Language.GERMAN: {},
    Language.RUSSIAN: {
        **{
            form: value
            for stem, value in _RUSSIAN_STEMS.items()
            for form in inflect(stem, _RUSSIAN_ENDINGS)
        },
        **dict.fromkeys(
            "третий третья третье третьи третьего третьей третьему третьим третьем третью".split(),
            Decimal(3),
        ),
    },
    Language.KHMER: {},
}

_RUSSIAN_NOUN = ["", "а", "у", "ом", "е", "ы", "ов", "ам", "ами", "ах"]

SCALES: Mapping[Language, Mapping[str, Decimal]] = {
    Language.ENGLISH: _values("""
100 hundred
1e3 thousand
1e6 million mln mn
1e9 billion bn bln
1e12 trillion trn tn
"""),
    Language.GERMAN: _values("""
100 hundert
1e3 tausend tsd
1e6 million millionen mio
1e9 milliarde milliarden mrd mia
1e12 billion billionen bio
1e15 billiarde billiarden
1e18 trillion trillionen
"""),
    Language.RUSSIAN: {
        **dict.fromkeys(
            "тыс тысяча тысячи тысяче тысячу тысячей тысячью тысяч тысячам тысячами тысячах".split(),
            Decimal(1000),
        ),
        **dict.fromkeys(["млн", *inflect("миллион", _RUSSIAN_NOUN)], Decimal("1e6")),
        **dict.fromkeys(["млрд", *inflect("миллиард", _RUSSIAN_NOUN)], Decimal("1e9")),
        **dict.fromkeys(["трлн", *inflect("триллион", _RUSSIAN_NOUN)], Decimal("1e12")),
        "полмиллиона": Decimal("5e5"),
        "полмиллиарда": Decimal("5e8"),
    },
    Language.KHMER: _values("""
100 រយ
1e3 ពាន់
1e4 ម៉ឺន មុឺន
1e5 សែន
1e6 លាន
1e7 កោដិ
1e9 ពាន់លាន ប៊ីលាន ប៊ីលៀន ប៊ីល្លាន កោដ្ឋ
1e12 ទ្រីលាន ពាន់ពាន់លាន
"""),
}

_HALF, _QUARTER, _THIRD = Decimal("0.5"), Decimal("0.25"), Decimal(1) / Decimal(3)

FRACTIONS: Mapping[Language, Mapping[str, Decimal]] = {
    Language.ENGLISH: {"half": _HALF, "halves": _HALF, "quarter": _QUARTER},
    Language.GERMAN: {
        **dict.fromkeys("halb halbe halben halber halbes hälfte".split(), _HALF),
        **{"viertel": _QUARTER, "drittel": _THIRD, "dritteln": _THIRD},
    },
    Language.RUSSIAN: {
        **dict.fromkeys(inflect("половин", ["а", "ы", "е", "у", "ой"]), _HALF),
        **{"треть": _THIRD, "трети": _THIRD, "третью": _THIRD},
        **{"четверть": _QUARTER, "четверти": _QUARTER, "четвертью": _QUARTER},
    },
    Language.KHMER: {"ពាក់កណ្តាល": _HALF, "ពាក់កណ្ដាល": _HALF},
}

_GERMAN_UNITS = {
    **{"ein": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6},
    **{"sieben": 7, "acht": 8, "neun": 9},
}
_GERMAN_TEENS = {
    **{"zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15},
    **{"sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19},
}
_GERMAN_TENS = {
    **{"zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50},
    **{"sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90},
}
_GERMAN_ORDINALS = {"erst": 1, "dritt": 3, "siebt": 7, "acht": 8}
_GERMAN_OTHERS = {"beide": 2, "beiden": 2, "beider": 2, "anderthalb": Decimal("1.5")}
_GERMAN_ONE = re.compile(r"eins|ein(?:e[mnrs]?)?")


def _either(words: Mapping[str, int]) -> str:
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
_GERMAN_ORDINAL = re.compile(rf"({_either(_GERMAN_ORDINALS)})e[mnrs]?(mal|mals)?")


def german_number(word: str) -> tuple[Decimal, bool] | None:
    """Read a folded German word such as `einundzwanzig`, `zweihundertste` or `zweistündig`.

    Returns:
        The value and whether the word stands for the bare number, not an ordinal or a compound;
        None if it is no number word. The bare article (`ein`) counts as 1.
    """
    if _GERMAN_ONE.fullmatch(word):
        return Decimal(1), True
    if word in _GERMAN_OTHERS:
        return Decimal(_GERMAN_OTHERS[word]), True
    if match := _GERMAN_ORDINAL.fullmatch(word):
        return Decimal(_GERMAN_ORDINALS[match[1]]), False
    match = _GERMAN.fullmatch(word)
    value = _german_value(match.groupdict()) if match else 0
    if match is None or not value or (value == 1 and match["compound"]):
        return None
    return value, not (match["ordinal"] or match["compound"])


def _german_value(groups: Mapping[str, str | None]) -> Decimal:
    thousands = _german_under_1000(groups, "1")
    if groups["thousand"]:
        thousands = (thousands or 1) * 1000
    total = Decimal(thousands + _german_under_1000(groups, "2"))
    return total + _HALF if total and groups["half"] else total


def _german_under_1000(groups: Mapping[str, str | None], part: str) -> int:
    value = _GERMAN_UNITS.get(groups[f"unit{part}"] or "", 0)
    value += _GERMAN_TENS.get(groups[f"tens{part}"] or "", 0)
    value += (_GERMAN_TEENS | _GERMAN_UNITS).get(groups[f"small{part}"] or "", 0)
    if groups[f"hundred{part}"]:
        value += 100 * _GERMAN_UNITS.get(groups[f"hundreds{part}"] or "", 1)
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

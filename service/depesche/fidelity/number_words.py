"""Words for numbers in the languages of releases."""

from collections.abc import Mapping
from decimal import Decimal

from depesche.fidelity.forms import inflect, values
from depesche.types import Language

__all__ = ["CARDINALS", "FRACTIONS", "ORDINALS", "SCALES"]


_ENGLISH = values("""
1 one
2 two
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
_ENGLISH_ORDINALS = values("""
1 first
2 second both
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
_RUSSIAN = values("""
1 один одна одно одного одной одному одним одном одну
1.5 полтора полторы полутора
2 два две двух двум двумя двое двоих двоим
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
_RUSSIAN_STEMS = values("""
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
_RUSSIAN_ENDINGS = "ый ой ая ое ые ого ому ым ом ую ых ыми"
_KHMER = values("""
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
            ["оба", "обе", *inflect("обо", "их им ими"), *inflect("обе", "их им ими")], Decimal(2)
        ),
        **dict.fromkeys(inflect("сут", "ки ок кам ками ках"), Decimal(24)),
        **dict.fromkeys(inflect("круглосуточн", _RUSSIAN_ENDINGS), Decimal(24)),
        **dict.fromkeys(
            inflect("трет", "ий ья ье ьи ьего ьей ьему ьим ьем ью"),
            Decimal(3),
        ),
    },
    Language.KHMER: {},
}

_RUSSIAN_NOUN = "- а у ом е ы ов ам ами ах"

SCALES: Mapping[Language, Mapping[str, Decimal]] = {
    Language.ENGLISH: values("""
100 hundred
1e3 thousand thousands thou
1e5 lakh
1e6 million millions mln mn
1e7 crore
1e9 billion billions bn bln
1e12 trillion trillions trn tn
"""),
    Language.GERMAN: values("""
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
            [
                "тыс",
                *inflect("тысяч", "- а и е у ей ью ам ами ах"),
                *inflect("тысячн", _RUSSIAN_ENDINGS),
            ],
            Decimal(1000),
        ),
        **dict.fromkeys(
            ["млн", *inflect("миллион", _RUSSIAN_NOUN), *inflect("миллионн", _RUSSIAN_ENDINGS)],
            Decimal("1e6"),
        ),
        **dict.fromkeys(
            ["млрд", *inflect("миллиард", _RUSSIAN_NOUN), *inflect("миллиардн", _RUSSIAN_ENDINGS)],
            Decimal("1e9"),
        ),
        **dict.fromkeys(["трлн", *inflect("триллион", _RUSSIAN_NOUN)], Decimal("1e12")),
        "полмиллиона": Decimal("5e5"),
        "полмиллиарда": Decimal("5e8"),
    },
    Language.KHMER: values("""
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
    Language.ENGLISH: {
        "half": _HALF,
        "halves": _HALF,
        **dict.fromkeys(["quarter", "quarters"], _QUARTER),
    },
    Language.GERMAN: {
        **dict.fromkeys(["hälfte", *inflect("halb", "- e en er es")], _HALF),
        **dict.fromkeys(["viertel", "vierteln"], _QUARTER),
        **dict.fromkeys(["drittel", "dritteln"], _THIRD),
        **dict.fromkeys(["fünftel", "fünfteln"], Decimal(1) / 5),
        **dict.fromkeys(["sechstel", "sechsteln"], Decimal(1) / 6),
        **dict.fromkeys(["achtel", "achteln"], Decimal(1) / 8),
        **dict.fromkeys(["zehntel", "zehnteln"], Decimal(1) / 10),
    },
    Language.RUSSIAN: {
        **dict.fromkeys(inflect("половин", "а ы е у ой"), _HALF),
        **dict.fromkeys(inflect("трет", "ь и ью"), _THIRD),
        **dict.fromkeys(inflect("четверт", "ь и ью"), _QUARTER),
    },
    Language.KHMER: dict.fromkeys(["ពាក់កណ្តាល", "ពាក់កណ្ដាល", "កន្លះ"], _HALF),
}

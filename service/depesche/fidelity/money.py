"""Names of currencies in the languages of releases, and how to say an amount in English."""

from collections.abc import Mapping

from depesche.fidelity.forms import inflect
from depesche.types import Language

__all__ = ["CURRENCIES", "NATIONS", "PREFIXES", "say_amount"]

# Codes are those of ISO 4217; dollars and crowns of all countries count as one currency each,
# as releases seldom say which, and CENT and KOPECK stand for coins of any.
PREFIXES: Mapping[str, str] = {
    "$": "USD",
    "us$": "USD",
    "us-$": "USD",
    "au$": "USD",
    "ca$": "USD",
    "aud": "USD",
    "cad": "USD",
    "a$": "USD",
    "c$": "USD",
    "hk$": "USD",
    "nz$": "USD",
    "s$": "USD",
    "usd": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "¥": "JPY",
    "jpy": "JPY",
    "₽": "RUB",
    "rub": "RUB",
    "rur": "RUB",
    "៛": "KHR",
    "khr": "KHR",
    "chf": "CHF",
    "cny": "CNY",
    "rmb": "CNY",
    "₴": "UAH",
    "uah": "UAH",
    "kzt": "KZT",
    "thb": "THB",
    "vnd": "VND",
    "₹": "INR",
    "inr": "INR",
    "pln": "PLN",
    "czk": "CROWN",
    "dkk": "CROWN",
    "nok": "CROWN",
    "sek": "CROWN",
}
"""Signs and codes, which stand before a number or after it."""

_ENGLISH = {
    "USD": "dollar dollars bucks",
    "EUR": "euro euros",
    "GBP": "pound pounds",
    "RUB": "ruble rubles rouble roubles",
    "KHR": "riel riels",
    "CHF": "franc francs",
    "CNY": "yuan renminbi",
    "JPY": "yen",
    "UAH": "hryvnia hryvnias",
    "KZT": "tenge",
    "THB": "baht",
    "VND": "dong",
    "INR": "rupee rupees",
    "PLN": "zloty zlotys",
    "CROWN": "krona kronor krone kroner koruna crown crowns",
    "TRY": "lira liras",
    "CENT": "cent cents centime centimes pence",
    "KOPECK": "kopeck kopecks kopek kopeks",
}
_GERMAN = {
    "USD": "dollar dollars",
    "EUR": "euro euros",
    "GBP": "pfund",
    "RUB": "rubel rubeln",
    "KHR": "riel",
    "CHF": "franken sfr",
    "CNY": "yuan renminbi",
    "JPY": "yen",
    "UAH": "hrywnja griwna",
    "KZT": "tenge",
    "THB": "baht",
    "VND": "dong",
    "INR": "rupien rupie",
    "PLN": "zloty",
    "CROWN": "kronen krone",
    "TRY": "lira",
    "CENT": "cent cents eurocent centimes pence",
    "KOPECK": "kopeken kopeke",
}
_KHMER = {
    "USD": "ដុល្លារ ដុល្លា ដុល្លារអាមេរិក ដុល្លារសហរដ្ឋអាមេរិក",
    "EUR": "អឺរ៉ូ អឺរ៉ុ",
    "GBP": "ផោន",
    "RUB": "រូប្លិ៍ រូប្លិ រូបល រូបល៍",
    "KHR": "រៀល",
    "CHF": "ហ្វ្រង់",
    "CNY": "យ័ន យន់",
    "JPY": "យ៉េន យេន",
    "THB": "បាត",
    "VND": "ដុង",
    "INR": "រូពី",
    "CENT": "សេន",
}
_HARD = "- а у ом е ы ов ам ами ах"
_SOFT = "ь я ю ем е и ей ям ями ях"
_RUSSIAN = {
    "USD": ["долл", *inflect("доллар", _HARD)],
    "EUR": ["евро"],
    "GBP": inflect("фунт", _HARD),
    "RUB": ["руб", *inflect("рубл", _SOFT)],
    "KHR": inflect("риел", _SOFT) + inflect("риэл", _SOFT),
    "CHF": inflect("франк", _HARD),
    "CNY": inflect("юан", _SOFT),
    "JPY": inflect("иен", _HARD) + inflect("йен", _HARD),
    "UAH": ["грн", *inflect("грив", "на ны ен ну")],
    "KZT": ["тенге"],
    "THB": inflect("бат", _HARD),
    "VND": inflect("донг", _HARD),
    "INR": inflect("рупи", "й и я ю ям ями"),
    "PLN": inflect("злот", "ых ый ого"),
    "CROWN": inflect("крон", _HARD),
    "TRY": inflect("лир", _HARD),
    "CENT": inflect("цент", _HARD),
    "KOPECK": ["коп", *inflect("копе", "ек йки йка йку йками")],
}


def _forms(table: Mapping[str, str | list[str]]) -> dict[str, str]:
    rows = (
        (code, names.split() if isinstance(names, str) else names) for code, names in table.items()
    )
    return {name: code for code, names in rows for name in names}


CURRENCIES: Mapping[Language, Mapping[str, str]] = {
    Language.ENGLISH: _forms(_ENGLISH),
    Language.GERMAN: _forms(_GERMAN),
    Language.RUSSIAN: _forms(_RUSSIAN),
    Language.KHMER: _forms(_KHMER),
}
"""Words for currencies, which stand after a number."""

NATIONS: Mapping[Language, tuple[str, ...]] = {
    Language.ENGLISH: (
        *(
            "us",
            "american",
            "canadian",
            "australian",
            "hong",
            "kong",
            "singapore",
            "new",
            "zealand",
        ),
        *("british", "russian", "cambodian", "chinese", "japanese", "swiss", "ukrainian", "indian"),
        *("thai", "vietnamese", "turkish", "swedish", "norwegian", "danish", "polish", "czech"),
    ),
    Language.GERMAN: (
        *("us", "amerikanische", "amerikanischen", "kanadische", "kanadischen", "australische"),
        *("australischen", "britische", "britischen", "russische", "russischen", "schweizer"),
        *("chinesische", "chinesischen", "japanische", "japanischen", "indische", "indischen"),
    ),
    Language.RUSSIAN: (
        *("американских", "канадских", "австралийских", "британских", "английских", "российских"),
        *("швейцарских", "китайских", "японских", "индийских", "турецких", "шведских", "чешских"),
    ),
    Language.KHMER: (),
}
"""Words that may stand between a number and its currency."""

_SAID = {
    "USD": "${}",
    "EUR": "€{}",
    "GBP": "£{}",
    "RUB": "{} roubles",
    "KHR": "{} riel",
    "CHF": "{} Swiss francs",
    "CNY": "{} yuan",
    "JPY": "{} yen",
    "UAH": "{} hryvnias",
    "KZT": "{} tenge",
    "THB": "{} baht",
    "VND": "{} dong",
    "INR": "{} rupees",
    "PLN": "{} zlotys",
    "CROWN": "{} crowns",
    "TRY": "{} liras",
    "CENT": "{} cents",
    "KOPECK": "{} kopecks",
}


def say_amount(number: str, currency: str) -> str:
    """Say an amount in English, as `€1.2 million` or `500 roubles`."""
    return _SAID[currency].format(number)

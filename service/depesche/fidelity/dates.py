"""Names of months and weekdays in the languages of releases."""

from collections.abc import Mapping

from depesche.fidelity.forms import inflect
from depesche.types import Language

__all__ = [
    "AMBIGUOUS_WEEKDAYS",
    "ENGLISH_MONTHS",
    "ENGLISH_WEEKDAYS",
    "MONTHS",
    "SHORT_MONTHS",
    "WEEKDAYS",
]

ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ENGLISH_WEEKDAYS = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)

_ADJECTIVE = "ий ая ое ие ого ому им ом ой ую их ими"


def _numbered(lines: str) -> dict[str, int]:
    """Number the lines from 1; each holds forms of one name."""
    rows = enumerate(lines.strip().splitlines(), 1)
    return {form: number for number, line in rows for form in line.split()}


def _russian_months() -> dict[str, int]:
    soft, hard = "ь я ю ем е", "- а у ом е"
    rows = (
        ("январ", soft, "январск"),
        ("феврал", soft, "февральск"),
        ("март", hard, "мартовск"),
        ("апрел", soft, "апрельск"),
        ("ма", "й я ю ем е", "майск"),
        ("июн", soft, "июньск"),
        ("июл", soft, "июльск"),
        ("август", hard, "августовск"),
        ("сентябр", soft, "сентябрьск"),
        ("октябр", soft, "октябрьск"),
        ("ноябр", soft, "ноябрьск"),
        ("декабр", soft, "декабрьск"),
    )
    return {
        form: number
        for number, (noun, endings, adjective) in enumerate(rows, 1)
        for form in inflect(noun, endings) + inflect(adjective, _ADJECTIVE)
    }


def _russian_weekdays() -> dict[str, int]:
    hard_adjective = "ая ое ые ого ому ым ом ой ую ых ыми"
    masculine, feminine = "- а у ом е и ов ам ами ах", "- а у ы е ой ам ами ах"
    rows = (
        inflect("понедельник", masculine),
        inflect("вторник", masculine),
        inflect("сред", "а у ы е ой ам"),
        inflect("четверг", masculine),
        inflect("пятниц", feminine) + inflect("пятничн", "ый " + hard_adjective),
        inflect("суббот", feminine) + inflect("субботн", "ий яя ее ие его ему им ем ей юю их ими"),
        inflect("воскресень", "е я ю ем ям ями ях") + inflect("воскресн", "ый " + hard_adjective),
    )
    return {form: number for number, forms in enumerate(rows, 1) for form in forms}


MONTHS: Mapping[Language, Mapping[str, int]] = {
    Language.ENGLISH: {name.lower(): number for number, name in enumerate(ENGLISH_MONTHS, 1)},
    Language.GERMAN: _numbered(
        "januar jänner januars\nfebruar februars feber\nmärz\napril aprils\nmai\njuni\njuli\n"
        "august augusts\nseptember septembers\noktober oktobers\nnovember novembers\n"
        "dezember dezembers"
    ),
    Language.RUSSIAN: _russian_months(),
    Language.KHMER: {},
}

SHORT_MONTHS: Mapping[Language, Mapping[str, int]] = {
    Language.ENGLISH: _numbered("jan\nfeb\nmar\napr\nmay\njun\njul\naug\nsep sept\noct\nnov\ndec"),
    Language.GERMAN: _numbered(
        "jan\nfeb\nmrz mär\napr\nmai\njun\njul\naug\nsep sept\nokt\nnov\ndez"
    ),
    Language.RUSSIAN: _numbered(
        "янв\nфев февр\nмар\nапр\nмая\nиюн\nиюл\nавг\nсен сент\nокт\nноя нояб\nдек"
    ),
    # Bare, several Khmer months are other words or parts of them (តុលាការ is a court): they count
    # only after a day's number, or after ខែ (month), which the lexer puts before them.
    Language.KHMER: _numbered(
        "មករា\nកុម្ភៈ កុម្ភះ\nមីនា\nមេសា\nឧសភា\nមិថុនា\nកក្កដា\nសីហា\nកញ្ញា\nតុលា\nវិច្ឆិកា វិច្ឆកា\nធ្នូ"
    ),
}
"""Names that count only beside the number of a day."""

WEEKDAYS: Mapping[Language, Mapping[str, int]] = {
    Language.ENGLISH: {
        form: number
        for number, name in enumerate(ENGLISH_WEEKDAYS, 1)
        for form in (name.lower(), name.lower() + "s")
    },
    Language.GERMAN: _numbered(
        "montag\ndienstag\nmittwoch\ndonnerstag\nfreitag\nsamstag sonnabend\nsonntag"
    ),
    Language.RUSSIAN: _russian_weekdays(),
    Language.KHMER: _numbered(
        "ថ្ងៃចន្ទ ថ្ងៃច័ន្ទ ថ្ងៃច័ន្ទ\nថ្ងៃអង្គារ\nថ្ងៃពុធ\nថ្ងៃព្រហស្បតិ៍ ថ្ងៃព្រហស្បត្តិ៍ ថ្ងៃព្រហស្បត៍\n"
        "ថ្ងៃសុក្រ\nថ្ងៃសៅរ៍ ថ្ងៃសៅ\nថ្ងៃអាទិត្យ"
    ),
}
"""German ones also begin longer words, as in Montagabend and Sonntagszeitung."""

AMBIGUOUS_WEEKDAYS = frozenset(["среда", "среды", "среде", "средой", "средам", "среду"])
"""Forms that may also be "environment"; "в среду" is "on Wednesday"."""

"""Quantities: numerals and number words with their scales, as in `1,5 Mio.` or `one and a half`."""

from dataclasses import dataclass, replace
from decimal import Decimal

from depesche.fidelity.lexicon import Term
from depesche.fidelity.numerals import read_numeral
from depesche.fidelity.scan import Scan

__all__ = ["Quantity", "read_quantity"]

_HUNDRED = Decimal(100)
_LARGEST_SCALE = Decimal(10**9)
_LETTER_SCALES = {"k": Decimal(1000), "m": Decimal(10**6), "b": Decimal(10**9)}
_MORE = frozenset(
    ["or", "more", "odd", "und", "oder", "mehr", "и", "или", "с", "более", "лишним", "+"]
)
_NUMBERS = (Term.CARDINAL, Term.ORDINAL)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that stands in a text.

    Attributes:
        end: index of the token after it.
        values: what it may be, likeliest first; empty where its digits are too many to be a value.
        pieces: the numbers it falls into where it may be several, as `24.11` may, else empty.
        scale: what its scale words multiply by; 1 without any.
        digits: whether it is written in digits.
        loose: whether English may well say it otherwise: an ordinal, a fraction, a compound word
            such as `zweistündig`, a scale word alone.
    """

    end: int
    values: tuple[Decimal, ...]
    pieces: tuple[Decimal, ...] = ()
    scale: Decimal = Decimal(1)
    digits: bool = False
    loose: bool = False


def read_quantity(scan: Scan, at: int) -> Quantity | None:
    """Read the quantity that begins with the token at `at`, if one does."""
    match scan.tokens[at].term:
        case Term.NUMERAL:
            return _digits(scan, at)
        case Term.CARDINAL | Term.ORDINAL:
            return _words(scan, at)
        case Term.FRACTION:
            return _fraction(scan, at)
        case Term.ARTICLE if scan.holds(at + 1, Term.SCALE, Term.FRACTION):
            return read_quantity(scan, at + 1)
        case Term.SCALE:
            return _bare_scale(scan, at)
    return None


def _digits(scan: Scan, at: int) -> Quantity:
    token = scan.tokens[at]
    numeral = read_numeral(token.text, scan.language)
    pieces = tuple(Decimal(piece) for piece in numeral.pieces if len(numeral.pieces) > 1)
    quantity = _scaled(scan, at + 1, numeral.values)
    if quantity.scale != 1:
        return _with_rest(scan, _with_half(scan, quantity))
    letter = scan.tokens[at + 1] if scan.holds(at + 1, Term.WORD) else None
    if letter and letter.start == token.end and letter.text in _LETTER_SCALES:
        scaled = tuple(value * _LETTER_SCALES[letter.text] for value in numeral.values)
        return Quantity(at + 2, numeral.values + scaled, digits=True)
    return Quantity(quantity.end, numeral.values, pieces, digits=True)


def _scaled(scan: Scan, at: int, values: tuple[Decimal, ...]) -> Quantity:
    """Multiply `values` by the scale words at `at`, over the points of abbreviations."""
    scale = Decimal(1)
    here = _over_more(scan, _over_hyphen(scan, at))
    while scan.holds(here, Term.SCALE) and scale < _LARGEST_SCALE:
        scale *= Decimal(scan.tokens[here].value)
        at = here + 1
        here = _over_point(scan, at)
    return Quantity(at, tuple(value * scale for value in values), scale=scale, digits=True)


def _with_rest(scan: Scan, first: Quantity) -> Quantity:
    """Add a directly following smaller quantity, as in `១លាន៥សែន` or `2 Mio. 300 Tsd.`."""
    at = first.end
    if not (scan.holds(at, Term.NUMERAL) and scan.holds(at + 1, Term.SCALE)):
        return first
    second = _scaled(scan, at + 1, read_numeral(scan.tokens[at].text, scan.language).values)
    if not (first.values and second.values and second.scale < first.scale):
        return first
    parts = (first.values[0], second.values[0])
    return Quantity(second.end, (sum(parts, Decimal()),), parts, second.scale, digits=True)


def _bare_scale(scan: Scan, at: int) -> Quantity:
    """Read `million` alone: firm after an article, as in `a million`, else said loosely."""
    number = _scaled(scan, at, (Decimal(1),))
    article = scan.holds(at - 1, Term.ARTICLE)
    return replace(number, digits=False, loose=not article)


def _over_more(scan: Scan, at: int) -> int:
    """Step over the "or more" of "50 or more million"."""
    end = at
    while end < min(at + 3, len(scan.tokens)) and scan.tokens[end].text in _MORE:
        end += 1
    return end if scan.holds(end, Term.SCALE) else at


def _over_point(scan: Scan, at: int) -> int:
    return at + 1 if at < len(scan.tokens) and scan.tokens[at].text == "." else at


def _with_half(scan: Scan, number: Quantity) -> Quantity:
    """Add half of the scale where Khmer puts the word for half right behind it."""
    at = number.end
    if number.scale == 1 or not scan.holds(at, Term.FRACTION):
        return number
    if scan.tokens[at].start != scan.tokens[at - 1].end:
        return number
    half = Decimal(scan.tokens[at].value) * number.scale
    return replace(number, end=at + 1, values=tuple(value + half for value in number.values))


def _over_hyphen(scan: Scan, at: int) -> int:
    """Step over a hyphen that joins the words on its two sides."""
    if not 0 < at < len(scan.tokens) - 1 or scan.tokens[at].text != "-":
        return at
    joins = (
        scan.tokens[at - 1].end == scan.tokens[at].start
        and scan.tokens[at].end == scan.tokens[at + 1].start
    )
    return at + 1 if joins else at


def _words(scan: Scan, at: int) -> Quantity:
    """Compose number words by the usual rule: add what fits below, multiply by larger scales."""
    total, current, limit = Decimal(), Decimal(), Decimal("Infinity")
    scale = Decimal(1)
    end = at
    ordinal = False
    while not ordinal:
        here = _next_word(scan, end, total + current) if end > at else at
        if scan.holds(here, *_NUMBERS) and _fits(current, Decimal(scan.tokens[here].value)):
            current += Decimal(scan.tokens[here].value)
            ordinal = scan.tokens[here].term is Term.ORDINAL
        elif not scan.holds(here, Term.SCALE):
            break
        elif (factor := Decimal(scan.tokens[here].value)) == _HUNDRED and 0 < current < _HUNDRED:
            current *= factor
        elif factor < limit and current:
            total, current, limit, scale = total + current * factor, Decimal(), factor, factor
        elif total and not current and scale < _LARGEST_SCALE:
            total, scale = total * factor, scale * factor
        else:
            break
        end = here + 1
    number = Quantity(end, (total + current,), scale=scale, loose=ordinal)
    return _and_a_half(scan, _with_half(scan, number))


def _next_word(scan: Scan, at: int, so_far: Decimal) -> int:
    """Find the next number word, over a joining hyphen or the "and" after hundreds."""
    if so_far >= _HUNDRED and scan.holds(at, Term.AND) and scan.holds(at + 1, *_NUMBERS):
        return at + 1
    return _over_hyphen(scan, at)


def _fits(current: Decimal, value: Decimal) -> bool:
    """Tell whether `value` may follow, as one does after twenty or twenty after a hundred."""
    if value >= _HUNDRED or value % 1:
        return current == 0
    return current % (10 if value < 10 else _HUNDRED) == 0  # noqa: PLR2004 -- ones


def _and_a_half(scan: Scan, number: Quantity) -> Quantity:
    at = number.end
    if number.loose or not scan.holds(at, Term.AND):
        return number
    at += 2 if scan.holds(at + 1, Term.ARTICLE) else 1
    if not scan.holds(at, Term.FRACTION):
        return number
    return _scaled(scan, at + 1, (number.values[0] + Decimal(scan.tokens[at].value),))


def _fraction(scan: Scan, at: int) -> Quantity:
    """Read `half a million` or a bare fraction."""
    value = (Decimal(scan.tokens[at].value),)
    after = at + 2 if scan.holds(at + 1, Term.ARTICLE) else at + 1
    if scan.holds(after, Term.SCALE):
        return _scaled(scan, after, value)
    return Quantity(at + 1, value, loose=True)

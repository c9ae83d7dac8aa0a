"""Quantities: numerals and number words with their scales, as in `1,5 Mio.` or `one and a half`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from depesche.fidelity.lexicon import Term, Token
from depesche.fidelity.numerals import read_numeral
from depesche.types import Language

__all__ = ["Quantity", "is_term", "read_quantity"]

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


def is_term(tokens: Sequence[Token], at: int, *terms: Term) -> bool:
    """Tell whether a token stands at `at` and is one of `terms`."""
    return 0 <= at < len(tokens) and tokens[at].term in terms


def read_quantity(tokens: Sequence[Token], at: int, language: Language) -> Quantity | None:
    """Read the quantity that begins with the token at `at`, if one does."""
    match tokens[at].term:
        case Term.NUMERAL:
            return _digits(tokens, at, language)
        case Term.CARDINAL | Term.ORDINAL:
            return _words(tokens, at)
        case Term.FRACTION:
            return _fraction(tokens, at)
        case Term.ARTICLE if is_term(tokens, at + 1, Term.SCALE, Term.FRACTION):
            return read_quantity(tokens, at + 1, language)
        case Term.SCALE:
            return _bare_scale(tokens, at)
    return None


def _digits(tokens: Sequence[Token], at: int, language: Language) -> Quantity:
    token = tokens[at]
    numeral = read_numeral(token.text, language)
    pieces = tuple(Decimal(piece) for piece in numeral.pieces if len(numeral.pieces) > 1)
    quantity = _scaled(tokens, at + 1, numeral.values)
    if quantity.scale != 1:
        return _with_rest(tokens, _with_half(tokens, quantity), language)
    letter = tokens[at + 1] if is_term(tokens, at + 1, Term.WORD) else None
    if letter and letter.start == token.end and letter.text in _LETTER_SCALES:
        scaled = tuple(value * _LETTER_SCALES[letter.text] for value in numeral.values)
        return Quantity(at + 2, numeral.values + scaled, digits=True)
    return Quantity(quantity.end, numeral.values, pieces, digits=True)


def _scaled(tokens: Sequence[Token], at: int, values: tuple[Decimal, ...]) -> Quantity:
    """Multiply `values` by the scale words at `at`, over the points of abbreviations."""
    scale = Decimal(1)
    here = _over_more(tokens, _over_hyphen(tokens, at))
    while is_term(tokens, here, Term.SCALE) and scale < _LARGEST_SCALE:
        scale *= Decimal(tokens[here].value)
        at = here + 1
        here = _over_point(tokens, at)
    return Quantity(at, tuple(value * scale for value in values), scale=scale, digits=True)


def _with_rest(tokens: Sequence[Token], first: Quantity, language: Language) -> Quantity:
    """Add a directly following smaller quantity, as in `១លាន៥សែន` or `2 Mio. 300 Tsd.`."""
    at = first.end
    if not (is_term(tokens, at, Term.NUMERAL) and is_term(tokens, at + 1, Term.SCALE)):
        return first
    second = _scaled(tokens, at + 1, read_numeral(tokens[at].text, language).values)
    if not (first.values and second.values and second.scale < first.scale):
        return first
    parts = (first.values[0], second.values[0])
    return Quantity(second.end, (sum(parts, Decimal()),), parts, second.scale, digits=True)


def _bare_scale(tokens: Sequence[Token], at: int) -> Quantity:
    """Read `million` alone: firm after an article, as in `a million`, else said loosely."""
    number = _scaled(tokens, at, (Decimal(1),))
    article = is_term(tokens, at - 1, Term.ARTICLE)
    return replace(number, digits=False, loose=not article)


def _over_more(tokens: Sequence[Token], at: int) -> int:
    """Step over the "or more" of "50 or more million"."""
    end = at
    while end < min(at + 3, len(tokens)) and tokens[end].text in _MORE:
        end += 1
    return end if is_term(tokens, end, Term.SCALE) else at


def _over_point(tokens: Sequence[Token], at: int) -> int:
    return at + 1 if at < len(tokens) and tokens[at].text == "." else at


def _with_half(tokens: Sequence[Token], number: Quantity) -> Quantity:
    """Add half of the scale where Khmer puts the word for half right behind it."""
    at = number.end
    if number.scale == 1 or not is_term(tokens, at, Term.FRACTION):
        return number
    if tokens[at].start != tokens[at - 1].end:
        return number
    half = Decimal(tokens[at].value) * number.scale
    return replace(number, end=at + 1, values=tuple(value + half for value in number.values))


def _over_hyphen(tokens: Sequence[Token], at: int) -> int:
    """Step over a hyphen that joins the words on its two sides."""
    if not 0 < at < len(tokens) - 1 or tokens[at].text != "-":
        return at
    joins = tokens[at - 1].end == tokens[at].start and tokens[at].end == tokens[at + 1].start
    return at + 1 if joins else at


def _words(tokens: Sequence[Token], at: int) -> Quantity:
    """Compose number words by the usual rule: add what fits below, multiply by larger scales."""
    total, current, limit = Decimal(), Decimal(), Decimal("Infinity")
    scale = Decimal(1)
    end = at
    ordinal = False
    while not ordinal:
        here = _next_word(tokens, end, total + current) if end > at else at
        if is_term(tokens, here, *_NUMBERS) and _fits(current, Decimal(tokens[here].value)):
            current += Decimal(tokens[here].value)
            ordinal = tokens[here].term is Term.ORDINAL
        elif not is_term(tokens, here, Term.SCALE):
            break
        elif (factor := Decimal(tokens[here].value)) == _HUNDRED and 0 < current < _HUNDRED:
            current *= factor
        elif factor < limit and current:
            total, current, limit, scale = total + current * factor, Decimal(), factor, factor
        elif total and not current and scale < _LARGEST_SCALE:
            total, scale = total * factor, scale * factor
        else:
            break
        end = here + 1
    number = Quantity(end, (total + current,), scale=scale, loose=ordinal)
    return _and_a_half(tokens, _with_half(tokens, number))


def _next_word(tokens: Sequence[Token], at: int, so_far: Decimal) -> int:
    """Find the next number word, over a joining hyphen or the "and" after hundreds."""
    if so_far >= _HUNDRED and is_term(tokens, at, Term.AND) and is_term(tokens, at + 1, *_NUMBERS):
        return at + 1
    return _over_hyphen(tokens, at)


def _fits(current: Decimal, value: Decimal) -> bool:
    """Tell whether `value` may follow, as one does after twenty or twenty after a hundred."""
    if value >= _HUNDRED or value % 1:
        return current == 0
    return current % (10 if value < 10 else _HUNDRED) == 0  # noqa: PLR2004 -- ones


def _and_a_half(tokens: Sequence[Token], number: Quantity) -> Quantity:
    at = number.end
    if number.loose or not is_term(tokens, at, Term.AND):
        return number
    at += 2 if is_term(tokens, at + 1, Term.ARTICLE) else 1
    if not is_term(tokens, at, Term.FRACTION):
        return number
    return _scaled(tokens, at + 1, (number.values[0] + Decimal(tokens[at].value),))


def _fraction(tokens: Sequence[Token], at: int) -> Quantity:
    """Read `half a million` or a bare fraction."""
    value = (Decimal(tokens[at].value),)
    after = at + 2 if is_term(tokens, at + 1, Term.ARTICLE) else at + 1
    if is_term(tokens, after, Term.SCALE):
        return _scaled(tokens, after, value)
    return Quantity(at + 1, value, loose=True)

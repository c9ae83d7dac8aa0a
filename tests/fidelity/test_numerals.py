from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.fidelity.numerals import fold, read_numeral, say
from depesche.types import Language


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("1234", Language.GERMAN, ["1234"]),
        ("1.234,5", Language.GERMAN, ["1234.5"]),
        ("1,234.5", Language.ENGLISH, ["1234.5"]),
        ("1'234'567", Language.GERMAN, ["1234567"]),
        ("1 234,5", Language.RUSSIAN, ["1234.5"]),
        ("1.234", Language.GERMAN, ["1234", "1.234"]),
        ("1.234", Language.ENGLISH, ["1.234", "1234"]),
        ("1,234", Language.GERMAN, ["1.234", "1234"]),
        ("0.500", Language.ENGLISH, ["0.500"]),
        ("1.234.567", Language.GERMAN, ["1234567"]),
        ("3,5", Language.ENGLISH, ["3.5"]),
        ("24.11.2021", Language.GERMAN, []),
        ("2½", Language.GERMAN, ["2.5"]),
        ("12.34,5", Language.GERMAN, []),
        ("¼", Language.GERMAN, ["0.25"]),
        ("9" * 19, Language.GERMAN, []),
    ],
)
def test_readings(text: str, language: Language, values: list[str]) -> None:
    """A numeral has every value that it may be read as, the language's own first."""
    assert read_numeral(text, language).values == tuple(map(Decimal, values))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("5", "5"),
        ("1234.5", "1,234.5"),
        ("300000", "300,000"),
        ("1200000", "1.2 million"),
        ("1234567", "1,234,567"),
        ("12e9", "12 billion"),
        ("2e12", "2 trillion"),
        ("0.25", "0.25"),
        ("1e20", "1e+20"),
    ],
)
def test_say(value: str, said: str) -> None:
    """Values are said as English newspapers write them."""
    assert say(Decimal(value)) == said


@given(st.text())
@settings(deadline=None, max_examples=100)
def test_folding_keeps_length(text: str) -> None:
    """Offsets in the folded text hold in the text, whatever it is."""
    assert len(fold(text)) == len(text)


def test_folding_keeps_letters_that_grow_in_lower_case() -> None:
    """A letter whose lower case is two characters stays as it is."""
    assert fold("İI") == "İi"


def test_folding_reads_khmer_digits() -> None:
    """Digits, spaces, hyphens and letters are written one way."""
    assert fold("១២៣\u00a0А–Ё") == "123 а-е"

from decimal import Decimal

import pytest

from depesche.fidelity.compounds import german_number, russian_prefix


@pytest.mark.parametrize(
    ("word", "value", "bare"),
    [
        ("zwei", "2", True),
        ("eine", "1", True),
        ("einundzwanzig", "21", True),
        ("zweihundert", "200", True),
        ("hundertfünf", "105", True),
        ("zweitausenddreihundertfünfundvierzig", "2345", True),
        ("zweieinhalb", "2.5", True),
        ("anderthalb", "1.5", True),
        ("beiden", "2", False),
        ("dritte", "3", False),
        ("achten", "8", False),
        ("einundzwanzigsten", "21", False),
        ("neunziger", "90", False),
        ("siebenmal", "7", False),
        ("zweistündigen", "2", False),
        ("achtzehnjährige", "18", False),
    ],
)
def test_german_numbers(word: str, value: str, bare: bool) -> None:
    """German number words are read whole, and known from ordinals and compounds."""
    assert german_number(word) == (Decimal(value), bare)


@pytest.mark.parametrize(
    "word", ["achtung", "einig", "einzige", "dreist", "hunderte", "tausende", "und", "elfe", ""]
)
def test_german_words_that_only_look_like_numbers(word: str) -> None:
    """Words that begin like a number aren't one."""
    assert german_number(word) is None


@pytest.mark.parametrize(
    ("word", "value"),
    [("двухчасовой", 2), ("пятидесятилетний", 50), ("пятилетний", 5), ("стометровой", 100)],
)
def test_russian_prefixes(word: str, value: int) -> None:
    """The number at the head of a Russian compound is read, the longest that fits."""
    assert russian_prefix(word) == value


@pytest.mark.parametrize("word", ["семинар", "столица", "пятно"])
def test_russian_words_that_only_look_like_compounds(word: str) -> None:
    """Words that merely begin with such letters hold no number."""
    assert russian_prefix(word) is None

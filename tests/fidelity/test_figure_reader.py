import pytest

from depesche.fidelity.figure import Weight
from depesche.fidelity.figure_reader import read_figures
from depesche.types import Language


def said(text: str, language: Language = Language.ENGLISH) -> list[str]:
    return [figure.said for figure in read_figures(text, language).figures]


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("one hundred and twenty-five thousand", ["125,000"]),
        ("a hundred and five", ["100", "5"]),
        ("nineteen hundred", ["1,900"]),
        ("two hundred thousand million", ["200 billion"]),
        ("one and a half million", ["1.5 million"]),
        ("$5bn and €3m", ["$5 billion", "€3 million"]),
        ("a $5 note", ["$5"]),
        ("10 per cent of 20 percent", ["10 %", "20 %"]),
        ("the 4th of July, 1776", ["4 July 1776"]),
        ("Sept. 11, 2001", ["11 September 2001"]),
        ("2021-11-24", ["24 November 2021"]),
        ("12/25/2021", ["25 December 2021"]),
        ("24.11.99", ["24 November 1999"]),
        ("in 2019 €5 was paid", ["2019", "€5"]),
        ("$ 24.11.2021", ["24 November 2021"]),
        ("$ 1.2.3", ["1.2.3"]),
        ("3/4/2021", ["3 April 2021"]),
        ("2 million 3 billion", ["2 million", "3 billion"]),
        ("two and more", ["2"]),
        ("two million one hundred", ["2,000,100"]),
        ("quarter", ["0.25"]),
        ("2 million half-truths", ["2 million", "0.5"]),
        ("two billion billion", ["2 billion", "1 billion"]),
        ("we may march on", []),
        ("hundreds of people", []),
        ("240 millions", ["240 million"]),
        ("$300+ billion", ["$300 billion"]),
        ("5 euro cents", ["5 cents"]),
        ("25:61", ["25", "61"]),
        ("from 1/0 to 32.13.2021", ["1", "0", "32.13.2021"]),
    ],
)
def test_english_figures(text: str, figures: list[str]) -> None:
    """Figures are read whole, and words that only look like them aren't."""
    assert said(text) == figures


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("12", Weight.FIRM),
        ("1", Weight.SOFT),
        ("thirteen", Weight.FIRM),
        ("twelve", Weight.WORD),
        ("one", Weight.SOFT),
        ("twelfth", Weight.SOFT),
        ("a million", Weight.FIRM),
        ("half", Weight.SOFT),
        ("COVID-19", Weight.NAME),
        ("G20", Weight.NAME),
        ("mid-1990s", Weight.FIRM),
        ("Louis XIV", Weight.NAME),
        ("ten percent", Weight.FIRM),
        ("May", Weight.SOFT),
        ("June", Weight.FIRM),
        ("in June", Weight.FIRM),
        ("on Friday", Weight.FIRM),
        ("the Black Friday", Weight.SOFT),
        ("by August Wilson", Weight.SOFT),
        ("both", Weight.SOFT),
    ],
)
def test_weights(text: str, weight: Weight) -> None:
    """Digits, long number words and dates are firm; what translators turn freely is not."""
    (figure,) = read_figures(text, Language.ENGLISH).figures
    assert figure.weight is weight


def test_units_are_mentioned_without_a_number() -> None:
    """A unit named anywhere in the text is known, so that a list may name it once."""
    reading = read_figures("in percent and euros: 5, 6", Language.ENGLISH)
    assert reading.mentions == {("mention", "%"), ("mention", "EUR")}


def test_spans_stand_in_the_text_as_given() -> None:
    """A figure's span covers its unit and its digits as written."""
    text = "កំណើន ៣,៥ ភាគរយ"
    (figure,) = read_figures(text, Language.KHMER).figures
    assert text[figure.span.start : figure.span.end] == "៣,៥ ភាគរយ"

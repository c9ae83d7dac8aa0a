import pytest

from models.training.rates import Rates, has_leftovers, has_loop, loses_number, rates


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("the the the the end", True),
        ("He said he was, he was, he was, he was ill.", True),
        ("A very, very, very good day.", False),
        ("The minister spoke, and the union spoke, and the press spoke.", False),
        ("Die 1, 1, 1, 1", True),
        ("", False),
    ],
)
def test_loops(text: str, loops: bool) -> None:
    """The same words four times in a row are a loop; a figure of speech isn't."""
    assert has_loop(text) is loops


@pytest.mark.parametrize(
    ("text", "left"), [("The Дума met.", True), ("ការ of work", True), ("Zoë paid 5 €.", False)]
)
def test_leftovers(text: str, left: bool) -> None:
    """Cyrillic and Khmer letters are left over, other signs aren't."""
    assert has_leftovers(text) is left


@pytest.mark.parametrize(
    ("source", "output", "reference", "lost"),
    [
        ("Es sind 12 von 30.", "There are 12 of 30.", "There are 12 of 30.", False),
        ("Es sind 12 von 30.", "There are 12 of 31.", "There are 12 of 30.", True),
        ("Es sind 12.", "There are twelve.", "There are twelve.", False),
        ("មាន ១២", "There are 12", "There are 12", False),
    ],
)
def test_lost_numbers(source: str, output: str, reference: str, lost: bool) -> None:
    """A number counts as lost only where the reference writes it in digits too."""
    assert loses_number(source, output, reference) is lost


def test_rates_are_shares() -> None:
    """Each rate is the share of sentences that fail so."""
    outputs = ["a a a a", "…", "Дума 5", "all 5"]
    sources, references = ["x"] * 3 + ["5 6"], ["x"] * 3 + ["5 6"]
    assert rates(sources, outputs, references) == Rates(
        loops=0.25, leftovers=0.25, numbers=0.25, empty=0.25
    )

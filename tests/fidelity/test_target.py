import pytest

from depesche.fidelity.target import Target, plain
from depesche.types import Span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The U.S.'s GDP", "the us gdp"),
        ("  Wi-Fi,   AT&T ", "wi fi at t"),
        ("ministers' talks", "ministers talks"),
        ("", ""),
    ],
)
def test_plain(text: str, expected: str) -> None:
    """Only lower-case words remain, abbreviations without dots and names without genitives."""
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("form", "held"),
    [
        ("United States", True),
        ("US", True),
        ("Russia", False),
        ("Russia*", True),
        ("NGO", True),
        ("UN", False),
    ],
)
def test_holds(form: str, held: bool) -> None:
    """Whole words are looked for, or beginnings where the form ends in a star."""
    target = Target("The U.S. and Russian NGOs met in the United States under no union.")
    assert target.holds(form) is held


@pytest.mark.parametrize(
    ("abbreviation", "spelt"),
    [("ASEAN", False), ("ICC", True), ("UN", True), ("NMR", True), ("SM", False), ("MC", False)],
)
def test_spells_out(abbreviation: str, spelt: bool) -> None:
    """Words in a row spell an abbreviation out; for two letters they must be capitalised."""
    target = Target(
        "The International Criminal Court and the United Nations saw more court cases "
        "on nuclear magnetic resonance."
    )
    assert target.spells_out(abbreviation) is spelt


def test_joins_ignores_hyphens_and_spaces() -> None:
    """A compound counts however it is joined."""
    target = Target("They use Wi-Fi and an air port.")
    assert target.joins("wifi")
    assert target.joins("Airport")
    assert not target.joins("fort")


def test_find_points_at_the_word() -> None:
    """A form is found as a word, not inside another."""
    assert Target("VIKTOR uses IKT here").find("IKT") == Span(12, 15)
    assert Target("VIKTOR").find("IKT") is None

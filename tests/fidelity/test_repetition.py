import pytest

from depesche.fidelity.repetition import check_repetition
from depesche.types import FindingKind


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Das ist sehr, sehr gut.", "That is very, very good."),
        ("Это очень, очень и очень важно.", "This is very, very, very important."),
        ("Это очень, очень, очень важно.", "This is very, very, very important."),
        ("Nein, nein, nein!", "No, no, no!"),
        ("ល្អណាស់ណាស់", "very very good"),
        ("Rufnummer 000 000 000", "Call 000 000 000 now"),
        ("Es ist 1, 2, 1, 2, 1, 2", "It is 1, 2, 1, 2, 1, 2"),
        ("Schritt für Schritt für Schritt", "step by step by step"),
        ("Er wusste, dass das gut war.", "He knew that that had had an effect."),
        (
            "des Außenministeriums, des Verteidigungsministeriums und des Justizministeriums",
            "the Ministry of Foreign Affairs, the Ministry of Defence and the Ministry of Justice",
        ),
        (
            "Der Rat sprach mit dem Rat.",
            "The Russian Security Council spoke with the Russian Security Council of old.",
        ),
        ("Inhalt ........ 5", "Content ........ 5"),
        ("www.example.org", "www.example.org"),
    ],
)
def test_lawful_repetition_passes(source: str, target: str) -> None:
    """Emphasis, lists, figures, and what the source repeats too are no loops."""
    assert check_repetition(source, target) == []


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("Er kam.", "He came came came came.", "came came came came"),
        ("Er kam an.", "He came to the the house.", "the the"),
        ("Он пришёл.", "He did so he did so he did so.", "He did so he did so he did so"),
        ("Он пришёл.", "On our way to it on our way to it.", "On our way to it on our way to it"),
        ("Das war lustig.", "That was hahahahaha.", "hahahahaha"),
        ("Das ist das Ende.", "The end !!!!!!!!!!", "!!!!!!!!!!"),
        ("លោកមក។", "We go up, we go up, we go up.", "We go up, we go up, we go up"),
        ("Rat und Polizei", "a unit, the Police Force and the Police Force.", "Police Force"),
        (
            "សង្គ្រាមនេះគឺជាសង្គ្រាមដំបូង។",
            "The end of the war in the north is the first end of the war in the north since then.",
            "end of the war in the north since then",
        ),
    ],
)
def test_loops_are_found(source: str, target: str, found: str) -> None:
    """A run in a row, a sentence said twice and a list with a double are reported, once."""
    (finding,) = check_repetition(source, target)
    assert finding.kind is FindingKind.REPETITION
    assert finding.found == found
    assert finding.target_span is not None
    assert target[finding.target_span.start : finding.target_span.end] == found


@pytest.mark.parametrize(
    "piece", ["ab", "the ", "a b c d e f g h i ", ", Aa Bb", "x", "and the Aa "]
)
@pytest.mark.timeout(20)
def test_long_texts_take_bounded_time(piece: str) -> None:
    """Inputs as long as a whole release allow stay cheap."""
    text = piece * (100_000 // len(piece))
    check_repetition("Quelle", text)
    check_repetition(text, text)

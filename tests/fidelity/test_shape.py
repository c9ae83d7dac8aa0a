import pytest

from depesche.fidelity.shape import check_shape, is_empty
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER


@pytest.mark.parametrize(
    ("language", "source", "target", "fits"),
    [
        (RU, "США", "United States of America", True),
        (DE, "Ja.", "Yes, indeed it is.", True),
        (DE, "a" * 200, "a" * 160, True),
        (DE, "a" * 200, "a" * 60, False),
        (DE, "a" * 200, "a" * 300, False),
        (RU, "б" * 200, "a" * 210, True),
        (RU, "б" * 200, "a" * 69, False),
        (RU, "б" * 200, "a" * 340, False),
        (KM, "ក" * 200, "a" * 200, True),
        (KM, "ក" * 200, "a" * 59, False),
        (KM, "ក" * 200, "a" * 400, False),
        (Language.ENGLISH, "a" * 200, "a", True),
    ],
)
def test_length(language: Language, source: str, target: str, fits: bool) -> None:
    """A length that no translator chooses is reported; short sentences have more room."""
    kinds = [finding.kind for finding in check_shape(source, target, language)]
    assert kinds == ([] if fits else [FindingKind.LENGTH])


@pytest.mark.parametrize(
    ("target", "score", "sure"),
    [
        ("A sentence of eight words is long enough.", -0.69, True),
        ("A sentence of eight words is long enough.", -0.71, False),
        ("A heading that has seven words only.", -1.09, True),
        ("A heading that has seven words only.", -1.11, False),
        ("Three words only.", -1.4, True),
        ("Three words only.", -1.6, False),
        ("A sentence of five words.", None, True),
    ],
)
def test_score(target: str, score: float | None, sure: bool) -> None:
    """A low score is reported, of a short sentence only a very low one."""
    findings = check_shape("Ein Satz aus fünf Wörtern.", target, DE, score)
    assert [finding.kind for finding in findings] == ([] if sure else [FindingKind.LOW_SCORE])


def test_a_surer_model_has_a_higher_bar() -> None:
    """What is doubtful in one model's words isn't in another's; short sentences keep their room."""
    long, short = "A sentence of eight words is long enough.", "Three words only."
    for target, score, sure in [(long, -0.48, True), (long, -0.5, False), (short, -1.0, True)]:
        findings = check_shape("Ein Satz.", target, DE, score, least_score=-0.49)
        assert [finding.kind for finding in findings] == ([] if sure else [FindingKind.LOW_SCORE])


def test_truncation_is_reported() -> None:
    """What the caller knows to be cut is said."""
    (finding,) = check_shape("Ein Satz.", "A sent", DE, truncated=True)
    assert finding.kind is FindingKind.TRUNCATED


@pytest.mark.parametrize(("text", "empty"), [("", True), (" … ", True), ("5", False), ("។", True)])
def test_is_empty(text: str, empty: bool) -> None:
    """Text without letters and digits says nothing."""
    assert is_empty(text) is empty

import pytest

from depesche.fidelity.figures import check_figures
from depesche.types import Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "zwei Drittel", "2/3"),
        (DE, "zwei Drittel", "2/3rd of it"),
        (DE, "zwei Drittel", "two-thirds"),
        (DE, "zwei Drittel", "two thirds"),
        (DE, "zwei Drittel", "67 percent"),
        (DE, "drei Fünftel", "60%"),
        (DE, "ein Drittel", "a third"),
        (DE, "jeder dritte Deutsche", "a third of Germans"),
        (DE, "ein dritter Weg", "a third way"),
        (DE, "2/3 der Fläche", "two thirds of the area"),
        (RU, "две трети", "two thirds"),
        (RU, "три четверти", "three quarters"),
        (RU, "три четверти", "75 per cent"),
        (RU, "две пятых", "two fifths"),
        (RU, "третья часть", "one third"),
        (KM, "ពីរភាគបី", "two thirds"),
    ],
)
def test_the_same_share_passes(language: Language, source: str, target: str) -> None:
    """Shares in words agree with fractions, percentages and words of the same value."""
    assert check_figures(source, target, language) == []


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "zwei Drittel der Fläche", "one third of the area"),
        (DE, "zwei Drittel", "three quarters"),
        (DE, "drei Viertel", "a third"),
        (RU, "две трети", "one third"),
        (KM, "ពីរភាគបី", "one third"),
    ],
)
def test_another_share_is_found(language: Language, source: str, target: str) -> None:
    """A share that became another is missing, and the other invented."""
    kinds = [str(finding.kind) for finding in check_figures(source, target, language)]
    assert kinds == ["number_missing", "number_invented"]

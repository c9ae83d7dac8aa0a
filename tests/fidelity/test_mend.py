import pytest

from depesche.fidelity import check
from depesche.fidelity.mend import mend
from depesche.types import FindingKind, Language


@pytest.mark.parametrize(
    ("language", "source", "target", "expected"),
    [
        (
            Language.GERMAN,
            "Die Experten sprachen über IKT und die IKT-Sicherheit.",
            "The experts spoke about IKT and IKT security.",
            "The experts spoke about ICT and ICT security.",
        ),
        (
            Language.GERMAN,
            "Die Sicherheit der IKT ist wichtig.",
            "The security of IKT-systems is important.",
            "The security of ICT-systems is important.",
        ),
        (
            Language.GERMAN,
            "Die NATO tagte in Brüssel.",
            "NATO met in Brussels.",
            "NATO met in Brussels.",
        ),
        (
            Language.GERMAN,
            "Die IKT wächst.",
            "IKTech and ICT are growing.",
            "IKTech and ICT are growing.",
        ),
    ],
)
def test_abbreviations_left_as_they_are_get_their_english(
    language: Language, source: str, target: str, expected: str
) -> None:
    """Whole words that the glossary knows are replaced; the check then finds nothing."""
    mended = mend(target, check(source, target, language))

    assert mended == expected
    kinds = {finding.kind for finding in check(source, mended, language)}
    assert FindingKind.NAME_MISSING not in kinds


def test_a_name_that_is_missing_altogether_is_not_made_up() -> None:
    """Where the English holds nothing in its place, nothing is put in."""
    source, target = "Die WHO warnte am Montag.", "There was a warning on Monday."

    assert mend(target, check(source, target, Language.GERMAN)) == target

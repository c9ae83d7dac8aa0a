import pytest

from depesche.fidelity import check
from depesche.fidelity.mend import mend, mend_numerals
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


@pytest.mark.parametrize(
    ("language", "source", "target", "expected"),
    [
        (Language.KHMER, "ចំនួន ១២.០០០ គ្រឿង", "12.000 pieces", "12,000 pieces"),
        (Language.GERMAN, "1.234,5 Tonnen", "1.234,5 tonnes", "1,234.5 tonnes"),
        (Language.RUSSIAN, "площадью 4 200 кв. м", "of 4 200 m²", "of 4,200 m²"),
        (Language.RUSSIAN, "на 3,5 %", "by 3,5%.", "by 3.5%."),
        (Language.GERMAN, "1.250 Euro", "1.250.", "1,250."),
        (
            Language.GERMAN,
            "um 10.30 Uhr am 24.11.2021",
            "at 10.30 on 24.11.2021",
            "at 10.30 on 24.11.2021",
        ),
        (Language.GERMAN, "3,5 Prozent", "3.5 per cent", "3.5 per cent"),
        (Language.GERMAN, "die Werte 3, 5 und 7", "the values 3,5 and 7", "the values 3,5 and 7"),
        (Language.GERMAN, "2 000 Gäste", "2.000 guests", "2.000 guests"),
        (Language.ENGLISH, "1.250 apples", "1.250 apples", "1.250 apples"),
    ],
)
def test_copied_numerals_are_written_the_english_way(
    language: Language, source: str, target: str, expected: str
) -> None:
    """Only a numeral that the source holds in the same notation is rewritten."""
    assert mend_numerals(target, source, language) == expected

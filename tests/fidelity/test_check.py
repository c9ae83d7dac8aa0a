import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.fidelity import WEIGHTS, check, weigh
from depesche.types import Finding, FindingKind, Language

SOURCES = [Language.GERMAN, Language.RUSSIAN, Language.KHMER]


def test_every_kind_has_a_weight() -> None:
    """No kind of finding is left out of the weighing."""
    assert set(WEIGHTS) == set(FindingKind)
    assert all(weight > 0 for weight in WEIGHTS.values())


def test_weigh_adds_up() -> None:
    """Weights add up, and no finding weighs nothing."""
    name = Finding(FindingKind.NAME_MISSING, "")
    loop = Finding(FindingKind.REPETITION, "")
    assert weigh([]) == 0
    assert weigh([name, name]) == 2 * weigh([name])
    assert weigh([loop]) > weigh([name, name])


@pytest.mark.parametrize(
    ("source", "target", "language"),
    [
        ("Der Minister reiste nach Berlin.", "The minister travelled to Berlin.", Language.GERMAN),
        ("Министр приехал в Берлин.", "The minister came to Berlin.", Language.RUSSIAN),
        ("រដ្ឋមន្ត្រីបានមកដល់ទីក្រុង។", "The minister arrived in the city.", Language.KHMER),
        ("…", "", Language.GERMAN),
    ],
)
def test_a_good_translation_is_clean(source: str, target: str, language: Language) -> None:
    """There is nothing to say about a faithful sentence."""
    assert check(source, target, language, -0.3) == ()


def test_findings_of_all_checks_are_gathered() -> None:
    """Figures, names, quotations and form are all looked at, facts first."""
    source = "«Die IKT wuchs um 12 Prozent», sagte er."
    kinds = [
        f.kind for f in check(source, "It grew рад the the.", Language.GERMAN, -2, truncated=True)
    ]
    assert kinds == [
        FindingKind.PERCENTAGE_MISSING,
        FindingKind.NAME_MISSING,
        FindingKind.QUOTATION_MISSING,
        FindingKind.UNTRANSLATED,
        FindingKind.REPETITION,
        FindingKind.TRUNCATED,
        FindingKind.LOW_SCORE,
    ]


@pytest.mark.parametrize("target", ["", "  ", "…"])
def test_no_english_is_one_finding(target: str) -> None:
    """Where there is no English, nothing else is listed as missing from it."""
    (finding,) = check("Die NATO tagte am 3. Mai.", target, Language.GERMAN, -2)
    assert finding.kind is FindingKind.EMPTY


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(SOURCES))
def test_any_text_is_accepted(source: str, target: str, language: Language) -> None:
    """No text makes a check fail, and the same text gives the same findings."""
    assert check(source, target, language) == check(source, target, language)

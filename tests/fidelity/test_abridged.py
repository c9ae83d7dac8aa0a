"""What a summary's sentence may say of the sentences that it rests on."""

import pytest

from depesche.fidelity.abridged import check_abridged
from depesche.types import FindingKind

SOURCE = (
    "The city of Cologne opened a new bridge across the Rhine on Monday, for 12 million euros."
    ' Mayor Anna Schmidt said: "We have waited three long years for this day." The European Union'
    " paid 40 percent, and the U.S. firm O'Neill-Brown built it from 2019 to 2021."
)


def kinds(target: str) -> list[FindingKind]:
    return [finding.kind for finding in check_abridged(SOURCE, target)]


@pytest.mark.parametrize(
    "target",
    [
        "Cologne has a new bridge, for 12 million euros.",
        "On Monday a new Rhine bridge was opened by Mayor Schmidt.",
        "The EU paid 40% of the €12 million.",
        "It was built by O'Neill-Brown of the US between 2019 and 2021.",
        "O'Neill built the bridge.",
        'Schmidt said they had "waited three long years for this day".',
        "Mr Schmidt waited three years.",
        "Cologne's mayor speaks of three long years.",
    ],
)
def test_what_the_source_says(target: str) -> None:
    """In other words, shorter, in other forms of the same figures and names."""
    assert kinds(target) == []


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("The bridge cost 13 million euros.", FindingKind.AMOUNT_INVENTED),
        ("The bridge cost 12 million dollars.", FindingKind.AMOUNT_INVENTED),
        ("The EU paid 45 percent.", FindingKind.PERCENTAGE_INVENTED),
        ("The bridge opened on Tuesday.", FindingKind.DATE_INVENTED),
        ("It was built from 2018 on.", FindingKind.DATE_INVENTED),
        ("Some 700 guests came.", FindingKind.NUMBER_INVENTED),
        ("The bridge across the Danube is open.", FindingKind.NAME_INVENTED),
        ("Merkel opened the bridge.", FindingKind.NAME_INVENTED),
        ("A bridge was opened by Mayor Anna Schulze.", FindingKind.NAME_INVENTED),
        ("NATO paid for the bridge.", FindingKind.NAME_INVENTED),
        ('Schmidt said: "We have never waited for this day."', FindingKind.QUOTATION_INVENTED),
        ("The bridge the bridge the bridge the bridge is open.", FindingKind.REPETITION),
        ("...", FindingKind.EMPTY),
        ("", FindingKind.EMPTY),
    ],
)
def test_what_it_does_not_say(target: str, kind: FindingKind) -> None:
    """Is found, with the place where it stands."""
    findings = check_abridged(SOURCE, target)

    assert kind in [finding.kind for finding in findings]
    for finding in findings:
        span = finding.target_span
        if span is not None and finding.found:
            assert target[span.start : span.end] == finding.found


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("He praised engineers.", "He praised three engineers."),
        ("Half of them came.", "There came a third of them."),
        ("It is the first bridge.", "It is the second bridge."),
        ("Guests came.", "There came thousands of guests."),
        ("They built two bridges.", "They built three bridges."),
        ("It names the October Hall.", "It names the January Hall."),
        ("The disease spread.", "The COVID-19 disease spread."),
        ("They built bridges.", "1 They built bridges."),
    ],
)
def test_figures_that_a_translator_may_add(source: str, target: str) -> None:
    """Numbers in words, ordinals, fractions and months in names; each is reported once."""
    findings = [f for f in check_abridged(source, target) if f.kind.value.endswith("_invented")]
    assert len(findings) == 1


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("It cost 50 percent of it.", "It cost half of it."),
        ("They built 3 bridges.", "They built three bridges."),
        ("A man may go.", "One of them may go first."),
        ("One of them may go first.", "1 of them may go 1st."),
        ("They met on 2 May 2020.", "They met on the second of May."),
    ],
)
def test_figures_in_other_words(source: str, target: str) -> None:
    """Have their value in the source; one and the first are mostly none."""
    assert check_abridged(source, target) == ()


def test_quotation_marks_around_what_nobody_said() -> None:
    """The words are the source's, but it doesn't quote them."""
    source = "The bridge is open to all traffic since Monday."
    target = 'The bridge is "open to all traffic", officials say.'

    (finding,) = check_abridged(source, target)
    assert finding.kind is FindingKind.QUOTATION_INVENTED


def test_findings_are_bounded() -> None:
    """However much a model makes up."""
    assert (
        len(check_abridged("", " ".join(f"and Person{chr(65 + i % 26)}x" for i in range(500))))
        <= 100
    )

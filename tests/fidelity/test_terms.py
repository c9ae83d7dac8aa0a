"""The English of a glossary is looked for where its terms stand."""

import pytest

from depesche.fidelity import WEIGHTS
from depesche.fidelity.terms import check_terms, find_english, outcomes, without_terms
from depesche.text.terms import TermPlace
from depesche.types import (
    Finding,
    FindingKind,
    GlossaryOutcome,
    GlossaryPlace,
    GlossaryTerm,
    GlossaryUse,
    Span,
)


def place(*forms: str, start: int = 0, number: int = 0) -> TermPlace:
    return TermPlace(number, "Begriff", Span(start, start + 7), forms)


@pytest.mark.parametrize(
    ("form", "target", "words"),
    [
        ("federal budget", "The Federal Budget passed.", "Federal Budget"),
        ("budget", "Two budgets passed.", "budgets"),
        ("budget", "The budget’s end", "budget’s"),
        ("ministers", "the ministers' vote", "ministers'"),
        ("ministry", "All ministries agreed.", "ministries"),
        ("illness", "Such illnesses", "illnesses"),
        ("climate-neutral", "Climate neutral by 2045", "Climate neutral"),
        ("climate neutral", "climate-neutral", "climate-neutral"),
        ("WHO", "who asked the WHO", "WHO"),
        ("C++", "in C++ code", "C++"),
        ("(new) deal", "the (new) deal", "(new) deal"),
        ("—", "a — b", "—"),
        ("-", "a - b", "-"),
        ("ក្រសួង", "The ក្រសួង said", "ក្រសួង"),
    ],
)
def test_the_english_is_found(form: str, target: str, words: str) -> None:
    """Case, hyphens, plural and genitive make no difference, but capitals of abbreviations do."""
    (span,) = find_english(target, [place(form)])

    assert span is not None
    assert target[span.start : span.end] == words


@pytest.mark.parametrize(
    ("form", "target"),
    [
        ("budget", "The budgetary debate, and a subbudget"),
        ("WHO", "Those who came"),
        ("there in", "therein"),
        ("federal budget", "federal, budget"),
        ("budget", ""),
    ],
)
def test_other_words_are_not_the_english(form: str, target: str) -> None:
    """Parts of words, and words that aren't together, don't count."""
    assert find_english(target, [place(form)]) == [None]


def test_each_place_needs_words_of_its_own() -> None:
    """A longer English comes first, and what it takes counts for no other place."""
    places = [place("budget"), place("federal budget", start=10), place("budget", start=20)]

    assert find_english("The federal budget and the budget", places) == [
        Span(27, 33),
        Span(4, 18),
        None,
    ]


def test_any_of_the_forms_will_do() -> None:
    """A term that is kept may stand as the glossary has it or as the sentence has it."""
    places = [place("Tag", "Tagen"), place("Tag", "Tagen", start=10)]

    assert find_english("In Tagen and a Tag", places) == [Span(15, 18), Span(3, 8)]


def test_what_is_missing_is_a_finding() -> None:
    """It tells the term, as the sentence has it, its English and its place."""
    source = "Der Haushalt des Landes"
    places = [place("budget", start=4), place("state", start=17)]

    (finding,) = check_terms(source, "The state", places)

    assert finding.kind is FindingKind.TERM_MISSING
    assert finding.expected == "budget"
    assert finding.source_span == Span(4, 11)
    assert finding.target_span is None
    assert WEIGHTS[finding.kind] > 0
    assert check_terms(source, "The state’s budget", places) == []
    assert check_terms(source, "Anything", []) == []


def test_a_terms_own_names_and_figures_are_lawful() -> None:
    """What other checks find within a term or its English goes, where the English stands."""
    source, english = Span(0, 7), Span(4, 10)
    inside = [
        Finding(FindingKind.NUMBER_MISSING, "m", source_span=Span(1, 3)),
        Finding(FindingKind.NAME_INVENTED, "m", target_span=english),
    ]
    beside = [
        Finding(FindingKind.NUMBER_MISSING, "m", source_span=Span(6, 9)),
        Finding(FindingKind.NAME_INVENTED, "m", target_span=Span(0, 10)),
        Finding(FindingKind.LENGTH, "m"),
    ]
    assert source.end > beside[0].source_span.start  # type: ignore[union-attr]

    places = [place("budget")]
    assert without_terms([*inside, *beside], "The budget", places) == tuple(beside)
    assert without_terms(inside, "The spending", places) == tuple(inside)
    assert without_terms(inside, "The budget", []) == tuple(inside)


def test_outcomes() -> None:
    """Applied is what stands everywhere, refused what lacks at one place, in document order."""
    terms = [GlossaryTerm("a", "x"), GlossaryTerm("b", "y"), GlossaryTerm("c", "z")]
    places = {3: [place("y", number=1)], 1: [place("x"), place("y", number=1, start=10)]}

    uses = outcomes(terms, places, {1: "y x"})

    span = Span(0, 7)
    assert uses == (
        GlossaryUse(terms[0], GlossaryOutcome.APPLIED, (GlossaryPlace(1, span, Span(2, 3)),)),
        GlossaryUse(
            terms[1],
            GlossaryOutcome.REFUSED,
            (GlossaryPlace(1, Span(10, 17), Span(0, 1)), GlossaryPlace(3, span, None)),
        ),
        GlossaryUse(terms[2], GlossaryOutcome.NOT_MATCHED, ()),
    )


@pytest.mark.timeout(30)
def test_hostile_english_takes_little_time() -> None:
    """Many places in a long sentence, and a form that nearly matches everywhere."""
    many = [place("a") for _ in range(20_000)]
    assert None not in find_english("a " * 20_000, many)
    assert find_english("a " * 50_000, [place("a " * 99 + "b")]) == [None]

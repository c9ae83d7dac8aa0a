"""A glossary's way through the pipeline, on a fake model: what is applied, refused, and told."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import DeadlineExceeded, InvalidRequest
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.types import (
    Brief,
    BriefOptions,
    Decoding,
    FindingKind,
    GlossaryOutcome,
    GlossaryPlace,
    GlossaryTerm,
    Language,
    Release,
    Span,
)
from tests.support import dictionary, fake_loader, slow_down

APPLIED, MISSED, REFUSED = (
    GlossaryOutcome.APPLIED,
    GlossaryOutcome.NOT_MATCHED,
    GlossaryOutcome.REFUSED,
)
GERMAN = "Der Bundestag hat den Entwurf des Haushaltes am Montag beschlossen."
ENGLISH = "The parliament adopted the draft of the budget on Monday."
TERM = GlossaryTerm("Haushalt", "spending plan")
SWAPPED = "The parliament adopted the draft of the spending plan on Monday."
INSIDE = "Der Bundestag hat den Entwurf des spending plan am Montag beschlossen."


async def brief(
    english: Mapping[str, str] | Callable[[str], str | Hypothesis],
    *terms: GlossaryTerm,
    text: str = GERMAN,
    backend: FakeBackend | None = None,
    language: Language | None = Language.GERMAN,
    deadline: float | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Brief:
    """Brief a release with a glossary."""
    handler = english if callable(english) else dictionary(dict(english))
    loader = fake_loader(backend or FakeBackend(handler))
    engine = await Engine.load(Settings(**settings), loader=loader)
    try:
        asked = BriefOptions(glossary=terms, **(options or {}))
        return await engine.brief(Release(text, language=language), asked, deadline=deadline)
    finally:
        await engine.aclose()


def decoded(backend: FakeBackend) -> list[str]:
    """Give the segments that were decoded, but for those of the warm-up."""
    segments = [text for batch in backend.history for text in batch]
    return [text for text in segments if not text.startswith("Die Stadtverwaltung teilte")]


def outcomes(result: Brief) -> list[GlossaryOutcome]:
    return [use.outcome for use in result.glossary]


async def test_english_that_is_there_anyway_costs_nothing() -> None:
    """Plain decoding is kept if it has the term's English, and the place is told."""
    backend = FakeBackend(dictionary({GERMAN: ENGLISH}))

    result = await brief({}, GlossaryTerm("Haushalt", "budget"), backend=backend)

    (use,) = result.glossary
    start, there = GERMAN.index("Haushaltes"), ENGLISH.index("budget")
    assert use.outcome is APPLIED
    assert use.places == (
        GlossaryPlace(0, Span(start, start + 10), Span(there, there + len("budget"))),
    )
    assert result.translations[0].text == ENGLISH
    assert decoded(backend) == [GERMAN]


async def test_the_english_takes_the_place_of_the_models_own_word() -> None:
    """What the model says of the term alone is found in the sentence, and swapped."""
    backend = FakeBackend(dictionary({GERMAN: ENGLISH, "Haushalt": "The budget."}))

    result = await brief({}, TERM, backend=backend)

    (translation,) = result.translations
    assert outcomes(result) == [APPLIED]
    assert translation.text == SWAPPED
    assert translation.decoding is Decoding.GREEDY
    assert translation.findings == ()
    assert result.headline.text == SWAPPED[:-1]
    assert set(backend.beams) == {1}


async def test_else_the_english_is_put_into_the_source() -> None:
    """Where the model's word alone isn't in the sentence, it decodes one that holds the English."""
    backend = FakeBackend(dictionary({GERMAN: ENGLISH, "Haushalt": "household", INSIDE: SWAPPED}))

    result = await brief({}, TERM, backend=backend)

    assert outcomes(result) == [APPLIED]
    assert result.translations[0].text == SWAPPED
    assert result.translations[0].decoding is Decoding.BEAM
    assert backend.history[-1] == [INSIDE]


@pytest.mark.parametrize(
    "inside",
    [
        "A bus fell.",  # no English of the term
        "The parliament of 12 states adopted 13 spending plans of 14 on Monday in 2015.",
    ],
)
async def test_a_term_that_would_do_harm_is_refused(inside: str) -> None:
    """A sentence that comes out worse isn't taken; the finding stays, and the term is refused."""
    result = await brief({GERMAN: ENGLISH, INSIDE: inside}, TERM)

    (translation,) = result.translations
    ((place,), (finding,)) = result.glossary[0].places, translation.findings
    assert outcomes(result) == [REFUSED]
    assert place.target_span is None
    assert translation.text == ENGLISH
    assert finding.kind is FindingKind.TERM_MISSING
    assert finding.source_span == place.source_span
    assert result.headline.findings == (finding,)


async def test_a_term_that_is_not_there() -> None:
    """It is told so, and changes nothing else."""
    without = await brief({GERMAN: ENGLISH})
    result = await brief({GERMAN: ENGLISH}, GlossaryTerm("Brücke", "bridge"))

    assert outcomes(result) == [MISSED]
    assert result.translations == without.translations
    assert without.glossary == ()


async def test_a_term_that_is_kept() -> None:
    """Without English of its own, a term stands as the glossary has it."""
    english = {GERMAN: ENGLISH, "Bundestag": "Parliament"}

    result = await brief(english, GlossaryTerm("Bundestag"))

    assert outcomes(result) == [APPLIED]
    assert result.translations[0].text == ENGLISH.replace("parliament", "Bundestag")


async def test_what_the_glossary_brings_in_is_lawful() -> None:
    """Names and figures of a term's English are no findings, nor is a word that stays German."""
    english = {GERMAN: ENGLISH, "Haushalt": "budget", "Montag": "Monday"}
    terms = GlossaryTerm("Haushalt", "US plan for 2031"), GlossaryTerm("Bundestag", "Ministerium")

    result = await brief(english | {"Bundestag": "parliament"}, *terms)

    (translation,) = result.translations
    assert (
        translation.text == "The Ministerium adopted the draft of the US plan for 2031 on Monday."
    )
    assert translation.findings == ()


async def test_an_abbreviation_that_is_kept_is_not_mended() -> None:
    """The service's own English for an abbreviation gives way to the caller's wish."""
    german, english = "Die IKT wächst.", "The IKT grows."

    without = await brief({german: english}, text=german)
    result = await brief({german: english}, GlossaryTerm("IKT"), text=german)

    assert without.translations[0].text == "The ICT grows."
    assert result.translations[0].text == english
    assert result.translations[0].findings == ()


async def test_a_sentence_with_a_wrong_figure_is_still_decoded_again() -> None:
    """The glossary's English is applied, and what else is wrong is mended as ever."""
    german = "Der Haushalt sieht 12 Milliarden vor."
    inside = german.replace("Haushalt", "plan")
    replies = {german: "The budget has 21 billion.", inside: "The plan has 12 billion."}

    result = await brief(replies, GlossaryTerm("Haushalt", "plan"), text=german)

    assert result.translations[0].text == "The plan has 12 billion."
    assert result.translations[0].findings == ()


async def test_terms_are_heeded_where_nothing_else_is_decoded_again() -> None:
    """The setting that turns the second decoding off doesn't turn off what a caller asked for."""
    english = {GERMAN: ENGLISH, INSIDE: SWAPPED}

    result = await brief(english, TERM, decode_again=False)

    assert outcomes(result) == [APPLIED]
    backend = FakeBackend(dictionary({GERMAN: ENGLISH}))
    result = await brief({}, TERM, backend=backend, decode_again=False)
    assert outcomes(result) == [REFUSED]
    assert decoded(backend) == [GERMAN, "Haushaltes", "Haushalt", INSIDE]


async def test_a_long_term_is_not_decoded_alone() -> None:
    """What is longer than the model's segments goes into the source alone."""
    german = f"Der {'sehr ' * 8}große Haushalt wurde beschlossen."
    term = GlossaryTerm(f"{'sehr ' * 8}große Haushalt", "big budget")
    backend = FakeBackend(
        lambda text: "The big budget was adopted." if "big" in text else "It was adopted.",
        max_source_tokens=6,
    )

    result = await brief({}, term, text=german, backend=backend)

    assert outcomes(result) == [APPLIED]
    assert all(len(text.split()) <= 6 for text in decoded(backend))


async def test_english_releases_are_only_checked() -> None:
    """Their text stays; a term is applied if its English stands there already."""
    text = "The city has adopted the draft of its budget on Monday after a very long debate."
    terms = GlossaryTerm("budget", "spending plan"), GlossaryTerm("city"), GlossaryTerm("cities")

    result = await brief({}, *terms, text=text, language=Language.ENGLISH)

    assert outcomes(result) == [REFUSED, APPLIED, MISSED]
    assert result.translations[0].text == text
    assert [f.kind for f in result.translations[0].findings] == [FindingKind.TERM_MISSING]


async def test_the_signature_tells_the_glossary() -> None:
    """Another glossary is another signature; none leaves it as it was."""
    without = await brief({GERMAN: ENGLISH})
    first = await brief({GERMAN: ENGLISH}, TERM)
    again = await brief({GERMAN: ENGLISH}, TERM)
    other = await brief({GERMAN: ENGLISH}, GlossaryTerm("Haushalt", "budget"))

    assert "glossary" not in without.signature.options
    assert first.signature == again.signature
    assert len(first.signature.options["glossary"]) == 12
    assert first.signature != other.signature


async def test_translate_takes_a_glossary() -> None:
    """A translation without a brief tells the same, and has the same limits."""
    english = {GERMAN: ENGLISH, INSIDE: SWAPPED}
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend(dictionary(english))))
    try:
        result = await engine.translate(Release(GERMAN), BriefOptions(glossary=(TERM,)))
        with pytest.raises(InvalidRequest, match=r"^options\.glossary\[0\]\.source: must hold"):
            await engine.translate(Release(GERMAN), BriefOptions(glossary=(GlossaryTerm("!"),)))
    finally:
        await engine.aclose()

    assert [use.outcome for use in result.glossary] == [APPLIED]
    assert result.translations[0].text == SWAPPED
    assert "glossary" in result.signature.options


LONG = f"Die Stadt dankt {'sehr ' * 90}allen Anwohnern für den Haushalt."


async def test_no_time_for_the_glossary_leaves_the_sentence() -> None:
    """What can't be decoded in time isn't begun: the term is refused, and the brief is whole."""
    backend = FakeBackend(dictionary({LONG: "The city thanks all for it."}))
    engine = await Engine.load(Settings(workers=1, batch_tokens=1), loader=fake_loader(backend))
    slow_down(engine)
    try:
        release = Release(LONG, language=Language.GERMAN)
        deadline = time.monotonic() + 3
        result = await engine.brief(release, BriefOptions(glossary=(TERM,)), deadline=deadline)
        exact = BriefOptions(glossary=(TERM,), reproducible=True)
        with pytest.raises(DeadlineExceeded):
            await engine.brief(release, exact, deadline=time.monotonic() + 3)
    finally:
        await engine.aclose()

    assert outcomes(result) == [REFUSED]
    assert result.missing == ()
    assert result.translations[0].text == "The city thanks all for it."


async def test_a_term_in_a_sentence_without_english_is_refused() -> None:
    """An incomplete brief claims no term of a sentence that it lacks."""
    backend = FakeBackend(dictionary({GERMAN: ENGLISH}))
    engine = await Engine.load(Settings(workers=1, batch_tokens=1), loader=fake_loader(backend))
    slow_down(engine)
    try:
        options = BriefOptions(
            glossary=(GlossaryTerm("Haushalt", "budget"),), allow_incomplete=True
        )
        release = Release(f"{GERMAN} {LONG}", language=Language.GERMAN)
        result = await engine.brief(release, options, deadline=time.monotonic() + 1.2)
    finally:
        await engine.aclose()

    assert [sentence.index for sentence in result.missing] == [1]
    assert outcomes(result) == [REFUSED]
    assert [(p.sentence, bool(p.target_span)) for p in result.glossary[0].places] == [
        (0, True),
        (1, False),
    ]


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_the_embedded_model_heeds_a_glossary() -> None:
    """Terms of each language come into its English; other sentences stay as they were."""
    releases = {
        Language.GERMAN: (
            "Die Delegationen sprachen am Montag über die Sicherheit. Es regnete in Köln.",
            (GlossaryTerm("Delegation", "mission"), GlossaryTerm("Sicherheit", "safety")),
        ),
        Language.RUSSIAN: (
            "Министр рассказал о переговорах с журналистами. В Москве шёл дождь.",
            (GlossaryTerm("переговоры", "consultations"),),
        ),
        Language.KHMER: (
            "នាយករដ្ឋមន្ត្រីបានជួបរដ្ឋមន្ត្រីការបរទេសនៅភ្នំពេញ។ ថ្ងៃនេះមានភ្លៀង។",
            (GlossaryTerm("ភ្នំពេញ", "the capital"),),
        ),
    }
    engine = await Engine.load(Settings())
    try:
        for language, (text, glossary) in releases.items():
            release = Release(text, language=language)
            plain = await engine.translate(release, BriefOptions(reproducible=True))
            options = BriefOptions(reproducible=True, glossary=glossary)
            result = await engine.translate(release, options)

            assert [use.outcome for use in result.glossary] == [APPLIED] * len(glossary)
            assert result.translations[0].text != plain.translations[0].text
            assert result.translations[1] == plain.translations[1]
            assert result == replace(
                await engine.translate(release, options), timings=result.timings
            )
    finally:
        await engine.aclose()

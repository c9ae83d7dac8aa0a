"""Edited sentences are checked as a brief's own are."""

import pytest
from grpc import StatusCode

from depesche.inference.fake import FakeBackend
from depesche.v1 import fidelity_pb2, fidelity_pb2_grpc, types_pb2
from tests.rpc.support import Stubs, failure, serving

_SOURCE = "Die Brücke kostete 12 Millionen Euro und ist 400 Meter lang."
_ENGLISH = "The bridge cost 12 million euros and is 400 metres long."


async def _check(stubs: Stubs, text: str, *sources: str, language: str = "de") -> list[int]:
    stub = fidelity_pb2_grpc.FidelityServiceStub(stubs.channel)  # type: ignore[no-untyped-call]
    request = fidelity_pb2.CheckSentenceRequest(text=text, sources=sources, language=language)
    return [finding.kind for finding in (await stub.CheckSentence(request)).findings]


async def test_an_edit_is_compared_with_its_sources() -> None:
    """What it lost or made up is found, and nothing in one that says the same."""
    async with serving() as (_, stubs):
        assert await _check(stubs, _ENGLISH, _SOURCE) == []
        changed = await _check(stubs, _ENGLISH.replace("400", "500"), _SOURCE)
        both = await _check(stubs, "It cost 12 million euros, he said.", _SOURCE, "Er lacht.")

    assert types_pb2.FINDING_KIND_NUMBER_MISSING in changed
    assert both == [types_pb2.FINDING_KIND_NUMBER_MISSING]


async def test_an_edited_summary_may_leave_things_out() -> None:
    """It is compared with English sentences: what it adds is found."""
    async with serving() as (_, stubs):
        assert await _check(stubs, "It is 400 metres long.", _ENGLISH, language="en") == []
        added = await _check(stubs, "It is 410 metres long.", _ENGLISH, language="en")

    assert added == [types_pb2.FINDING_KIND_NUMBER_INVENTED]


async def test_a_headline_may_leave_things_out_too() -> None:
    """Of an abridged text, what it adds or changes is found whatever language it rests on."""
    async with serving() as (_, stubs):
        stub = fidelity_pb2_grpc.FidelityServiceStub(stubs.channel)  # type: ignore[no-untyped-call]

        async def kinds(text: str, *, abridged: bool) -> list[int]:
            request = fidelity_pb2.CheckSentenceRequest(
                text=text, sources=[_SOURCE], language="de", abridged=abridged
            )
            return [finding.kind for finding in (await stub.CheckSentence(request)).findings]

        short = "Bridge cost 12 million euros"
        assert await kinds(short, abridged=True) == []
        assert await kinds(short, abridged=False) == [types_pb2.FINDING_KIND_NUMBER_MISSING]
        wrong = await kinds("Bridge cost 13 million euros", abridged=True)

    assert wrong == [types_pb2.FINDING_KIND_AMOUNT_INVENTED]


async def test_a_glossary_s_english_is_no_finding_and_its_lack_is_one() -> None:
    """An edit is held to the terms that its brief was; a headline may leave them out."""
    term = types_pb2.GlossaryTerm(source="Staatssekretär", target="State Secretary")
    source = "Der Staatssekretär sprach am Montag in Berlin."
    async with serving() as (_, stubs):
        stub = fidelity_pb2_grpc.FidelityServiceStub(stubs.channel)  # type: ignore[no-untyped-call]

        async def kinds(
            text: str, *terms: types_pb2.GlossaryTerm, abridged: bool = False
        ) -> list[int]:
            request = fidelity_pb2.CheckSentenceRequest(
                text=text, sources=[source], language="de", glossary=terms, abridged=abridged
            )
            return [finding.kind for finding in (await stub.CheckSentence(request)).findings]

        kept = "The State Secretary spoke in Berlin on Monday."
        lacking = "The deputy minister spoke in Berlin on Monday."
        assert await kinds(kept, term) == []
        assert await kinds(lacking, term) == [types_pb2.FINDING_KIND_TERM_MISSING]
        assert await kinds(lacking) == []
        assert await kinds("Deputy minister spoke", term, abridged=True) == []
        odd = types_pb2.GlossaryTerm(source="Staatssekretär", target="Unit 47 Chief")
        named = "The Unit 47 Chief spoke in Berlin on Monday."
        assert await kinds(named) != []
        assert await kinds(named, odd) == []
        failed = await failure(kinds(kept, term, term))

    assert failed.violations == {"glossary[1].source": "is the same as glossary[0].source"}


async def test_no_model_takes_part() -> None:
    """A check waits for nobody's translation."""
    backend = FakeBackend()
    async with serving(backend) as (_, stubs):
        begun = backend.begun
        await _check(stubs, _ENGLISH, _SOURCE)

    assert backend.begun == begun


@pytest.mark.parametrize(
    ("text", "sources", "language", "violations"),
    [
        (" ", [_SOURCE], "de", {"text": "must hold more than white space"}),
        (_ENGLISH, [], "de", {"sources": "must hold more than white space"}),
        ("a" * 101, [_SOURCE], "de", {"text": "has 101 characters; the limit is 100"}),
        (_ENGLISH, ["a" * 60] * 2, "de", {"sources": "has 121 characters; the limit is 100"}),
        (_ENGLISH, [_SOURCE], "", {"language": "is required"}),
        (_ENGLISH, [_SOURCE], "auto", {"language": "is required"}),
        (
            _ENGLISH,
            [_SOURCE],
            "German",
            {"language": "must be one of de, en, km, ru or empty, not 'German'"},
        ),
    ],
)
async def test_bad_requests_are_named(
    text: str, sources: list[str], language: str, violations: dict[str, str]
) -> None:
    """Each field that breaks a rule, with its limit."""
    async with serving(max_checked_characters=100) as (_, stubs):
        failed = await failure(_check(stubs, text, *sources, language=language))

    assert failed.code is StatusCode.INVALID_ARGUMENT
    assert failed.violations == violations


async def test_other_languages_are_refused() -> None:
    """A check by the rules of a related language would mislead."""
    async with serving() as (_, stubs):
        failed = await failure(_check(stubs, _ENGLISH, _SOURCE, language="uk"))

    assert failed.code is StatusCode.FAILED_PRECONDITION
    assert set(failed.violations) == {"language"}

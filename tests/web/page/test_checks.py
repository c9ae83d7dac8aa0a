"""Edits that the service checks."""

import json
from typing import Any

import pytest
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from depesche.v1 import fidelity_pb2
from depesche.web.page.checks import question
from depesche.web.page.drafts import HEADLINE, draft_of
from tests.rpc.support import serving
from tests.web.page.support import BRIEF, draft, served
from tests.web.support import Context, replies, scripted, violations

_JSON = "/page/exports/json"


@pytest.mark.parametrize(
    ("place", "language", "source"),
    [
        (HEADLINE, "de", "Brücke eröffnet"),
        (0, "de", "Sie kostete 12 Millionen Euro."),
        (1, "en", "Traffic flows."),
    ],
)
def test_what_an_edit_is_compared_with(place: Any, language: str, source: str) -> None:
    """The originals; of what a summary model wrote, their English. A headline may be short."""
    found = draft_of(json.dumps(draft((place, "x"))).encode())

    assert question(found.brief, found.edits[0]) == fidelity_pb2.CheckSentenceRequest(
        text="x", language=language, sources=[source], abridged=place == HEADLINE
    )


def test_the_brief_s_glossary_goes_along() -> None:
    """An edit is held to the terms that the brief was."""
    term = {"source": "Brücke", "target": "Bridge"}
    sent = draft((0, "x"))
    sent["brief"] = BRIEF | {"glossary": [{"term": term, "outcome": "GLOSSARY_OUTCOME_APPLIED"}]}
    found = draft_of(json.dumps(sent).encode())

    asked = question(found.brief, found.edits[0])
    assert [(t.source, t.target) for t in asked.glossary] == [("Brücke", "Bridge")]


async def test_who_asks() -> None:
    """The service sees the caller's token and the request's id with each check."""
    seen: list[dict[str, Any]] = []

    async def script(request: bytes, context: Context) -> None:
        del request
        seen.append(dict(context.invocation_metadata() or ()))
        await context.write(fidelity_pb2.CheckSentenceResponse().SerializeToString())

    headers = {"authorization": "Bearer mine", "x-request-id": "r1"}
    async with scripted(CheckSentence=script) as service, served(service) as client:
        answer = await client.post(_JSON, json=draft((0, "x"), (1, "y")), headers=headers)

    assert answer.status_code == 200
    assert [(s["authorization"], s["x-request-id"]) for s in seen] == [("Bearer mine", "r1")] * 2


async def test_fields_of_a_refused_check_are_the_draft_s() -> None:
    """With the service's limits."""
    async with serving() as (server, _), served(server.address) as client:
        long = await client.post(_JSON, json=draft((0, "ok"), (1, "a" * 10_001)))
        assert long.status_code == 400
        expected = "has 10001 characters; the limit is 10000"
        assert violations(long) == {"edits[1].text": expected}
        assert long.json()["message"] == f"edits[1].text: {expected}"

        other = draft((0, "ok")) | {"brief": BRIEF | {"detection": {"language": "uk"}}}
        answer = await client.post(_JSON, json=other)
        assert answer.status_code == 400
        assert list(violations(answer)) == ["brief.detection.language"]


async def test_a_field_that_a_draft_has_not() -> None:
    """It keeps its name."""
    status = Status(code=code_pb2.INVALID_ARGUMENT, message="x: y")
    bad = BadRequest(field_violations=[BadRequest.FieldViolation(field="x", description="y")])
    status.details.add().Pack(bad)
    async with scripted(CheckSentence=replies(status=status)) as service, served(service) as client:
        answer = await client.post(_JSON, json=draft((0, "x")))

    assert violations(answer) == {"x": "y"}
    assert answer.json()["message"] == "x: y"


async def test_a_service_that_is_gone() -> None:
    """Nothing is exported with an edit that wasn't checked; without one nothing is asked."""
    async with served() as client:
        assert (await client.post(_JSON, json=draft((0, "x")))).status_code == 503
        assert (await client.post(_JSON, json=draft())).status_code == 200

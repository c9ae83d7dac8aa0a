import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.v1 import brief_pb2, types_pb2
from depesche.web.refusals import Refusal
from depesche.web.requests import parsed

_KIND = brief_pb2.DESCRIPTOR.message_types_by_name["CreateBriefRequest"]
_TEXT_OF_RELEASE = "Geheimnis"


def refused(body: bytes | str) -> tuple[str, dict[str, str]]:
    """Give the whole text of the refusal of a body, and its violations."""
    with pytest.raises(Refusal) as caught:
        parsed(body if isinstance(body, bytes) else body.encode(), _KIND)
    assert caught.value.http == 400
    bad = BadRequest()
    assert any(detail.Unpack(bad) for detail in caught.value.status.details)
    found = {v.field: v.description for v in bad.field_violations}
    return caught.value.body, found


@pytest.mark.parametrize(
    ("request_", "field", "rule"),
    [
        ([], "request", "must be an object"),
        (_TEXT_OF_RELEASE, "request", "must be an object"),
        (None, "request", "must be an object"),
        ({"relase": {}}, "request", "CreateBriefRequest has no field named relase"),
        ({"release": {"txt": _TEXT_OF_RELEASE}}, "release", "Release has no field named txt"),
        (
            {"release": {f"{_TEXT_OF_RELEASE} {_TEXT_OF_RELEASE}": ""}},
            "release",
            "Release has no field of such a name",
        ),
        ({"release": {"[depesche.v1.x]": 1}}, "release", "Release has no field of such a name"),
        ({"release": _TEXT_OF_RELEASE}, "release", "must be an object"),
        ({"release": [{}]}, "release", "must be an object"),
        ({"release": {"text": 1}}, "release.text", "must be a string"),
        ({"release": {"text": [_TEXT_OF_RELEASE]}}, "release.text", "must be a string"),
        (
            {"release": {"text": "a\ud800"}},
            "release.text",
            "holds half a surrogate pair, at character 1",
        ),
        (
            {"release": {"contentFormat": _TEXT_OF_RELEASE}},
            "release.content_format",
            "must be one of CONTENT_FORMAT_PLAIN, CONTENT_FORMAT_HTML, CONTENT_FORMAT_LINES",
        ),
        (
            {"options": {"priority": True}},
            "options.priority",
            "must be one of PRIORITY_INTERACTIVE, PRIORITY_BULK",
        ),
        (
            {"options": {"priority": 2**31}},
            "options.priority",
            "must be one of PRIORITY_INTERACTIVE, PRIORITY_BULK",
        ),
        ({"options": {"sentenceCount": "zwei"}}, "options.sentence_count", "must be a whole"),
        ({"options": {"sentenceCount": 1.5}}, "options.sentence_count", "must be a whole"),
        ({"options": {"sentenceCount": 2**31}}, "options.sentence_count", "must be a whole"),
        ({"options": {"sentenceCount": True}}, "options.sentence_count", "must be a whole"),
        ({"options": {"sentenceCount": 1e999}}, "options.sentence_count", "must be a whole"),
        ({"options": {"sentenceCount": ""}}, "options.sentence_count", "must be a whole"),
        ({"options": {"reproducible": 1}}, "options.reproducible", "must be true or false"),
        ({"options": {"reproducible": "true"}}, "options.reproducible", "must be true or false"),
        ({"options": {"glossary": {}}}, "options.glossary", "must be a list"),
        ({"options": {"glossary": [{}, None]}}, "options.glossary[1]", "must be an object"),
        (
            {"options": {"glossary": [{"source": "a"}, {"source": 7}]}},
            "options.glossary[1].source",
            "must be a string",
        ),
        (
            {"options": {"sentenceCount": 1, "sentence_count": 1}},
            "options.sentence_count",
            "is there twice, by both of its names",
        ),
    ],
)
def test_what_is_no_request_is_refused(request_: Any, field: str, rule: str) -> None:
    """The refusal names the place by the protos' names and the rule, and nothing of the text."""
    body = json.dumps(request_).replace("Infinity", "1e999")

    text, found = refused(body)

    assert found[field].startswith(rule)
    assert len(found) == 1
    assert _TEXT_OF_RELEASE not in text


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "isn't JSON at line 1, column 1"),
        (b"{", "isn't JSON at line 1, column 2"),
        (b'{"release":{}}\n}', "isn't JSON at line 2, column 1"),
        (b"\xef\xbb\xbf{}", "isn't JSON at line 1, column 1"),
        (b'{"release":{"text":"K\xf6ln"}}', "isn't UTF-8 at byte 21"),
        ('{"release":{}}'.encode("utf-16"), "isn't UTF-8 at byte 0"),
        (b'{"release":{"text":"\xed\xa0\x80"}}', "isn't UTF-8 at byte 20"),
        (b'{"options":{"sentenceCount":NaN}}', "isn't JSON: NaN is no number there"),
        (b'{"options":{"sentenceCount":-Infinity}}', "isn't JSON: -Infinity is no number there"),
        (b'{"options":{"sentenceCount":' + b"9" * 5000 + b"}}", "holds a number that is too long"),
        (b'{"options":{},"options":{}}', "holds a field twice"),
        (b'{"release":{"text":"a","text":"Geheimnis"}}', "holds a field twice"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"release":' * 100_000, "is nested too deeply"),
        (b'{"release":{"text":"Geheimnis}}', "isn't JSON at line 1, column 20"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, rule: str) -> None:
    """Where JSON itself, its encoding or a trap of it is at fault."""
    text, found = refused(body)

    assert found == {"request": rule}
    assert _TEXT_OF_RELEASE not in text


def test_all_that_is_wrong_is_told_at_once() -> None:
    """So that a client mends it in one go; but no more than twenty."""
    several = json.dumps({"release": {"text": 1, "title": 2}, "options": {"strategy": "x"}})
    _, found = refused(several)
    assert set(found) == {"release.text", "release.title", "options.strategy"}

    _, found = refused(json.dumps({"options": {"glossary": [{"source": 1}] * 50}}))
    assert len(found) == 20


@pytest.mark.parametrize(
    "request_",
    [
        {"options": {"sentenceCount": 3}},
        {"options": {"sentence_count": 3}},
        {"options": {"sentenceCount": "3"}},
        {"options": {"sentenceCount": 3.0}},
        {"options": {"sentenceCount": 3, "strategy": None, "glossary": None}},
        {"options": {"sentenceCount": 3}, "release": None},
    ],
)
def test_other_forms_of_protobufs_json_are_taken(request_: Any) -> None:
    """Both names of a field, numbers in quotes or with a fraction of zero, null for nothing."""
    expected = brief_pb2.CreateBriefRequest(options=brief_pb2.BriefOptions(sentence_count=3))

    assert parsed(json.dumps(request_).encode(), _KIND) == expected


def test_enumerations_come_by_name_or_number() -> None:
    """A number that isn't known goes to the service, which refuses it by a rule of its own."""
    for value in ("PRIORITY_BULK", 2):
        found: Any = parsed(json.dumps({"options": {"priority": value}}).encode(), _KIND)
        assert found.options.priority == types_pb2.PRIORITY_BULK
    found = parsed(b'{"options":{"priority":99}}', _KIND)
    assert found.options.priority == 99


def test_messages_with_a_form_of_their_own() -> None:
    """None stands in a request as yet; protobuf reads them, and its words stay unsaid."""
    timings = types_pb2.Timings.DESCRIPTOR
    found: Any = parsed(b'{"queueWait":"1.5s"}', timings)
    assert found.queue_wait.nanos == 500_000_000
    signature: Any = parsed(b'{"options":{"a":"b"}}', types_pb2.Signature.DESCRIPTOR)
    assert signature.options == {"a": "b"}

    with pytest.raises(Refusal, match=r"^request: isn't a Timings$"):
        parsed(json.dumps({"queueWait": _TEXT_OF_RELEASE}).encode(), timings)


_text = st.text(st.characters(exclude_categories=["Cs"]))
_requests = st.builds(
    brief_pb2.CreateBriefRequest,
    release=st.builds(types_pb2.Release, text=_text, title=_text, content_format=st.integers(0, 3)),
    options=st.builds(
        brief_pb2.BriefOptions,
        sentence_count=st.none() | st.integers(-(2**31), 2**31 - 1),
        glossary=st.lists(st.builds(types_pb2.GlossaryTerm, source=_text, target=_text)),
        reproducible=st.booleans(),
    ),
)


@settings(deadline=None)
@given(_requests, st.booleans(), st.booleans())
def test_what_protobuf_writes_is_read(
    request_: brief_pb2.CreateBriefRequest, proto_names: bool, numbers: bool
) -> None:
    """With either names, and with enumerations of either kind."""
    written = MessageToDict(
        request_, preserving_proto_field_name=proto_names, use_integers_for_enums=numbers
    )

    assert parsed(json.dumps(written).encode(), _KIND) == request_


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "text"]), inner),
)
_names = st.sampled_from(
    ["release", "options", "text", "glossary", "priority", "sentence_count", "sentenceCount", "id"]
)


@settings(deadline=None)
@given(st.dictionaries(_names, _values | st.dictionaries(_names, _values)))
def test_whatever_comes_is_a_message_or_a_refusal(value: Any) -> None:
    """And nothing else."""
    try:
        parsed(json.dumps(value).encode(), _KIND)
    except Refusal as refusal:
        assert refusal.http == 400  # noqa: PT017 - either way is right


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_a_refusal(body: bytes) -> None:
    """Unless they are JSON by chance."""
    try:
        parsed(body, _KIND)
    except Refusal as refusal:
        assert refusal.http == 400  # noqa: PT017 - as above

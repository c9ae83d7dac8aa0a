import pytest
from google.protobuf.message import Message

from depesche.errors import InvalidRequest
from depesche.server.wire import check_known, decoder
from depesche.v1 import brief_pb2, types_pb2

_UNKNOWN_OPTION = b"\xf8\x06\x01"  # field 111, varint 1


def _decode(data: bytes) -> Message | InvalidRequest:
    request = brief_pb2.CreateBriefRequest
    return decoder(request.FromString, request.DESCRIPTOR.full_name, limit=100)(data)


def _refused(request: Message) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        check_known(request)
    return {v.field: v.description for v in caught.value.violations}


def test_a_sound_request_is_decoded() -> None:
    """A request without faults comes through unchanged."""
    request = brief_pb2.CreateBriefRequest(release=types_pb2.Release(text="Grüße"))

    assert _decode(request.SerializeToString()) == request


@pytest.mark.parametrize(
    ("field", "where"), [("text", "release.text"), ("title", "release.title"), ("id", "release.id")]
)
def test_text_in_another_encoding_is_found(field: str, where: str) -> None:
    """Latin-1 in a string is named by its field and the byte where it shows."""
    request = brief_pb2.CreateBriefRequest(release=types_pb2.Release(**{field: "Gr*ss"}))
    broken = _decode(request.SerializeToString().replace(b"Gr*ss", b"Gr\xfcss"))

    assert isinstance(broken, InvalidRequest)
    assert str(broken) == f"{where}: isn't UTF-8 at byte 2"


def test_text_in_another_encoding_is_found_in_a_list() -> None:
    """An item of a list is named by its place."""
    terms = [types_pb2.GlossaryTerm(source=s, target="x") for s in ("good", "Gr*ss")]
    request = brief_pb2.CreateBriefRequest(options=brief_pb2.BriefOptions(glossary=terms))
    broken = _decode(request.SerializeToString().replace(b"Gr*ss", b"Gr\xfcss"))

    assert str(broken) == "options.glossary[1].source: isn't UTF-8 at byte 2"


def test_a_message_has_a_limit() -> None:
    """A message at the limit is decoded; one byte more is an error that names the limit."""
    request = brief_pb2.CreateBriefRequest(release=types_pb2.Release(text="x" * 96))
    assert _decode(request.SerializeToString()) == request

    request.release.text += "x"
    assert str(_decode(request.SerializeToString())) == "request: has 101 bytes; the limit is 100"


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x7f", b"\x00"])
def test_damaged_bytes_are_named_so(data: bytes) -> None:
    """Bytes that are no message at all are an error of the request, not of the service."""
    assert str(_decode(data)) == "request: isn't a CreateBriefRequest: its bytes are damaged"


def test_known_fields_pass() -> None:
    """A request that sets every kind of field is not refused."""
    check_known(
        brief_pb2.CreateBriefRequest(
            release=types_pb2.Release(text="x", content_format=types_pb2.CONTENT_FORMAT_HTML),
            options=brief_pb2.BriefOptions(
                sentence_count=2,
                strategy=types_pb2.SUMMARY_STRATEGY_EXTRACTIVE,
                glossary=[types_pb2.GlossaryTerm(source="a", target="b")],
            ),
        )
    )


def test_unknown_fields_are_named_where_they_stand() -> None:
    """An option of another version is refused with its number, at any depth."""
    inner = brief_pb2.BriefOptions.FromString(_UNKNOWN_OPTION)
    request = brief_pb2.CreateBriefRequest.FromString(
        brief_pb2.CreateBriefRequest(options=inner).SerializeToString() + _UNKNOWN_OPTION
    )

    assert _refused(request) == {
        "111": "no field of CreateBriefRequest has the number 111 here",
        "options.111": "no field of BriefOptions has the number 111 here",
    }


def test_unknown_numbers_of_enumerations_are_named() -> None:
    """A value that the enumeration doesn't have is refused with those that it has."""
    request = brief_pb2.CreateBriefRequest.FromString(b"\x12\x02\x20\x07")  # options.priority = 7

    assert _refused(request) == {
        "options.priority": "must be one of PRIORITY_INTERACTIVE, PRIORITY_BULK, not 7"
    }


def test_a_flood_of_unknown_fields_stays_small() -> None:
    """However many unknown fields there are, the error names a few."""
    request = brief_pb2.CreateBriefRequest.FromString(_UNKNOWN_OPTION * 10_000)

    with pytest.raises(InvalidRequest) as caught:
        check_known(request)
    assert len(caught.value.violations) == 20

import json
import math
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.v1 import brief_pb2, model_pb2, types_pb2
from depesche.web.transcode import to_json

_HIDDEN = (
    *("<", ">", "\x7f", "\x80", "\x9f", "\xad", "\u0600", "\u0603", "\u06dd", "\u070f", "\u17b4"),
    *("\u17b5", "\u200b", "\u200f", "\u2028", "\u202e", "\u2060", "\u2064", "\u206a", "\u206f"),
    *("\ufeff", "\ufff9", "\ufffb"),
)
_SHOWN = (
    *("&", "'", "/", "~", "\xa0", "\xac", "\xae", "ü", "ß", "Ж", "\u05ff", "\u0604", "\u06dc"),
    *("\u070e", "ខ្មែរ", "\u17b3", "\u17b6", "\u200a", "\u2010", "\u202f", "\u2065", "\ufefe"),
    *("\ufff8", "\ufffc", "𝅘𝅥", "😀", "\U0010ffff"),
)


def written(message: Message) -> str:
    return to_json(message.SerializeToString(), message.DESCRIPTOR.full_name)


def title(text: str) -> str:
    """Give a text as a message has it in JSON."""
    return written(brief_pb2.BriefReleasesResponse(id=text)).split('"')[3]


@pytest.mark.parametrize("character", _HIDDEN)
def test_what_does_not_show_is_escaped(character: str) -> None:
    """So are those that could end a script or begin a tag."""
    assert title(f"a{character}b") == f"a\\u{ord(character):04x}b"


@pytest.mark.parametrize("text", _SHOWN)
def test_what_shows_is_written_as_it_is(text: str) -> None:
    """In UTF-8, without escapes."""
    assert title(text) == text


def test_other_escapes_are_those_of_json() -> None:
    """Control characters have short escapes where JSON knows one."""
    written_so = written(types_pb2.ModelIdentity(name='\b\t\n\f\r"\\\x00\x1f'))

    assert r'"name":"\b\t\n\f\r\"\\\u0000\u001f"' in written_so


def test_beyond_the_basic_plane_escapes_are_pairs() -> None:
    """As JavaScript reads them."""
    assert title("\U0001d173") == r"\ud834\udd73"
    assert title("\U000e0001") == r"\udb40\udc01"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.98, "0.98"),
        (-0.1, "-0.1"),
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (2 / 3, "0.66666666666666663"),
        (0.99965041548740574, "0.99965041548740574"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1e+15"),
        (1e-5, "1e-05"),
        (5e-324, "4.94065645841247e-324"),
        (math.inf, '"Infinity"'),
        (-math.inf, '"-Infinity"'),
        (math.nan, '"NaN"'),
    ],
)
def test_numbers(value: float, expected: str) -> None:
    """With as many digits as tell the number, 15 or 17, and not Python's own."""
    assert f'"score":{expected},' in written(types_pb2.TranslatedSentence(score=value))


def test_fields_come_by_number_and_empty_ones_in_their_place() -> None:
    """Only those are left out whose absence means something."""
    assert written(types_pb2.BriefSentence(strategy=1, text="a")) == (
        '{"text":"a","sentenceIndices":[],"sourceSpans":[],"findings":[],'
        '"strategy":"SUMMARY_STRATEGY_EXTRACTIVE"}'
    )
    assert '"score"' not in written(types_pb2.TranslatedSentence())
    assert written(brief_pb2.StreamBriefResponse()) == "{}"


def test_large_integers_stand_in_quotes() -> None:
    """JavaScript couldn't hold them."""
    assert '"sizeBytes":"9007199254740993"' in written(model_pb2.Model(size_bytes=2**53 + 1))


def test_a_value_that_no_enumeration_has_is_a_number() -> None:
    """A newer service may send one."""
    assert '"strategy":77' in written(types_pb2.BriefSentence(strategy=77))  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["abc", "cab", "bca"])
def test_entries_of_maps_keep_the_order_of_the_wire(order: str) -> None:
    """Protobuf's own maps have none."""
    entries = b"".join(b"\x22\x06\x0a\x01" + key.encode() + b"\x12\x01v" for key in order)
    expected = ",".join(f'"{key}":"v"' for key in order)

    assert f'"options":{{{expected}}}' in to_json(entries, "depesche.v1.Signature")


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected"),
    [(0, 0, "0s"), (1, 500_000_000, "1.500s"), (0, 1, "0.000000001s"), (0, 1000, "0.000001s")],
)
def test_durations(seconds: int, nanos: int, expected: str) -> None:
    """With 3, 6 or 9 digits after the point."""
    timings = types_pb2.Timings()
    timings.queue_wait.seconds, timings.queue_wait.nanos = seconds, nanos

    assert written(timings) == f'{{"stages":[],"queueWait":"{expected}"}}'


def test_details_of_a_status_are_taken_apart() -> None:
    """Each names its type; one of a type that nobody knows has no more than that."""
    status = Status(code=3, message="nein")
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(20)
    for detail in (ErrorInfo(reason="X", metadata={"k": "<"}), retry):
        status.details.add().Pack(detail)
    status.details.add(type_url="type.googleapis.com/a.B", value=b"\x08\x01")

    prefix = '"@type":"type.googleapis.com/'
    assert written(status) == (
        f'{{"code":3,"message":"nein","details":[{{{prefix}google.rpc.ErrorInfo","reason":"X",'
        f'"domain":"","metadata":{{"k":"\\u003c"}}}},{{{prefix}google.rpc.RetryInfo",'
        f'"retryDelay":"0.020s"}},{{{prefix}a.B"}}]}}'
    )


def test_other_well_known_types_are_written_as_protobuf_does() -> None:
    """Although no message of the API has one."""
    assert written(StringValue(value="<")) == r'"\u003c"'


_spans = st.builds(
    types_pb2.SourceSpan, field=st.integers(0, 2), start=st.integers(0, 9), end=st.integers(0, 9)
)
_text = st.text(st.characters(exclude_categories=["Cs"]))
_sentences = st.builds(
    types_pb2.BriefSentence,
    text=_text,
    sentence_indices=st.lists(st.integers(-(2**31), 2**31 - 1)),
    source_spans=st.lists(_spans),
    strategy=st.integers(0, 2),
)
# But for -0, which Python reads as a whole number.
_numbers = st.floats(allow_nan=False).map(lambda number: number + 0.0)
_signatures = st.builds(types_pb2.Signature, line=_text, options=st.dictionaries(_text, _text))
_briefs = st.builds(
    types_pb2.Brief,
    id=_text,
    headline=st.none() | _sentences,
    key_sentences=st.lists(_sentences, max_size=2),
    detection=st.builds(types_pb2.Detection, confidence=_numbers),
    signature=_signatures,
    incomplete=st.booleans(),
)


@settings(deadline=None)
@given(_briefs)
def test_it_means_what_protobuf_writes(brief: types_pb2.Brief) -> None:
    """Only the bytes differ; and it reads back as the same message."""
    found: Any = json.loads(written(brief))

    assert found == MessageToDict(brief, always_print_fields_with_no_presence=True)
    assert Parse(written(brief), types_pb2.Brief()) == brief

"""What no client of ours sends: random bytes, damaged messages, absurd values in every field."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depesche.server.servicers import SERVICES
from depesche.v1 import brief_pb2
from tests.rpc.support import ENGLISH, GERMAN, Stubs, request, scrape, serving
from tests.server.logs import captured_logs

_EXAMPLES = int(os.environ.get("DEPESCHE_HOSTILE", "300"))
_LIMIT = 4 * 1024
# A connection that ends for its age takes along the answer to a message that gRPC itself refuses,
# which is UNAVAILABLE then.
_SETTINGS = {
    "max_message_bytes": _LIMIT,
    "queue_segments": 100,
    "connection_age_seconds": 24 * 3600,
}
# Over four times the limit, where gRPC itself refuses a message.
_LARGEST = 20_000

# It isn't ASCII, so that no error may repeat it as the name of a language or a model.
_CANARY = "Kanarien≈Vogel"
_CANARY_FORMS = (_CANARY, ascii(_CANARY)[1:-1], repr(_CANARY.encode())[2:-1])

_ALLOWED = {
    code.value[0]
    for code in (
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    )
}
"""What can be wrong with a request; the server is ready, has room, and the calls have time."""

_METHODS = [method for service in SERVICES for method in service.methods]

_PIECES = st.sampled_from(
    [GERMAN, ENGLISH, "<p>", "&#x110000;", "(", "„", "1.", "\u17d4", "\n", "\0"]
)
_COUNTS = st.sampled_from([1, 2, 10, 100, _LARGEST])
_TEXTS = st.one_of(
    st.text(max_size=60).map(lambda text: text + _CANARY),
    st.builds(
        lambda piece, count: _CANARY + piece * min(count, _LARGEST // len(piece)), _PIECES, _COUNTS
    ),
    st.sampled_from(["", " ", "de", "ru", "km", "en", "fr", "auto", "embedded"]),
)
_NUMBERS = st.sampled_from([0, 1, 2, 3, 20, 21, -1, 2**31 - 1, -(2**31)])
_ITEMS = st.sampled_from([0, 1, 3_000])
# Values that pass the checks, so that what is wrong with the text itself comes to the pipeline.
_ODD = st.text(max_size=60).map(lambda text: f" {_CANARY} {text}")
_SOUND_TEXTS = {
    "text": st.builds(str.__add__, st.sampled_from([GERMAN, ENGLISH, "<p>" + GERMAN]), _ODD),
    "title": st.one_of(st.just(""), _ODD),
    "id": st.just(_CANARY),
    "language": st.sampled_from(["", "auto"]),
    "name": st.just("embedded"),
    "sources": st.just(_CANARY),
    "source": st.sampled_from(["Köln", "city", "ន", _CANARY]),
    "target": st.sampled_from(["", "Cologne", _CANARY]),
    "translation_model": st.sampled_from(["", "embedded"]),
    "summary_model": st.just(""),
}
_SOUND_NUMBERS = st.sampled_from([1, 2])


@dataclass(frozen=True)
class _Call:
    """A method, and the bytes of the messages that are sent to it."""

    method: MethodDescriptor
    messages: Sequence[bytes]


@st.composite
def _messages(draw: st.DrawFn, kind: type[Message], *, sound: bool) -> Message:
    """Make a message of a type with anything in its fields, or what passes the checks."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if sound or draw(st.integers(0, 3)):  # most fields are set
            _fill(draw, message, field, sound=sound)
    return message


def _fill(draw: st.DrawFn, message: Message, field: Any, *, sound: bool) -> None:
    if field.message_type is None:
        value = draw(_values(field, sound=sound))
        if not field.is_repeated:
            setattr(message, field.name, value)
            return
        size = len(value.encode())
    else:
        value = draw(_messages(GetMessageClass(field.message_type), sound=sound))
        size = value.ByteSize()
    if field.is_repeated:
        most = draw(st.sampled_from([0, 1])) if sound else draw(_ITEMS)  # no term stands twice
        getattr(message, field.name).extend([value] * min(most, _LARGEST // (size + 1)))
    else:
        getattr(message, field.name).CopyFrom(value)


def _values(field: Any, *, sound: bool) -> st.SearchStrategy[Any]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _SOUND_TEXTS[field.name] if sound else _TEXTS
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    return _SOUND_NUMBERS if sound else _NUMBERS


@st.composite
def _damaged(draw: st.DrawFn, kind: type[Message]) -> bytes:
    """Replace, insert or leave out some bytes of a message."""
    sound = draw(st.booleans())
    data = bytearray(draw(_messages(kind, sound=sound)).SerializeToString())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(data)


@st.composite
def _calls(draw: st.DrawFn) -> _Call:
    method = draw(st.sampled_from(_METHODS))
    kind = GetMessageClass(method.input_type)
    data = st.one_of(
        _messages(kind, sound=True).map(lambda message: message.SerializeToString()),
        _messages(kind, sound=False).map(lambda message: message.SerializeToString()),
        _damaged(kind),
        st.binary(max_size=200).map(lambda data: data + _CANARY.encode()),
    )
    count = draw(st.integers(0, 4)) if method.client_streaming else 1
    return _Call(method, [draw(data) for _ in range(count)])


async def _statuses(channel: Any, call: _Call) -> list[int]:
    """Make a call; gives the codes of its status and of those within its replies."""
    method = call.method
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if method.client_streaming:
            replies = channel.stream_stream(path)(iter(call.messages), timeout=60)
            return [0, *[_code(reply) async for reply in replies]]
        if method.server_streaming:
            async for _ in channel.unary_stream(path)(call.messages[0], timeout=60):
                pass
        else:
            await channel.unary_unary(path)(call.messages[0], timeout=60)
    except grpc.aio.AioRpcError as error:
        return [error.code().value[0]]
    return [0]


def _code(reply: bytes) -> int:
    return int(brief_pb2.BriefReleasesResponse.FromString(reply).error.code)


async def _is_well(stubs: Stubs) -> bool:
    """Tell whether the server still briefs."""
    reply = await stubs.briefs.CreateBrief(request(), timeout=60)
    return len(reply.brief.translation) == 4


def _leaks(lines: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in lines:
        text = " ".join(map(str, line.values()))
        if any(form in text for form in _CANARY_FORMS):
            yield line


def test_hostile_requests_end_with_a_status_of_the_contract() -> None:
    """Whatever is sent, the call ends as the contract says, and the log holds none of it.

    A request that can't be read or briefed is the caller's mistake: never INTERNAL or UNKNOWN. The
    server briefs afterwards, and nothing of the calls is left in it. `DEPESCHE_HOSTILE=10000` in
    the environment of this one test makes so many calls, where 300 are enough for every day.
    """
    with captured_logs() as logs, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        server, stubs = runner.run(stack.enter_async_context(serving(**_SETTINGS)))

        @settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(_calls())
        def attack(call: _Call) -> None:
            assert set(runner.run(_statuses(stubs.channel, call))) <= _ALLOWED

        try:
            attack()
            assert runner.run(_is_well(stubs))
            page = runner.run(asyncio.to_thread(scrape, server))
        finally:
            runner.run(stack.aclose())
        lines = logs()

    assert "depesche_requests_in_flight 0.0" in page
    assert len([line for line in lines if line["event"] == "call"]) > _EXAMPLES // 2
    assert not list(_leaks(lines))
    assert not [line for line in lines if line["level"] == "error"]

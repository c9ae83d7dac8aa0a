"""The JSON edge and Envoy's transcoder, before one service: the same bytes."""

import asyncio
import json
import math
import random
import struct
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import pytest_asyncio
import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

from depesche import errors
from depesche.errors import Violation
from depesche.server.status import to_status
from depesche.v1 import brief_pb2, types_pb2
from depesche.web.rules import Rule, rules, services
from tests.fleet.proxy import binary, launched
from tests.web.support import Context, Script, edge, replies, scripted

pytestmark = [pytest.mark.fleet, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "envoy-json.yaml"

_TEXTS = (
    *("Köln <b>&amp;</b> 'a' \"b\" \\ /", "a\u2028b\u2029c\r\n\t\0\x1f\x7f\x85", ""),
    *("រាជ\u200bរដ្ឋាភិបាល\u17b4", "\ufeff\u202eabc\u00ad", "Ёлка № 5 — «да»", "😀\U0001d173"),
)
_NUMBERS = (0.98, -0.1, 0.0, -0.0, 1.0, 1 / 3, -1e-7, 1e15, 123456789.125, 5e-324, math.inf)
_ERRORS: tuple[Exception, ...] = (
    errors.InvalidRequest([Violation("release.text", "ist «leer» <&>"), Violation("x", "y")]),
    errors.LanguageUnsupported("uk", ("de", "ru")),
    errors.FeatureUnavailable("options.strategy", "no model"),
    errors.ModelUnknown("nix"),
    errors.Unauthenticated("a token"),
    errors.QueueFull("full", 1.25),
    errors.QuotaExceeded("too often", 7.0, "agency"),
    errors.DeadlineExceeded("late"),
    errors.ShuttingDown("drains"),
    errors.ModelError("isn't told"),
)


@dataclass
class Pair:
    """Envoy and the edge, and the service behind both.

    Attributes:
        envoy: a client of Envoy.
        edge: a client of the edge.
        service: what the service answers, by names of methods.
        requests: what came to it.
    """

    envoy: httpx2.AsyncClient
    edge: httpx2.AsyncClient
    service: dict[str, Script] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)

    async def ask(self, rule: Rule, path: str = "", **request: Any) -> list[httpx2.Response]:
        """Ask both, Envoy first."""
        if rule.has_body:
            request = {"json": {}} | request
        path = path or rule.path.replace("{name}", "x")
        return [await c.request(rule.verb, path, **request) for c in (self.envoy, self.edge)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the descriptors, as the example says."""
    made = tmp_path_factory.mktemp("envoy")
    include = [f"-I{ROOT / 'proto'}", f"-I{sysconfig.get_path('purelib')}"]
    protos = sorted(str(path) for path in (ROOT / "proto/depesche/v1").glob("*.proto"))
    options = ["--include_imports", "-o", str(made / "depesche.binpb")]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *include, *options]
    subprocess.run([*protoc, *protos, "google/rpc/error_details.proto"], check=True)
    return made


def config(folder: Path, service: str) -> Any:
    """Put the addresses of the test in the example's places."""
    made = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    loopback = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
    made["admin"] = loopback
    (listener,), (cluster,) = made["static_resources"].values()
    listener |= loopback
    transcoder = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]
    transcoder["typed_config"]["proto_descriptor"] = str(folder / "depesche.binpb")
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"]["port_value"] = int(service.rpartition(":")[2])
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(folder: Path) -> AsyncIterator[Pair]:
    found: Pair | None = None

    def answering(name: str) -> Script:
        async def script(request: bytes, context: Context) -> None:
            assert found is not None
            found.requests.append(request)
            await found.service[name](request, context)

        return script

    scripts = {rule.method.name: answering(rule.method.name) for rule in rules()}
    async with (
        scripted(**scripts) as service,
        launched(folder, config(folder, service)) as (_, address),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=60) as proxied,
        edge(service) as direct,
    ):
        found = Pair(proxied, direct)
        yield found


def same(answers: list[httpx2.Response], status: int) -> None:
    """Compare two answers."""
    envoy, own = answers
    assert own.content == envoy.content
    assert own.status_code == envoy.status_code == status
    assert own.headers["content-type"] == envoy.headers["content-type"]


def filled(message: Message, values: Iterator[int]) -> Message:
    """Fill every field of a message with what is awkward to write."""
    for known in message.DESCRIPTOR.fields:
        if known.message_type is not None and known.message_type.GetOptions().map_entry:
            getattr(message, known.name).update({text: text for text in (*_TEXTS, "b", "a")})
        elif known.message_type is not None:
            value = getattr(message, known.name)
            for part in [value.add(), value.add()] if known.is_repeated else [value]:
                part.SetInParent()
                filled(part, values)
        elif known.is_repeated:
            getattr(message, known.name).extend(_scalar(known, next(values)) for _ in range(3))
        else:
            setattr(message, known.name, _scalar(known, next(values)))
    return message


def _scalar(known: FieldDescriptor, number: int) -> Any:
    if known.enum_type is not None:
        return known.enum_type.values[number % len(known.enum_type.values)].number
    if known.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _TEXTS[number % len(_TEXTS)]
    if known.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _NUMBERS[number % len(_NUMBERS)]
    if known.full_name.startswith("google.protobuf.Duration"):
        return (number * 1_234_567) % 1_000_000_000 if known.name == "nanos" else number
    if known.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return bool(number % 2)
    large = known.cpp_type == FieldDescriptor.CPPTYPE_INT64
    return (-1) ** number * (2**53 + number if large else number)


def _reply(rule: Rule, *, full: bool) -> Message:
    reply = GetMessageClass(rule.method.output_type)()
    return filled(reply, cycle(range(1_009))) if full else reply


_RULES = [pytest.param(rule, id=rule.method.name) for rule in rules()]
_UNARY = [p for p in _RULES if not p.values[0].method.server_streaming]
(_STREAM,) = (rule for rule in rules() if rule.method.server_streaming)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("rule", _RULES)
async def test_replies(pair: Pair, rule: Rule, *, full: bool) -> None:
    """Of every path, with every field awkward, and with none set."""
    pair.service[rule.method.name] = replies(_reply(rule, full=full))

    same(await pair.ask(rule), 200)


async def test_every_character(pair: Pair) -> None:
    """All that UTF-8 can hold."""
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    brief = types_pb2.Brief(id=every)
    pair.service["CreateBrief"] = replies(brief_pb2.CreateBriefResponse(brief=brief))

    same(await pair.ask(next(r for r in rules() if r.method.name == "CreateBrief")), 200)


async def test_many_numbers(pair: Pair) -> None:
    """Scores, probabilities, and any bits that are a number."""
    chance = random.Random(7)  # noqa: S311 - a test's
    scores = [chance.uniform(-20, 0) for _ in range(2_000)]
    scores += [chance.random() for _ in range(2_000)]
    scores += [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(4_000)]
    brief = types_pb2.Brief(translation=[types_pb2.TranslatedSentence(score=s) for s in scores])
    pair.service["CreateBrief"] = replies(brief_pb2.CreateBriefResponse(brief=brief))

    same(await pair.ask(next(r for r in rules() if r.method.name == "CreateBrief")), 200)


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("rule", _RULES)
async def test_errors(pair: Pair, rule: Rule, error: Exception) -> None:
    """Of every path: the service's status, and its details taken apart."""
    status = to_status(error, "r1")
    pair.service[rule.method.name] = replies(status=status)

    answers = await pair.ask(rule)

    same(answers, answers[0].status_code)
    assert answers[0].json()["code"] == status.code
    assert len(answers[0].json()["details"]) == len(status.details)


@pytest.mark.parametrize(
    "code",
    [c for c in grpc.StatusCode if c not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)],
)
async def test_statuses_without_details(pair: Pair, code: grpc.StatusCode) -> None:
    """All codes, but for that of a service which isn't there: each tells that in its own words."""

    async def script(request: bytes, context: Context) -> None:
        del request
        await context.abort(code, "so «nicht» <&>")

    pair.service["ListModels"] = script
    answers = await pair.ask(next(r for r in rules() if r.method.name == "ListModels"))

    same(answers, answers[0].status_code)
    assert answers[0].json()["details"] == []


async def test_events(pair: Pair) -> None:
    """Of a stream, however many there are."""
    values = cycle(range(1_009))
    steps = [
        brief_pb2.StreamBriefResponse(started=filled(brief_pb2.BriefStarted(), values)),
        *(
            brief_pb2.StreamBriefResponse(sentence=filled(types_pb2.TranslatedSentence(), values))
            for _ in range(30)
        ),
        brief_pb2.StreamBriefResponse(brief=filled(types_pb2.Brief(), values)),
    ]
    for several in ([], steps[:1], steps):
        pair.service["StreamBrief"] = replies(*several)
        answers = await pair.ask(_STREAM)
        same(answers, 200)
        assert answers[0].text.count("\n\n") == len(several)


async def test_an_error_after_events(pair: Pair) -> None:
    """Envoy just ends; the edge says why, by an event of another name."""
    step = brief_pb2.StreamBriefResponse(started=brief_pb2.BriefStarted())
    pair.service["StreamBrief"] = replies(step, status=Status(code=8, message="full"))

    envoy, own = await pair.ask(_STREAM)

    assert envoy.text.startswith("data: ")
    assert own.text == envoy.text + (
        'event: error\ndata: {"code":8,"message":"full","details":[]}\n\n'
    )


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"release": {}},
        {"release": {"text": 'Köln\u2028😀 "<>&\\', "contentFormat": "CONTENT_FORMAT_HTML"}},
        {"release": {"text": "a", "content_format": 2}, "options": {"sentence_count": 3}},
        {"options": {"sentenceCount": "3", "strategy": None, "glossary": []}},
        {"options": {"glossary": [{"source": "a"}, {}], "reproducible": True}},
        {"options": {"priority": 99}},
    ],
)
async def test_requests(pair: Pair, request_: Any) -> None:
    """Whatever form of protobuf's JSON they have, the service gets the same message."""
    rule = next(rule for rule in rules() if rule.method.name == "CreateBrief")
    pair.service["CreateBrief"] = replies(brief_pb2.CreateBriefResponse())
    for body in (json.dumps(request_), json.dumps(request_, ensure_ascii=False)):
        pair.requests.clear()
        headers = {"content-type": "application/json"}
        answers = await pair.ask(rule, json=None, content=body.encode(), headers=headers)

        same(answers, 200)
        envoys, own = (brief_pb2.CreateBriefRequest.FromString(r) for r in pair.requests)
        assert own == envoys


@pytest.mark.parametrize("name", ["a", "a.b-c", "a%20b", "%C3%BC", "a+b", "a%2Bb", "%F0%9F%98%80"])
async def test_names_in_paths(pair: Pair, name: str) -> None:
    """Come to the service as the same text."""
    rule = next(rule for rule in rules() if rule.variables)
    pair.service["GetModel"] = replies(_reply(rule, full=False))
    pair.requests.clear()

    same(await pair.ask(rule, f"/v1/models/{name}"), 200)
    assert pair.requests[0] == pair.requests[1]


async def test_every_service_is_in_the_example() -> None:
    """A new one can't be forgotten there."""
    listed = yaml.safe_load(EXAMPLE.read_text("utf-8"))["static_resources"]["listeners"][0]
    transcoder = listed["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]

    assert transcoder["typed_config"]["services"] == [s.full_name for s in services()]


async def test_envoy_takes_the_example(folder: Path) -> None:
    """As it is, and without a word on anything deprecated."""
    process = await asyncio.create_subprocess_exec(
        *(binary(), "--mode", "validate", "-c", str(EXAMPLE), "-l", "warn"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()

    assert process.returncode == 0, said
    assert "OK" in said
    assert "warning" not in said

"""Input that can't be briefed, over the wire: a clear error each, and a server that lives on."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.v1 import brief_pb2, summarisation_pb2, translation_pb2, types_pb2
from tests.rpc.support import ENGLISH, GERMAN, Stubs, failure, request, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

_INVALID = StatusCode.INVALID_ARGUMENT
_PRECONDITION = StatusCode.FAILED_PRECONDITION
_UKRAINIAN = (
    "Кабінет Міністрів України ухвалив у понеділок новий закон про підтримку підприємців. "
    "Уряд виділить на це понад п'ять мільйонів гривень протягом наступного року."
)
_HTML = {"content_format": types_pb2.CONTENT_FORMAT_HTML}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stubs() -> AsyncIterator[Stubs]:
    async with serving() as (_, found):
        yield found


def _with_options(**options: Any) -> brief_pb2.CreateBriefRequest:
    asked = request()
    asked.options.MergeFrom(brief_pb2.BriefOptions(**options))
    return asked


@pytest.mark.parametrize(
    ("asked", "code", "field", "words"),
    [
        (brief_pb2.CreateBriefRequest(), _INVALID, "release", "is required"),
        (request(""), _INVALID, "release.text", "white space"),
        (request(" \n\t\u00a0\u2028"), _INVALID, "release.text", "white space"),
        (request("\u200b\ufeff\u200b"), _INVALID, "release.text", ""),
        (request("a" * 100_001), _INVALID, "release.text", "the limit is 100000"),
        (request("ß" * 1_000_000), _INVALID, "release.text", "has 1000000 characters"),
        (request(GERMAN, title="t" * 1_001), _INVALID, "release.title", "the limit is 1000"),
        (request(GERMAN, id_="i" * 201), _INVALID, "release.id", "the limit is 200"),
        (request("Ja"), _INVALID, "release.language", ""),
        (request("4711 0815 " * 20), _INVALID, "release.text", "no words"),
        (request(GERMAN, language="xx"), _INVALID, "release.language", "not 'xx'"),
        (request(GERMAN, language="uk"), _PRECONDITION, "release.language", "'uk'"),
        (request(_UKRAINIAN), _PRECONDITION, "release.language", "'uk'"),
        (request("<nav><a href='/'>Start</a></nav>", **_HTML), _INVALID, "release.text", ""),
        (request("<html><script>x()</script></html>", **_HTML), _INVALID, "release.text", ""),
        (request("\x00\x01\x02\x1b", language="de"), _INVALID, "release.text", ""),
        (_with_options(sentence_count=-1), _INVALID, "options.sentence_count", "from 1 to 20"),
        (_with_options(sentence_count=0), _INVALID, "options.sentence_count", "not 0"),
        (_with_options(sentence_count=2**31 - 1), _INVALID, "options.sentence_count", "1 to 20"),
        (
            _with_options(strategy=types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE),
            _PRECONDITION,
            "options.strategy",
            "",
        ),
        (
            _with_options(glossary=[types_pb2.GlossaryTerm(source=s) for s in ("Tag", "")]),
            _INVALID,
            "options.glossary[1].source",
            "letter",
        ),
        (
            _with_options(glossary=[types_pb2.GlossaryTerm(source="a")] * 501),
            _INVALID,
            "options.glossary",
            "the limit is 500",
        ),
    ],
)
async def test_a_fault_is_named(
    stubs: Stubs, asked: brief_pb2.CreateBriefRequest, code: StatusCode, field: str, words: str
) -> None:
    """The status says who is at fault, and a field violation which field and which rule."""
    failed = await failure(stubs.briefs.CreateBrief(asked))

    assert failed.code is code
    assert list(failed.violations) == [field]
    assert words in failed.violations[field]
    assert failed.message == f"{field}: {failed.violations[field]}"
    assert (await stubs.briefs.CreateBrief(request())).brief.headline.text


@pytest.mark.parametrize("stream", ["CreateBrief", "StreamBrief"])
async def test_faults_of_text_in_the_wire_format(stubs: Stubs, stream: str) -> None:
    """Text in Latin-1 is the request's fault, named with its place; so are damaged bytes."""
    make: Any = stubs.channel.unary_unary if stream == "CreateBrief" else stubs.channel.unary_stream
    call = make(f"/depesche.v1.BriefService/{stream}")
    latin = request("Gr*sse").SerializeToString().replace(b"Gr*", b"Gr\xfc")

    for data, field in ((latin, "release.text"), (b"\xff\xff\xff\xff", "request")):
        failed = await failure(_first(call(data)))
        assert failed.code is _INVALID
        assert list(failed.violations) == [field]


async def _first(call: Any) -> Any:
    """Read the reply, or the first one, of a call."""
    if isinstance(call, grpc.aio.UnaryUnaryCall):
        return await call
    return await anext(aiter(call))


async def test_an_unknown_option_is_refused(stubs: Stubs) -> None:
    """A field of a later version is refused by its number rather than left aside."""
    asked = request()
    asked.options.MergeFromString(b"\xf8\x06\x01")
    failed = await failure(stubs.briefs.CreateBrief(asked))

    assert failed.code is _INVALID
    assert list(failed.violations) == ["options.111"]


async def test_an_unknown_strategy_is_refused(stubs: Stubs) -> None:
    """A number that the enumeration doesn't have is refused."""
    asked = request()
    asked.options.MergeFromString(b"\x10\x63")
    failed = await failure(stubs.briefs.CreateBrief(asked))

    assert list(failed.violations) == ["options.strategy"]


async def test_two_languages_are_not_guessed(stubs: Stubs) -> None:
    """A text half in one language and half in another is refused, and the caller asked."""
    russian = "Правительство открыло в понедельник новый мост через реку после долгих работ. " * 3
    german = "Die Regierung hat am Montag nach langer Bauzeit eine neue Brücke eröffnet. " * 3
    failed = await failure(stubs.briefs.CreateBrief(request(f"{russian}\n\n{german}")))

    assert failed.code is _INVALID
    assert failed.reason == "LanguageUncertain"
    assert list(failed.violations) == ["release.language"]


@pytest.mark.parametrize(
    "text",
    [
        GERMAN.replace(" ", "\u202e "),
        GERMAN.replace(" Rhein", " \x00\x07Rhein"),
        "\u2067" + GERMAN,
        "Wort " * 5_000,
        "x" * 60_000 + " " + GERMAN,
    ],
    ids=["right-to-left override", "control characters", "isolate", "one long line", "long word"],
)
async def test_odd_text_is_briefed(stubs: Stubs, text: str) -> None:
    """Odd characters and shapes are no fault, and offsets still point into the text as sent."""
    brief = (await stubs.briefs.CreateBrief(request(text, language="de"))).brief

    assert brief.headline.text
    for sentence in brief.translation:
        span = sentence.source_span
        assert text[span.start : span.end] == sentence.source


async def test_other_requests_have_their_own_paths(stubs: Stubs) -> None:
    """Errors name the fields of the request at hand."""
    detect = translation_pb2.DetectLanguageRequest
    summarise = summarisation_pb2.SummariseRequest
    empty = await failure(stubs.translation.DetectLanguage(detect(text=" ")))
    short = await failure(stubs.translation.DetectLanguage(detect(text="Ja")))
    many = await failure(stubs.summarisation.Summarise(summarise(text=ENGLISH, sentence_count=99)))
    translate = await failure(
        stubs.translation.Translate(
            translation_pb2.TranslateRequest(release=types_pb2.Release(text="Ja"))
        )
    )

    assert list(empty.violations) == ["text"]
    assert list(short.violations) == ["text"]
    assert list(many.violations) == ["sentence_count"]
    assert list(translate.violations) == ["release.language"]


async def test_a_message_over_the_limit_is_refused(stubs: Stubs) -> None:
    """A message over the limit is told so; one far over it never reaches the service."""
    large = await failure(stubs.briefs.CreateBrief(request("a" * 5_000_000)))
    larger = await failure(stubs.briefs.CreateBrief(request("a" * 17_000_000)))

    assert large.code is _INVALID
    assert large.violations == {"request": "has 5000010 bytes; the limit is 4194304"}
    assert larger.code is StatusCode.RESOURCE_EXHAUSTED


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=300) | st.text(max_size=50).map(lambda text: GERMAN + text))
async def test_any_text_is_briefed_or_refused(stubs: Stubs, text: str) -> None:
    """Whatever Unicode is sent, the reply is a brief or an error that the caller can mend."""
    call = stubs.briefs.CreateBrief(request(text, language="de"))
    if await call.code() is StatusCode.OK:
        brief = (await call).brief
        assert brief.translation
        for sentence in brief.translation:
            span = sentence.source_span
            assert text[span.start : span.end] == sentence.source
    else:
        assert (await failure(call)).code is _INVALID

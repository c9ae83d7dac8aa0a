import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest

from depesche.errors import QueueFull
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.inference.queue import Ask, SegmentQueue
from depesche.translate import Translator, keep
from depesche.types import (
    BlockKind,
    Decoding,
    FindingKind,
    Language,
    ModelIdentity,
    Origin,
    Sentence,
    Span,
    Timings,
    Translation,
)

IDENTITY = ModelIdentity("translation", "fake", "1", "0" * 64, "none", "Apache-2.0")


def sentence(text: str, index: int = 0) -> Sentence:
    return Sentence(
        index, text, BlockKind.PARAGRAPH, 0, Origin.TEXT, Span(0, len(text)), source=text
    )


@asynccontextmanager
async def translating(
    backend: FakeBackend,
    *,
    decode_again: bool = True,
    capacity: int = 100,
    least_score: float = -0.7,
) -> AsyncIterator[Translator]:
    queue = SegmentQueue("fake", backend, workers=1, batch_tokens=64, capacity=capacity)
    try:
        yield Translator(
            queue,
            backend,
            IDENTITY,
            beam_size=4,
            decode_again=decode_again,
            least_score=least_score,
        )
    finally:
        backend.gate.set()
        await queue.aclose()


async def translate(
    translator: Translator, texts: Sequence[str], timings: Timings | None = None
) -> list[Translation]:
    sentences = [sentence(text, index) for index, text in enumerate(texts)]
    plan = await translator.plan(sentences, Language.GERMAN, Ask())
    steps = translator.translate(plan, ask=Ask(), timings=timings or Timings())
    found = [translation async for translation in steps]
    return sorted(found, key=lambda t: t.sentence.index)


def kinds(translation: Translation) -> set[FindingKind]:
    return {finding.kind for finding in translation.findings}


GERMAN = "Der Minister sagte am Montag in Berlin, dass 12 Staaten zustimmten."
ENGLISH = "The minister said in Berlin on Monday that 12 states agreed."
WRONG = "The minister said in Berlin on Monday that 21 states agreed."


async def test_a_faithful_sentence_is_decoded_once() -> None:
    """A greedy result that passes every check is the translation."""
    backend = FakeBackend(lambda _: ENGLISH)

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [GERMAN])

    assert translation.text == ENGLISH
    assert translation.decoding is Decoding.GREEDY
    assert translation.score == pytest.approx(-0.1)
    assert translation.findings == ()
    assert backend.beams == [1]


async def test_a_failing_sentence_is_decoded_again_by_beam() -> None:
    """A wrong figure sends the sentence, alone, to a beam; its good result is kept."""
    replies = iter([WRONG, ENGLISH])
    backend = FakeBackend(lambda _: next(replies))
    timings = Timings()

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [GERMAN], timings)

    assert translation.text == ENGLISH
    assert translation.decoding is Decoding.BEAM
    assert translation.findings == ()
    assert backend.beams == [1, 4]
    assert set(timings.stages) == {"translate", "decode_again"}


async def test_what_still_fails_is_flagged() -> None:
    """If no method mends it, the lightest result stays, with its findings."""
    backend = FakeBackend(lambda _: WRONG)

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [GERMAN])

    assert translation.text == WRONG
    assert FindingKind.NUMBER_MISSING in kinds(translation)
    assert FindingKind.NUMBER_INVENTED in kinds(translation)


async def test_the_better_result_is_kept_whichever_came_first() -> None:
    """A beam that does worse than greedy search doesn't replace it."""
    replies = iter([WRONG, ""])
    backend = FakeBackend(lambda _: next(replies))

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [GERMAN])

    assert translation.text == WRONG
    assert translation.decoding is Decoding.GREEDY


async def test_a_long_failing_sentence_is_decoded_in_parts() -> None:
    """When the beam fails too, the parts of the sentence are decoded one by one."""
    first = "Der Minister sagte am Montag in Berlin vor vielen Gästen aus aller Welt,"
    second = "dass nach langen Verhandlungen am Ende 12 Staaten dem neuen Vertrag zustimmten."
    english = {
        first: "The minister said on Monday in Berlin before many guests from around the world",
        second: "that after long negotiations 12 states in the end agreed to the new treaty.",
    }
    backend = FakeBackend(lambda text: english.get(text, "The minister spoke."))

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [f"{first} {second}"])

    assert translation.decoding is Decoding.SPLIT
    assert translation.text == f"{english[first]} {english[second]}"
    assert translation.findings == ()


async def test_a_sentence_too_long_for_the_model_is_never_cut_off() -> None:
    """Every word reaches the model, in segments within its limit."""
    words = [f"wort{number}" for number in range(60)]
    backend = FakeBackend(str.upper, max_source_tokens=20)

    async with translating(backend, decode_again=False) as translator:
        (translation,) = await translate(translator, [" ".join(words)])

    seen = [word for batch in backend.history for segment in batch for word in segment.split()]
    assert sorted(seen) == sorted(words)
    assert all(len(segment.split()) <= 20 for batch in backend.history for segment in batch)
    assert translation.text.lower().split() == words
    assert translation.decoding is Decoding.SPLIT


async def test_output_cut_off_at_its_limit_is_flagged() -> None:
    """A reply that the model didn't end itself is a finding, however good it looks."""
    backend = FakeBackend(lambda _: Hypothesis(ENGLISH, -0.1, tokens=250, truncated=True))

    async with translating(backend) as translator:
        (translation,) = await translate(translator, [GERMAN])

    assert kinds(translation) == {FindingKind.TRUNCATED}


async def test_without_decoding_again_the_greedy_result_stands() -> None:
    """The setting turns the second decoding off; findings stay, and the signature says so."""
    backend = FakeBackend(lambda _: WRONG)

    async with translating(backend, decode_again=False) as translator:
        (translation,) = await translate(translator, [GERMAN])
        options = translator.options(reproducible=False)

    assert translation.decoding is Decoding.GREEDY
    assert translation.findings
    assert backend.beams == [1]
    assert options["again"] == "none"


async def test_each_model_has_its_own_bar_for_doubt() -> None:
    """What one model says so surely another says only where it is in doubt; the signature tells."""
    for least_score, doubtful in [(-0.7, False), (-0.01, True)]:
        backend = FakeBackend()
        async with translating(backend, least_score=least_score) as translator:
            text = "Eins zwei drei vier sechs sieben acht neun."
            [translation] = await translate(translator, [text])
            options = translator.options(reproducible=False)
        assert (FindingKind.LOW_SCORE in kinds(translation)) is doubtful
        assert options["again"] == f"beam4,split,doubt{least_score:g}"


async def test_each_sentence_comes_once() -> None:
    """Good and failing sentences mixed, each is given exactly once."""
    backend = FakeBackend(lambda text: text.replace("12", "21") if "zwei" in text else text)

    async with translating(backend) as translator:
        texts = [GERMAN, "Es gab zwei oder 12 Gäste.", GERMAN]
        translations = await translate(translator, texts)

    assert [t.sentence.index for t in translations] == [0, 1, 2]


async def test_a_full_queue_refuses_the_whole_request() -> None:
    """Admission is for all segments of a release at once, before any is run."""
    backend = FakeBackend(lambda _: ENGLISH)
    backend.gate.clear()

    async with translating(backend, capacity=2) as translator:
        calls = [asyncio.create_task(translate(translator, [GERMAN] * 20)) for _ in range(2)]
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
        assert [type(task.exception()) for task in done] == [QueueFull]
        backend.gate.set()
        results = await asyncio.gather(*calls, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["QueueFull", "list"]


async def test_leaving_early_stops_the_second_decoding() -> None:
    """A caller who goes away during the second decoding leaves nothing running."""
    backend = FakeBackend(lambda text: ENGLISH if text == GERMAN else WRONG)

    async with translating(backend) as translator:
        sentences = [sentence(GERMAN), sentence("Es kamen 12 Gäste.", 1)]
        plan = await translator.plan(sentences, Language.GERMAN, Ask())
        stream = translator.translate(plan, ask=Ask(), timings=Timings())
        async with aclosing(stream):
            await anext(stream)
        names = {task.get_coro().__name__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]

    assert "_again" not in names


def test_english_is_kept_as_it_is() -> None:
    """An English sentence is its own translation, with no score and nothing decoded."""
    translation = keep(sentence(ENGLISH))

    assert translation == Translation(sentence(ENGLISH), ENGLISH, None, Decoding.NONE)

"""Briefs whose key sentences a model writes, with fake models in an engine."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import DeadlineExceeded, FeatureUnavailable, QueueFull
from depesche.fidelity.abridged import check_abridged
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModel, LoadedModels
from depesche.models.store import ModelStore
from depesche.types import (
    SOURCES,
    Brief,
    BriefOptions,
    BriefSentence,
    Language,
    ModelIdentity,
    Release,
    SummaryStrategy,
)
from tests.support import SUMMARY, TRANSLATION, held, until

WRITER = ModelIdentity("summary", "bart", "1", "c" * 64, "int8", "MIT")
ENGLISH = [
    "The city of Cologne opened a new bridge across the Rhine on Monday.",
    "The construction of the bridge took three years and cost 12 million euros.",
    "Mayor Anna Schmidt praised the engineers of the Brown company.",
    "Traffic will be allowed across the bridge from next spring, the police announced.",
    "The old bridge was built in 1950 and will be torn down in the coming autumn.",
    "The European Union paid 40 percent of the costs of the new bridge.",
]
RELEASE = Release(" ".join(ENGLISH), language=Language.ENGLISH)
ABSTRACTIVE = BriefOptions(sentence_count=3, strategy=SummaryStrategy.ABSTRACTIVE)
REPRODUCIBLE = replace(ABSTRACTIVE, reproducible=True)

Write = Callable[[str], str | Hypothesis]


def writes(*sentences: str) -> Write:
    """A summary model that always writes these."""
    return lambda _: " ".join(sentences)


@asynccontextmanager
async def engine(
    write: Write | None, *, usual: str = "bart", longest: int = 1000, capacity: int = 1000
) -> AsyncIterator[tuple[Engine, FakeBackend]]:
    """Run an engine with a summary model that writes so; or without one."""
    translator = FakeBackend()
    writer = FakeBackend(write or str, max_source_tokens=longest)
    decoding = "beam4,penalty2,min5,max20,ngram3"
    writers = {"bart": LoadedModel(writer, WRITER, frozenset({Language.ENGLISH}), decoding)}

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(
            FakeEncoder(),
            SUMMARY,
            {"embedded": LoadedModel(translator, TRANSLATION, frozenset(SOURCES))},
            dict.fromkeys(SOURCES, "embedded"),
            writers if write else {},
            usual if write else "",
        )

    running = await Engine.load(Settings(workers=1, queue_segments=capacity), loader=load)
    writer.history.clear()
    try:
        yield running, writer
    finally:
        await running.aclose()


def waiting(running: Engine) -> int:
    """Count the segments that wait before the summary model."""
    return sum(running.statistics()["bart"].segments.values())


@asynccontextmanager
async def busy() -> AsyncIterator[Engine]:
    """Run an engine with a full queue before its summary model.

    That holds the one place of the CPU too: what is chosen then waits for it until its deadline.
    """
    async with engine(writes("The EU paid 40 percent."), capacity=1) as (running, writer):
        with held(writer):
            begun = writer.begun
            first = asyncio.create_task(running.brief(RELEASE, ABSTRACTIVE))
            await until(lambda: writer.begun > begun)
            second = asyncio.create_task(running.brief(RELEASE, ABSTRACTIVE))
            await until(lambda: waiting(running) == 1)
            yield running
        await asyncio.gather(first, second)


async def briefed(write: Write, options: BriefOptions = ABSTRACTIVE, **more: int) -> Brief:
    async with engine(write, **more) as (running, _):
        return await running.brief(RELEASE, options)


def shown(brief: Brief) -> list[tuple[str, tuple[int, ...], str]]:
    return [(s.text, s.sources, s.strategy.value) for s in brief.key_sentences]


async def test_sentences_of_the_models_own() -> None:
    """With what they rest on, in document order, and both models in the signature."""
    brief = await briefed(
        writes(
            "The Rhine bridge in Cologne took three years and cost 12 million euros .",
            "The European Union paid 40 percent.",
            "Traffic is allowed from spring, police announced.",
        )
    )

    assert shown(brief) == [
        (
            "The Rhine bridge in Cologne took three years and cost 12 million euros.",
            (0, 1),
            "abstractive",
        ),
        ("Traffic is allowed from spring, police announced.", (3,), "abstractive"),
        ("The European Union paid 40 percent.", (5,), "abstractive"),
    ]
    assert [model.name for model in brief.signature.models] == ["bart", "minilm"]
    assert brief.signature.options["strategy"] == "abstractive,extractive"
    assert brief.signature.options["chunk"] == "1000"
    assert brief.signature.options["writing"] == "beam4,penalty2,min5,max20,ngram3"
    assert brief.signature.options["batch"].startswith("shared,")
    assert [model.licence for model in brief.signature.models] == ["MIT", "Apache-2.0"]
    assert "summarise" in brief.timings.stages


async def test_what_fails_falls_back_sentence_by_sentence() -> None:
    """To the sentence that it is most like; the others stay."""
    brief = await briefed(
        writes(
            "The construction of the bridge took three years and cost 13 million euros.",
            "The European Union paid 40 percent of the costs.",
            "Merkel praised the engineers of the Brown company.",
        )
    )

    assert shown(brief) == [
        (ENGLISH[1], (1,), "extractive"),
        (ENGLISH[2], (2,), "extractive"),
        ("The European Union paid 40 percent of the costs.", (5,), "abstractive"),
    ]


async def test_a_passage_from_elsewhere_is_an_error() -> None:
    """Though it holds neither figure nor name; what the rest is most like takes its place."""
    brief = await briefed(
        writes(
            "Traffic will be allowed across the bridge from next spring, while frozen wheat was"
            " harvested by hungry farmers."
        )
    )
    assert (ENGLISH[3], (3,), "extractive") in shown(brief)
    assert "abstractive" not in [strategy for _, _, strategy in shown(brief)]


async def test_what_nothing_explains_is_replaced() -> None:
    """By the best of the translation's sentences."""
    brief = await briefed(writes("Scientists found unknown species of fish near Antarctica."))

    assert [strategy for _, _, strategy in shown(brief)] == ["extractive"] * 3
    assert len({sources for _, sources, _ in shown(brief)}) == 3


@pytest.mark.parametrize(
    "fault",
    [
        "European Union costs",
        "Did the European Union pay 40 percent of the costs of the bridge?",
        "The European Union paid 40 percent \ufffd of the costs.",
    ],
)
async def test_fragments_are_replaced(fault: str) -> None:
    """Whatever they rest on."""
    brief = await briefed(writes(fault))
    assert [strategy for _, _, strategy in shown(brief)] == ["extractive"] * 3


async def test_few_sentences_are_filled_up() -> None:
    """With what they don't rest on; many are chosen from."""
    few = await briefed(writes("The European Union paid 40 percent of the costs."))
    assert [s for _, _, s in shown(few)].count("abstractive") == 1
    assert len(few.key_sentences) == 3
    assert [sources for _, sources, _ in shown(few)].count((5,)) == 1

    many = await briefed(writes(*ENGLISH))
    assert len(many.key_sentences) == 3


async def test_a_sentence_is_never_said_twice() -> None:
    """However often the model writes it."""
    brief = await briefed(writes(*["The European Union paid 40 percent."] * 5, ENGLISH[5]))
    assert [sources for _, sources, _ in shown(brief)].count((5,)) == 1


async def test_findings_of_the_translation_are_the_summarys_too() -> None:
    """A sentence that rests on a doubtful one says so; one on a wrong one isn't taken."""
    german = (
        "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet. Der Bau dauerte"
        " drei Jahre und kostete 12 Millionen Euro. Die Europäische Union zahlte 40 Prozent der"
        " Kosten. Der Verkehr soll im Frühjahr rollen, wie die Polizei nun mitteilte."
    )
    english = {
        "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet.": (
            "The city of Cologne opened a new bridge across the Rhine on Monday."
        ),
        "Der Bau dauerte drei Jahre und kostete 12 Millionen Euro.": (
            "Construction took three years and cost 21 million euros."
        ),
        "Die Europäische Union zahlte 40 Prozent der Kosten.": (
            "The European Union paid 40 percent of the costs."
        ),
        "Der Verkehr soll im Frühjahr rollen, wie die Polizei nun mitteilte.": (
            "Traffic is to flow in spring, as the police have now announced."
        ),
    }
    translator = FakeBackend(lambda text: english.get(text, text))
    writer = FakeBackend(
        writes(
            "Construction cost 21 million euros and took three years.", "The EU paid 40 percent."
        )
    )

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(
            FakeEncoder(),
            SUMMARY,
            {"embedded": LoadedModel(translator, TRANSLATION, frozenset(SOURCES))},
            dict.fromkeys(SOURCES, "embedded"),
            {"bart": LoadedModel(writer, WRITER, frozenset({Language.ENGLISH}))},
            "bart",
        )

    running = await Engine.load(Settings(workers=1, decode_again=False), loader=load)
    brief = await running.brief(Release(german), ABSTRACTIVE)
    await running.aclose()

    assert "21" not in writer.history[-1][0], "what is wrong isn't summed up"
    assert not any("21 million" in sentence.text for sentence in brief.key_sentences)
    assert any(s.strategy is SummaryStrategy.ABSTRACTIVE for s in brief.key_sentences)


async def test_a_short_release_is_left_as_it_is() -> None:
    """There is nothing to leave out, and the model isn't asked."""
    async with engine(writes("Something else.")) as (running, writer):
        short = Release(" ".join(ENGLISH[:3]), language=Language.ENGLISH)
        brief = await running.brief(short, ABSTRACTIVE)

    assert [sentence.text for sentence in brief.key_sentences] == ENGLISH[:3]
    assert not writer.history


async def test_chunks_respect_the_models_limit() -> None:
    """They are of about the same length, and together hold the text."""
    async with engine(writes("A bridge."), longest=30) as (running, writer):
        await running.brief(RELEASE, ABSTRACTIVE)
    chunks = [text for batch in writer.history for text in batch]

    assert all(len(chunk.split()) <= 30 for chunk in chunks)
    chunks.sort(key=RELEASE.text.index)
    assert " ".join(chunks) == RELEASE.text
    assert len(chunks) == 3


async def test_a_sentence_longer_than_the_model_reads() -> None:
    """Is left out of what it reads, and may still be chosen."""
    long = "The council of the city " + "and of the county " * 20 + "met on Friday to debate it."
    async with engine(writes("A bridge."), longest=30) as (running, writer):
        release = Release(f"{RELEASE.text} {long}", language=Language.ENGLISH)
        await running.brief(release, ABSTRACTIVE)

    assert not any("county" in text for batch in writer.history for text in batch)


async def test_an_output_that_was_cut_off() -> None:
    """Its last sentence isn't taken for a whole one."""
    cut = Hypothesis("The European Union paid. Traffic will be", -0.1, 8, truncated=True)
    brief = await briefed(lambda _: cut)
    assert not any(s.text[-7:] == "will be" for s in brief.key_sentences)


class TestNames:
    async def test_an_unknown_model(self) -> None:
        """The error names those that are loaded."""
        async with engine(writes("A.")) as (running, _):
            with pytest.raises(FeatureUnavailable, match=r"options\.summary_model: must be one of"):
                await running.brief(
                    RELEASE, BriefOptions(3, SummaryStrategy.ABSTRACTIVE, summary_model="t5")
                )

    async def test_none_is_loaded(self) -> None:
        """The error names the option."""
        async with engine(None) as (running, _):
            with pytest.raises(
                FeatureUnavailable,
                match=r"options\.strategy: no usual model.*DEPESCHE_ABSTRACTIVE_MODEL",
            ):
                await running.brief(RELEASE, ABSTRACTIVE)
            with pytest.raises(FeatureUnavailable, match=r"options\.summary_model: none is loaded"):
                await running.brief(
                    RELEASE, BriefOptions(3, SummaryStrategy.ABSTRACTIVE, summary_model="t5")
                )

    async def test_one_that_only_requests_name(self) -> None:
        """It needn't be the usual one."""
        async with engine(writes("The European Union paid 40 percent."), usual="") as (running, _):
            with pytest.raises(FeatureUnavailable, match="may name bart"):
                await running.brief(RELEASE, ABSTRACTIVE)
            named = BriefOptions(3, SummaryStrategy.ABSTRACTIVE, summary_model="bart")
            brief = await running.brief(RELEASE, named)
        assert "abstractive" in [s for _, _, s in shown(brief)]


async def test_without_time_the_sentences_are_chosen() -> None:
    """And the signature says so; the model's late output harms nobody."""
    async with engine(writes("The European Union paid 40 percent.")) as (running, writer):
        with held(writer):
            brief = await running.brief(RELEASE, ABSTRACTIVE, deadline=time.monotonic() + 1.0)
        assert [s for _, _, s in shown(brief)] == ["extractive"] * 3
        assert brief.signature.options["strategy"] == "extractive"
        assert [model.name for model in brief.signature.models] == ["minilm"]
        again = await running.brief(RELEASE, ABSTRACTIVE)
    assert "abstractive" in [s for _, _, s in shown(again)]


async def test_a_reproducible_brief_is_never_another() -> None:
    """It fails for want of time, rather than come out in another way."""
    async with engine(writes("The European Union paid 40 percent.")) as (running, writer):
        with held(writer), pytest.raises(DeadlineExceeded):
            await running.brief(RELEASE, REPRODUCIBLE, deadline=time.monotonic() + 1.0)


async def test_a_reproducible_brief_says_how_it_was_batched() -> None:
    """Also of English, of which nothing is translated."""
    brief = await briefed(writes("The European Union paid 40 percent."), REPRODUCIBLE)
    assert brief.signature.options["batch"].startswith("release,")


async def test_a_reproducible_brief_is_refused_at_the_door() -> None:
    """Where the summary model's queue is full; unless it may be incomplete."""
    async with busy() as running:
        with pytest.raises(QueueFull):
            await running.brief(RELEASE, REPRODUCIBLE)
        partial = replace(REPRODUCIBLE, allow_incomplete=True)
        brief = await running.brief(RELEASE, partial, deadline=time.monotonic() + 1.0)
    assert [s for _, _, s in shown(brief)] == ["extractive"] * 3


@pytest.mark.parametrize("allow_incomplete", [False, True])
async def test_where_the_queue_is_full_the_sentences_are_chosen(*, allow_incomplete: bool) -> None:
    """As each of them and the signature say."""
    async with busy() as running:
        options = replace(ABSTRACTIVE, allow_incomplete=allow_incomplete)
        brief = await running.brief(RELEASE, options, deadline=time.monotonic() + 1.0)
        left = waiting(running)
    assert [s for _, _, s in shown(brief)] == ["extractive"] * 3
    assert brief.signature.options["strategy"] == "extractive"
    assert left == 1, "it left nothing behind"


async def test_a_summary_has_a_deadline_too() -> None:
    """Without time for the model, `summarise` chooses."""
    async with engine(writes("The European Union paid 40 percent.")) as (running, writer):
        with held(writer):
            summary = await running.summarise(RELEASE, ABSTRACTIVE, deadline=time.monotonic() + 1.0)
    assert [s.strategy for s in summary.sentences] == [SummaryStrategy.EXTRACTIVE] * 3


async def test_a_cancelled_brief_leaves_nothing() -> None:
    """Its room is free again."""
    async with engine(writes("The European Union paid 40 percent.")) as (running, writer):
        with held(writer):
            task = asyncio.create_task(running.brief(RELEASE, ABSTRACTIVE))
            await until(lambda: writer.begun > 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not running.statistics()["bart"].segments
        assert await running.brief(RELEASE, ABSTRACTIVE)


async def test_summaries_of_english() -> None:
    """`summarise` gives the same, with the places of what the sentences rest on."""
    async with engine(writes("The Rhine bridge in Cologne cost 12 million euros.")) as (running, _):
        summary = await running.summarise(RELEASE, ABSTRACTIVE)
    (written,) = [s for s in summary.sentences if s.strategy is SummaryStrategy.ABSTRACTIVE]

    assert [summary.text[i].source for i in written.sources] == ENGLISH[:2]


_WORDS = sorted({word for sentence in ENGLISH for word in re.findall(r"\w+|[.,]", sentence)})
_FOREIGN = ("1", "77", "Moscow", '"', "not")
_PARTS = st.lists(
    st.one_of(
        st.sampled_from(ENGLISH),
        st.lists(st.sampled_from([*_WORDS, "1", "77", "Moscow", '"', "not"]), max_size=25).map(
            " ".join
        ),
        st.sampled_from(
            [
                "Die Stadt Köln zahlte 12 Millionen Euro für die neue Brücke am Rhein.",
                "ស្ពានថ្មីឆ្លងកាត់ទន្លេនឹងបើកឱ្យប្រើប្រាស់នៅឆ្នាំក្រោយ។",
                "the bridge " * 60,
                " and ".join(ENGLISH * 3),
                "The bridge cost 1,200 million euros in 1951, 4 percent of 12.5 billion.",
                "The bridge took thirty-three years and was built in 1950 by half the police.",
            ]
        ),
        st.text(max_size=80),
    ),
    max_size=8,
)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBER_WORD = re.compile(r"\b(?:two|three|twelve|thirty|half|third|million|billion)\b")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_PARTS)
def test_whatever_the_model_writes_the_brief_holds(parts: list[str]) -> None:
    """Its sentences rest on sentences of the release and add nothing to them; none comes twice."""
    brief = asyncio.run(briefed(writes(*parts)))

    assert len(brief.key_sentences) == 3
    for sentence in brief.key_sentences:
        _holds(sentence)
    firsts = [s.text for s in brief.key_sentences]
    assert len(set(firsts)) == len(firsts)


def _holds(sentence: BriefSentence) -> None:
    assert sentence.sources
    source = " ".join(ENGLISH[i] for i in sentence.sources)
    if sentence.strategy is SummaryStrategy.EXTRACTIVE:
        assert sentence.text == source
        return
    assert not check_abridged(source, sentence.text)
    # By means of their own: these must hold whatever the checks can read.
    for pattern in (_FIGURE, _NUMBER_WORD):
        assert set(pattern.findall(sentence.text.lower())) <= set(pattern.findall(source.lower()))

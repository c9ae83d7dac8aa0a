import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import DeadlineExceeded, FeatureUnavailable, InvalidRequest
from depesche.inference.fake import FakeBackend
from depesche.types import (
    BlockKind,
    Brief,
    BriefOptions,
    ContentFormat,
    Decoding,
    Language,
    Origin,
    Release,
    SummaryStrategy,
    Translation,
)
from tests.support import SUMMARY, TRANSLATION, dictionary, fake_loader, slow_down

GERMAN = {
    "Neue Brücke über den Rhein eröffnet": "New bridge over the Rhine opened",
    "Die Stadt Köln hat am Montag eine neue Brücke eröffnet.": (
        "The city of Cologne opened a new bridge on Monday."
    ),
    "Die Baukosten betrugen 12 Millionen Euro.": "Construction cost 12 million euros.",
    "Der Bau der Brücke dauerte drei Jahre.": "Building the bridge took three years.",
    "Die Stadt dankt allen Anwohnern für ihre Geduld.": (
        "The city thanks all residents for their patience."
    ),
}
TITLE, *BODY = GERMAN
TEXT = f"{BODY[0]} {BODY[1]}\r\n\r\n{BODY[2]} {BODY[3]}\r\n"


async def brief(
    release: Release, options: BriefOptions | None = None, settings: Settings | None = None
) -> Brief:
    loader = fake_loader(FakeBackend(dictionary(GERMAN)))
    engine = await Engine.load(settings or Settings(), loader=loader)
    try:
        return await engine.brief(release, options or BriefOptions())
    finally:
        await engine.aclose()


async def test_a_brief_holds_headline_key_sentences_and_full_translation() -> None:
    """A release becomes a brief whose every sentence is English and has its source."""
    result = await brief(Release(TEXT, title=TITLE), BriefOptions(sentence_count=2))

    assert result.detection.language is Language.GERMAN
    assert result.headline.text == GERMAN[TITLE]
    assert [t.text for t in result.translations] == list(GERMAN.values())
    assert len(result.key_sentences) == 2
    assert {s.text for s in result.key_sentences} <= set(GERMAN.values())


async def test_sources_are_exact_in_the_text_as_sent() -> None:
    """Each span cuts the source sentence out of the request's own field, CRLF and all."""
    release = Release("\ufeff" + TEXT.replace("ü", "u\u0308"), title=TITLE)

    result = await brief(release)

    fields = {Origin.TEXT: release.text, Origin.TITLE: release.title}
    for translation in result.translations:
        sentence = translation.sentence
        raw = fields[sentence.origin][sentence.span.start : sentence.span.end]
        assert raw == sentence.source
    assert [t.text for t in result.translations] == list(GERMAN.values())


async def test_key_sentences_stand_in_document_order() -> None:
    """Whatever ranks first, the brief reads in the release's order."""
    result = await brief(Release(TEXT), BriefOptions(sentence_count=4))

    places = [source for sentence in result.key_sentences for source in sentence.sources]
    assert places == sorted(places)
    assert len(places) == 4


async def test_without_a_title_the_lead_makes_the_headline() -> None:
    """The first sentence, less its full stop, is the headline, and points at its source."""
    result = await brief(Release(TEXT))

    assert result.headline.text == "The city of Cologne opened a new bridge on Monday"
    assert result.headline.sources == (0,)


async def test_a_title_is_no_key_sentence() -> None:
    """Only the body's sentences are chosen, however alike the title is to all of them."""
    result = await brief(Release(TEXT, title=TITLE), BriefOptions(sentence_count=4))

    kinds = {result.translations[i].sentence.kind for s in result.key_sentences for i in s.sources}
    assert kinds == {BlockKind.PARAGRAPH}


async def test_english_is_briefed_without_translation() -> None:
    """An English release has its own words in the brief, and no translation model signs it."""
    english = " ".join(list(GERMAN.values())[1:])

    result = await brief(Release(english))

    assert result.detection.language is Language.ENGLISH
    assert {t.decoding for t in result.translations} == {Decoding.NONE}
    assert [model.task for model in result.signature.models] == ["summary"]


async def test_the_signature_names_what_shaped_the_brief() -> None:
    """Models, splitter, service and options are in it, and it fits on one line."""
    signature = (await brief(Release(TEXT))).signature

    assert signature.models == (TRANSLATION, SUMMARY)
    assert signature.options["sentences"] == "3"
    assert str(signature).count("\n") == 0
    assert "translation:embedded@1|sha256:aaaaaaaaaaaa" in str(signature)


async def test_a_sentence_with_findings_gives_way_to_a_sound_one() -> None:
    """The brief prefers sentences that passed the checks."""
    loader = fake_loader(FakeBackend(dictionary(GERMAN | {BODY[1]: "It cost 21 million euros."})))
    engine = await Engine.load(Settings(), loader=loader)

    result = await engine.brief(Release(TEXT), BriefOptions(sentence_count=3))
    await engine.aclose()

    assert result.translations[1].findings
    assert all(sentence.sources != (1,) for sentence in result.key_sentences)


async def test_the_stream_tells_each_step_once() -> None:
    """First the start with the number of sentences, then each of them, then the brief."""
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend(dictionary(GERMAN))))

    events = [event async for event in engine.stream(Release(TEXT), BriefOptions())]
    await engine.aclose()

    started, *sentences, last = events
    assert isinstance(last, Brief)
    assert all(isinstance(event, Translation) for event in sentences)
    assert getattr(started, "sentence_count", None) == len(sentences) == 4


@pytest.mark.parametrize(
    ("release", "options", "error", "field"),
    [
        (Release(" "), BriefOptions(), InvalidRequest, "release.text"),
        (Release("***"), BriefOptions(), InvalidRequest, "release.text"),
        (
            Release("<nav>Menü</nav>", ContentFormat.HTML),
            BriefOptions(),
            InvalidRequest,
            "release.text",
        ),
        (Release(TEXT), BriefOptions(sentence_count=0), InvalidRequest, "options.sentence_count"),
        (
            Release(TEXT),
            BriefOptions(strategy=SummaryStrategy.ABSTRACTIVE),
            FeatureUnavailable,
            "options.strategy",
        ),
        (
            Release("Ja. " * 30, language=Language.GERMAN),
            BriefOptions(),
            InvalidRequest,
            "release.text",
        ),
    ],
)
async def test_bad_requests_name_the_field(
    release: Release, options: BriefOptions, error: type[InvalidRequest], field: str
) -> None:
    """A request that can't be served is refused by name, and nothing is guessed."""
    with pytest.raises(error) as refused:
        await brief(release, options, Settings(max_sentences=20))

    assert field in [violation.field for violation in refused.value.violations]


async def test_lines_keep_their_numbers() -> None:
    """In lines, each sentence's block is its line, blank lines counted."""
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend(dictionary(GERMAN))))
    text = f"{BODY[0]}\n\n{BODY[1]} {BODY[2]}\n"

    result = await engine.translate(Release(text, ContentFormat.LINES, language=Language.GERMAN))
    await engine.aclose()

    assert [t.sentence.block for t in result.translations] == [0, 2, 2]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (TEXT, Language.ENGLISH),
        (TEXT, Language.RUSSIAN),
        ("Город открыл новый мост через реку в понедельник.", Language.GERMAN),
    ],
)
async def test_a_language_named_wrongly_is_refused(text: str, named: Language) -> None:
    """A text that plainly isn't in the language that the caller names is not translated as it."""
    with pytest.raises(InvalidRequest, match=r"release\.language"):
        await brief(Release(text, language=named))


async def test_bylines_and_datelines_are_translated_and_never_chosen() -> None:
    """Nothing of a release is lost, and only its body is briefed."""
    text = f"Köln, 3. März 2025 – {BODY[0]} {BODY[1]}\n\n{BODY[2]}\n\nKontakt: presse@example.org"

    result = await brief(Release(text), BriefOptions(sentence_count=10))

    kinds = [t.sentence.kind for t in result.translations]
    assert kinds[0] is BlockKind.DATELINE
    assert kinds[-1] is BlockKind.BYLINE
    chosen = {kinds[i] for sentence in result.key_sentences for i in sentence.sources}
    assert chosen == {BlockKind.PARAGRAPH}


ALLOWED = BriefOptions(allow_incomplete=True)
WRONG = {BODY[1]: "Construction cost 21 million euros."}
LONG = f"Die Stadt dankt {'sehr ' * 90}allen Anwohnern."


class Stuck(FakeBackend):
    """A backend that doesn't come back from the n-th decoding of a segment until it is freed."""

    def __init__(self, english: dict[str, str], text: str = "", nth: int = 1) -> None:
        super().__init__(self._translate)
        self.freed = threading.Event()
        self._english = english
        self._stop = (text, nth)
        self._seen = Counter[str]()

    def _translate(self, text: str) -> str:
        self._seen[text] += 1
        if (text, self._seen[text]) == self._stop:
            self.freed.wait()
        return self._english.get(text, text)


@asynccontextmanager
async def briefing(backend: Stuck) -> AsyncIterator[Engine]:
    """Give an engine that decodes one segment after another."""
    settings = Settings(workers=1, batch_tokens=1)
    engine = await Engine.load(settings, loader=fake_loader(backend))
    slow_down(engine)
    try:
        yield engine
    finally:
        backend.freed.set()
        await engine.aclose()


async def test_what_the_deadline_leaves_is_told() -> None:
    """Where a caller allows it, the brief is made of what is done, while the model is busy."""
    release = Release(TEXT)
    deadline = time.monotonic() + 1.5
    async with briefing(Stuck(GERMAN, BODY[2])) as engine:
        result = await engine.brief(release, ALLOWED, deadline=deadline)
        left = deadline - time.monotonic()

    (missing,) = result.missing
    assert left > 0
    assert missing.source == BODY[2] == TEXT[missing.span.start : missing.span.end]
    assert [t.sentence.index for t in result.translations] == [0, 1, 3]
    assert {i for s in result.key_sentences for i in s.sources} <= {0, 1, 3}


async def test_a_long_release_has_time_to_be_translated() -> None:
    """What a summary of all its sentences would take isn't kept from a deadline that is near."""
    sentences = [f"Das Museum zeigt im Saal {n} neue Bilder aus Köln." for n in range(200)]
    async with briefing(Stuck({})) as engine:
        deadline = time.monotonic() + 3  # as much as those seconds alone
        result = await engine.brief(Release(" ".join(sentences)), ALLOWED, deadline=deadline)

    assert result.translations


async def test_nothing_done_is_no_brief() -> None:
    """If the deadline comes before the first sentence is done, the call fails with it."""
    async with briefing(Stuck(GERMAN, BODY[0])) as engine:
        with pytest.raises(DeadlineExceeded):
            await engine.brief(Release(BODY[0]), ALLOWED, deadline=time.monotonic() + 0.8)


async def test_a_sentence_that_was_to_be_decoded_again_stays_as_it_is() -> None:
    """The deadline cuts the second decoding short: the first one counts, with its findings."""
    async with briefing(Stuck(GERMAN | WRONG, BODY[1], nth=2)) as engine:
        result = await engine.brief(Release(TEXT), ALLOWED, deadline=time.monotonic() + 1.5)

    assert result.missing == ()
    assert result.translations[1].text == WRONG[BODY[1]]
    assert result.translations[1].decoding is Decoding.GREEDY
    assert result.translations[1].findings


async def test_a_sentence_too_long_for_the_time_is_left_out() -> None:
    """What can't be decoded in time isn't begun, and takes nothing with it that can."""
    release = Release(f"{BODY[0]} {LONG}")
    async with briefing(Stuck(GERMAN)) as engine:
        result = await engine.brief(release, ALLOWED, deadline=time.monotonic() + 1.2)
        with pytest.raises(DeadlineExceeded):
            await engine.brief(release, BriefOptions(), deadline=time.monotonic() + 1.2)

    assert [t.text for t in result.translations] == [GERMAN[BODY[0]]]
    assert [sentence.source for sentence in result.missing] == [LONG]


@pytest.mark.parametrize("options", [ALLOWED, BriefOptions()])
async def test_no_time_for_a_second_decoding_leaves_the_first(options: BriefOptions) -> None:
    """A beam that can't end in time by the measured rate isn't begun; the brief is whole."""
    english = GERMAN | {LONG: "The city thanks 12 residents."}
    release, backend = Release(f"{BODY[0]} {LONG}"), Stuck(english)
    async with briefing(backend) as engine:
        result = await engine.brief(release, options, deadline=time.monotonic() + 3)

    assert set(backend.beams) == {1}
    assert result.missing == ()
    assert result.translations[1].text == english[LONG]
    assert result.translations[1].decoding is Decoding.GREEDY


async def test_no_time_for_a_second_decoding_fails_a_reproducible_brief() -> None:
    """It would be another brief than the same release gives with more time."""
    english = GERMAN | {LONG: "The city thanks 12 residents."}
    options = BriefOptions(reproducible=True)
    release = Release(f"{BODY[0]} {LONG}")
    async with briefing(Stuck(english)) as engine:
        with pytest.raises(DeadlineExceeded):
            await engine.brief(release, options, deadline=time.monotonic() + 3)

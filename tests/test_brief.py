import pytest

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import FeatureUnavailable, InvalidRequest
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
from tests.support import SUMMARY, TRANSLATION, dictionary, fake_loader

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

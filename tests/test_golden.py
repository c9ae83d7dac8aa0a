"""The embedded models on the example releases: facts, not words."""

from collections.abc import AsyncIterator

import pytest

from depesche.config import Settings
from depesche.engine import Engine
from depesche.types import Brief, BriefOptions, ContentFormat, Origin, Release
from tests.facts import Example, Fact, load_examples

# The long one is the same language again, and takes half a minute.
EXAMPLES = [example for example in load_examples() if example.name != "de-long"]

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = await Engine.load(Settings())
    yield engine
    await engine.aclose()


def english(brief: Brief, fact: Fact) -> str:
    if fact.where == "brief":
        return "\n".join([brief.headline.text, *(s.text for s in brief.key_sentences)])
    return "\n".join(translation.text for translation in brief.translations)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_the_english_holds_the_facts(engine: Engine, example: Example) -> None:
    """A brief of each example holds its required facts, and points back exactly."""
    is_html = example.path.suffix == ".html"
    content_format = ContentFormat.HTML if is_html else ContentFormat.PLAIN
    release = Release(example.path.read_text(encoding="utf-8"), content_format)

    brief = await engine.brief(release, BriefOptions(reproducible=True))

    missing = [f.any_of[0] for f in example.facts if f.required and not f.holds(english(brief, f))]
    assert missing == []
    assert len(brief.key_sentences) == 3
    for translation in brief.translations:
        sentence = translation.sentence
        assert sentence.origin is Origin.TEXT
        assert release.text[sentence.span.start : sentence.span.end] == sentence.source
    places = [index for sentence in brief.key_sentences for index in sentence.sources]
    assert places == sorted(places)

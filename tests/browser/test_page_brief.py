"""From a release to its brief, and from each sentence to its source and back."""

import asyncio
import threading

import pytest
from playwright.sync_api import Browser, expect

from depesche.v1 import types_pb2
from tests.browser.newsroom import event, newsroom, page_before, started, translated
from tests.browser.support import EXAMPLES, RELEASE, Desk, desk, hosted
from tests.support import held
from tests.web.support import Context, replies, scripted

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("language", "named", "words"),
    [
        ("de", "German", "Russia"),
        ("ru", "Russian", "ministry"),
        ("km", "Khmer", "Cambodia"),
    ],
)
def test_the_examples_by_the_real_model(real: Desk, language: str, named: str, words: str) -> None:
    """Each bundled release becomes a brief whose sentences lead to their sources."""
    real.brief((EXAMPLES / f"release.{language}.txt").read_text("utf-8"))

    expect(real.page.locator("#facts")).to_contain_text(named)
    expect(real.page.locator(".points > .point")).to_have_count(3)
    expect(real.page.locator("#brief")).to_contain_text(words, ignore_case=True)
    rows = real.page.locator(".row")
    assert rows.locator(".english .sentence").count() == rows.locator(".original .sentence").count()
    assert rows.first.locator(".original").get_attribute("lang") == language
    for place in ("headline", 0, 1, 2):
        real.sentence("b", place).click()
        marked = real.marked()
        originals = {each for each in marked if each.startswith("o-")}
        assert originals
        assert marked >= {each.replace("o-", "t-") for each in originals}
        for each in originals:
            expect(real.page.locator(f"#{each}")).to_be_in_viewport()


def test_sentences_come_one_by_one(browser: Browser) -> None:
    """While the model is at work the page tells how far it is, and shows what has come."""
    with hosted(lambda: newsroom(decode_again=False)) as service:
        backend = service.value.backend
        with desk(browser, service.value.url) as editor:
            with held(backend):
                editor.send(RELEASE)
                editor.shows("working")
                expect(editor.page.locator("#progress-label")).to_have_text(
                    "Translating: 0 of 4 sentences"
                )
                assert editor.page.locator("progress").get_attribute("max") == "4"
            editor.shows("done")
            expect(editor.page.locator(".english .sentence")).to_have_count(4)


def test_english_is_shown_beside_itself(fake: Desk) -> None:
    """A release in English is briefed as it is."""
    fake.brief(
        "The city opened a new bridge across the river on Monday after many years of work. "
        "It cost 12 million euros and is 400 metres long."
    )

    expect(fake.page.locator("#facts")).to_contain_text("English")
    expect(fake.sentence("t", 1)).to_contain_text("It cost 12 million euros")


def test_from_the_brief_to_its_source_by_mouse(fake: Desk) -> None:
    """A click marks the English and the original behind a sentence; a second one unmarks."""
    fake.brief()

    fake.sentence("b", 1).click()
    assert fake.marked() == {"b-1", "t-2", "o-2"}
    expect(fake.sentence("o", 2)).to_contain_text("12 Millionen Euro")
    fake.sentence("b", 1).click()
    assert fake.marked() == set()


def test_from_a_source_to_the_brief_by_mouse(fake: Desk) -> None:
    """A click on an original or its English marks what of the brief rests on it."""
    fake.brief()

    fake.sentence("o", 3).click()
    assert fake.marked() == {"b-2", "t-3", "o-3"}
    fake.sentence("t", 0).click()
    assert fake.marked() == {"b-headline", "t-0", "o-0"}


def test_by_keyboard(fake: Desk) -> None:
    """Enter marks, arrows walk down a side and across to the source, Escape clears."""
    fake.brief()
    keys = fake.page.keyboard
    assert fake.focused() == "b-headline"

    keys.press("ArrowDown")
    assert (fake.focused(), fake.marked()) == ("b-0", set())
    keys.press("Enter")
    assert fake.marked() == {"b-0", "t-1", "o-1"}
    keys.press("ArrowDown")
    assert (fake.focused(), fake.marked()) == ("b-1", {"b-1", "t-2", "o-2"})
    keys.press("ArrowRight")
    assert fake.focused() == "t-2"
    keys.press("ArrowRight")
    assert fake.focused() == "o-2"
    keys.press("Escape")
    assert (fake.focused(), fake.marked()) == ("o-2", set())
    keys.press("ArrowDown")
    keys.press("Space")
    assert fake.marked() == {"b-2", "t-3", "o-3"}
    keys.press("Home")
    assert fake.focused() == "o-0"
    keys.press("End")
    assert fake.focused() == "o-3"


def test_what_is_marked_comes_into_view(real: Desk) -> None:
    """In a long release the source of a sentence is scrolled to, and the way back leads up."""
    real.page.set_viewport_size({"width": 1280, "height": 500})
    real.brief((EXAMPLES / "release.ru.txt").read_text("utf-8"))
    last = real.page.locator(".original .sentence").last
    expect(last).not_to_be_in_viewport()

    real.sentence("t", 0).focus()
    real.page.keyboard.press("End")
    expect(real.page.locator(".english .sentence").last).to_be_in_viewport()
    real.sentence("b", "headline").click()
    expect(real.sentence("o", 0)).to_be_in_viewport()


def test_those_who_hear_the_page_learn_the_source(fake: Desk) -> None:
    """A sentence is described by its original, and by what the checks found."""
    fake.brief()

    described = fake.sentence("b", 1).get_attribute("aria-describedby")
    assert described == "f-1 o-2"
    expect(fake.page.locator("#f-1")).to_contain_text("12 Millionen Euro")
    assert fake.sentence("t", 2).get_attribute("aria-describedby") == "o-2 n-2"
    expect(fake.page.get_by_role("status")).to_have_text("The brief is ready. 1 sentence to check")


def test_cancelling_ends_the_work_of_the_service(browser: Browser) -> None:
    """The call is gone there, not only its signs here."""
    ended = threading.Event()

    async def stream(request: bytes, context: Context) -> None:
        try:
            await replies(event(started=started(2)))(request, context)
            await asyncio.Event().wait()
        finally:
            ended.set()

    with (
        hosted(lambda: scripted(StreamBrief=stream)) as service,
        hosted(lambda: page_before(service.value)) as url,
        desk(browser, url.value) as editor,
    ):
        editor.send(RELEASE)
        expect(editor.page.locator("#progress-label")).to_contain_text("0 of 2")
        assert not ended.is_set()
        editor.page.get_by_role("button", name="Cancel").click()
        editor.shows("compose")
        assert ended.wait(30)


def test_a_cancelled_brief_keeps_the_release(browser: Browser) -> None:
    """Escape ends the work, and the text is where it was, to be sent again."""
    with hosted(newsroom) as service, desk(browser, service.value.url) as editor:
        with held(service.value.backend):
            editor.send(RELEASE)
            editor.shows("working")
            editor.page.keyboard.press("Escape")
            editor.shows("compose")
            expect(editor.page.get_by_label("Text of the release")).to_have_value(RELEASE)
        editor.page.get_by_role("button", name="Write the brief").click()
        editor.shows("done")


def test_the_number_of_sentences_and_a_glossary(fake: Desk) -> None:
    """The options are sent, and what became of each term is listed."""
    fake.page.get_by_label("Key sentences").fill("1")
    fake.page.get_by_text("Glossary").click()
    box = fake.page.get_by_label("A term a line")
    box.press_sequentially("Brücke")
    box.press("Tab")
    box.press_sequentially("bridge\nRathaus\ttown hall\nVerkehr\tcars")
    expect(fake.page.locator("#terms-tally")).to_have_text("3 terms")
    fake.brief()

    expect(fake.page.locator(".points > .point")).to_have_count(1)
    listed = fake.page.locator(".terms-list")
    expect(listed).to_contain_text("AppliedBrücke → bridge")
    expect(listed).to_contain_text("Not in the releaseRathaus → town hall")
    listed.get_by_role("button", name="Sentence 4").click()
    assert "t-3" in fake.marked()


def test_a_wrong_line_of_a_glossary_is_named(fake: Desk) -> None:
    """Nothing is sent before the glossary is right."""
    fake.page.get_by_text("Glossary").click()
    fake.page.get_by_label("A term a line").fill("Brücke\tbridge\nRathaus")
    fake.send(RELEASE)

    expect(fake.page.locator("#glossary-error")).to_contain_text("Line 2 must be a term")
    fake.shows("compose")
    assert fake.focused() == "glossary"


def test_what_is_to_be_checked_elsewhere(fake: Desk) -> None:
    """Findings in sentences that the brief doesn't rest on are listed apart, and lead there."""
    fake.page.get_by_label("Key sentences").fill("1")
    fake.brief()

    listed = fake.page.locator(".elsewhere")
    expect(listed).to_contain_text("12 Millionen Euro")
    listed.get_by_role("button").click()
    assert fake.marked() == {"t-2", "o-2"}
    assert fake.focused() == "t-2"


def test_how_it_was_made(fake: Desk) -> None:
    """The record names models, licence and signature."""
    fake.brief()
    fake.page.get_by_text("How it was made").click()

    expect(fake.page.locator(".record")).to_contain_text("embedded@1, translation")
    expect(fake.page.locator(".record")).to_contain_text("depesche:0.1.0|splitter:")


def test_a_new_release_asks_before_edits_are_lost(fake: Desk) -> None:
    """Edits that nobody took along are asked about; the rest may go at once."""
    fake.brief()
    fake.write(2, "Traffic flows in both directions now.")
    expect(fake.point(2)).to_contain_text("Edited")

    fake.page.get_by_role("button", name="New release").click()
    fake.page.get_by_role("button", name="Stay").click()
    fake.shows("done")
    fake.page.get_by_role("button", name="New release").click()
    fake.page.get_by_role("button", name="Leave it").click()
    fake.shows("compose")
    expect(fake.page.get_by_label("Text of the release")).to_be_empty()


def test_an_open_edit_is_asked_about(fake: Desk) -> None:
    """What stands in the box is not in the brief yet; a copy says so, and leaving asks."""
    fake.brief()
    fake.sentence("b", 2).focus()
    fake.page.keyboard.press("e")
    fake.page.locator(".menu > summary", has_text="Copy").click()
    fake.page.get_by_role("button", name="Brief", exact=True).click()
    expect(fake.page.locator(".toast")).to_contain_text("1 edit not saved")
    fake.page.get_by_role("button", name="New release").click()
    fake.page.get_by_role("button", name="Stay").click()

    expect(fake.page.locator(".edit-text")).to_have_value("Traffic now flows in both directions.")


def test_back_to_the_release(fake: Desk) -> None:
    """The text is where it was, for other options."""
    fake.brief()
    fake.page.get_by_role("button", name="Back to the release").click()

    expect(fake.page.get_by_label("Text of the release")).to_have_value(RELEASE)


def test_escape_clears_marks_before_it_cancels(browser: Browser) -> None:
    """Who reads while the rest is translated keeps the work, and the place when the brief comes."""
    go_on = threading.Event()

    async def stream(request: bytes, context: Context) -> None:
        first = [event(started=started(2)), event(sentence=translated(0, "Eins.", "One."))]
        await replies(*first)(request, context)
        await asyncio.to_thread(go_on.wait)
        line = types_pb2.BriefSentence(text="One.", sentence_indices=[0])
        both = [translated(0, "Eins.", "One."), translated(1, "Zwei.", "Two.")]
        language = types_pb2.Detection(language="de", confidence=1)
        brief = types_pb2.Brief(
            headline=line, key_sentences=[line], detection=language, translation=both
        )
        await replies(event(brief=brief))(request, context)

    with (
        hosted(lambda: scripted(StreamBrief=stream)) as service,
        hosted(lambda: page_before(service.value)) as url,
        desk(browser, url.value) as editor,
    ):
        editor.send(RELEASE)
        editor.sentence("t", 0).click()
        assert editor.marked() == {"t-0", "o-0"}
        editor.page.keyboard.press("Escape")
        assert editor.marked() == set()
        editor.shows("working")
        go_on.set()
        editor.shows("done")
        assert editor.focused() == "t-0"
        editor.sentence("o", 1).click()
        expect(editor.page.get_by_role("status")).to_have_text("Not in the brief")

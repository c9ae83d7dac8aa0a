"""What an editor is told when something fails; what they have written always stays."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from google.rpc.status_pb2 import Status
from playwright.sync_api import Browser, Locator, expect

from depesche.v1 import types_pb2
from tests.browser.newsroom import event, page_before, started, translated
from tests.browser.support import RELEASE, Desk, desk, hosted
from tests.web.support import Context, Script, full, replies, scripted

pytestmark = pytest.mark.browser

UKRAINIAN = (
    "Міська рада Києва у вівторок ухвалила рішення про будівництво нового мосту через Дніпро. "
    "Він коштуватиме дванадцять мільйонів гривень і з’єднає обидва береги."
)


def test_a_language_that_isnt_translated(fake: Desk) -> None:
    """It is named, and nothing is guessed."""
    fake.refused = True
    fake.send(UKRAINIAN)

    expect(_alert(fake)).to_contain_text("Ukrainian isn’t translated here")
    _stays(fake, UKRAINIAN)


def test_a_language_that_cant_be_told(fake: Desk) -> None:
    """The editor is asked to choose it."""
    fake.refused = True
    fake.send("Ja.")

    expect(_alert(fake)).to_contain_text("The language can’t be told")
    _stays(fake, "Ja.")


def test_a_release_that_is_too_long(fake: Desk) -> None:
    """Its length and the limit are told."""
    fake.refused = True
    text = RELEASE * 700
    fake.send(text)

    expect(_alert(fake)).to_contain_text("The text: ")
    expect(_alert(fake)).to_contain_text("the limit is 100000")
    expect(_alert(fake).get_by_role("button", name="Try again")).to_have_count(0)
    _stays(fake, text)


def test_no_release(fake: Desk) -> None:
    """Nothing is sent without a text."""
    fake.send(" ")

    expect(_alert(fake)).to_contain_text("There is no release yet")


def test_a_wrong_number_of_sentences(fake: Desk) -> None:
    """What the service says of an option is shown."""
    fake.refused = True
    fake.page.get_by_label("Key sentences").fill("99")
    fake.send(RELEASE)

    expect(_alert(fake)).to_contain_text("Key sentences: ")
    expect(_alert(fake)).to_contain_text("20")


def test_a_full_service(browser: Browser) -> None:
    """When to come again is told, and the same release goes out again."""
    answers = [replies(status=full(1.5)), replies(event(started=started(2)), status=full())]

    async def stream(request: bytes, context: Context) -> None:
        await answers.pop(0)(request, context)

    with _scripted(browser, stream) as (editor, _):
        editor.send(RELEASE)
        expect(_alert(editor)).to_contain_text("The service is full")
        expect(_alert(editor)).to_contain_text("Try again in 2 s.")
        _stays(editor, RELEASE)
        _alert(editor).get_by_role("button", name="Try again").click()
        expect(_alert(editor)).to_contain_text("The service is full")
    assert answers == []


def test_a_fault_in_the_middle(browser: Browser) -> None:
    """What had come stays to be read, with a way back to the release and one to try again."""
    fault = Status(code=13, message="internal error; request id 1")
    events = [event(started=started(2)), event(sentence=translated(0, "Eins.", "One."))]

    with _scripted(browser, replies(*events, status=fault)) as (editor, _):
        editor.send(RELEASE)
        expect(_alert(editor)).to_contain_text("A fault in the service")
        editor.shows("broken")
        expect(editor.sentence("t", 0)).to_contain_text("One.")
        expect(editor.page.locator("#brief")).to_contain_text("Stopped after 1 of 2 sentences")
        _alert(editor).get_by_role("button", name="Back to the release").click()
        _stays(editor, RELEASE)


def test_a_server_that_goes_in_the_middle(browser: Browser) -> None:
    """The page says that the connection broke, then that nobody is there, and keeps the text."""

    async def stall(request: bytes, context: Context) -> None:
        events = [event(started=started(2)), event(sentence=translated(0, "Eins.", "One."))]
        await replies(*events)(request, context)
        await asyncio.Event().wait()

    with _scripted(browser, stall) as (editor, stop):
        editor.send(RELEASE)
        expect(editor.sentence("t", 0)).to_contain_text("One.")
        stop()
        expect(_alert(editor)).to_contain_text("The connection broke")
        _alert(editor).get_by_role("button", name="Try again").click()
        expect(_alert(editor)).to_contain_text("Depesche can’t be reached")
        _stays(editor, RELEASE)


def test_a_stream_that_ends_without_a_brief(browser: Browser) -> None:
    """It isn't taken for a whole one."""
    with _scripted(browser, replies(event(started=started(2)))) as (editor, _):
        editor.send(RELEASE)
        expect(_alert(editor)).to_contain_text("The connection broke")
        _stays(editor, RELEASE)


def test_a_service_that_isnt_there(browser: Browser) -> None:
    """The page is, and says so."""
    with (
        hosted(lambda: page_before("127.0.0.1:1")) as url,
        desk(browser, url.value) as editor,
    ):
        editor.refused = True
        editor.send(RELEASE)
        expect(_alert(editor)).to_contain_text("The service isn’t there right now")
        _stays(editor, RELEASE)


def test_an_incomplete_brief_says_so(browser: Browser) -> None:
    """Sentences without English are shown as that."""
    sentence = types_pb2.BriefSentence(text="One.", sentence_indices=[0])
    brief = types_pb2.Brief(
        headline=sentence,
        key_sentences=[sentence],
        detection=types_pb2.Detection(language="de", confidence=1),
        translation=[translated(0, "Eins.", "One.")],
        incomplete=True,
        missing=[translated(1, "Zwei.", "")],
    )

    with _scripted(browser, replies(event(started=started(2)), event(brief=brief))) as (editor, _):
        editor.brief()
        expect(editor.page.locator("#brief")).to_contain_text("before 1 sentence had English")
        expect(editor.sentence("t", 1)).to_contain_text("Not translated")
        expect(editor.sentence("o", 1)).to_contain_text("Zwei.")


@contextmanager
def _scripted(browser: Browser, stream: Script) -> Iterator[tuple[Desk, Callable[[], None]]]:
    """Open the page before a service that briefs by a script; also gives what stops the page's."""
    with (
        hosted(lambda: scripted(StreamBrief=stream)) as service,
        hosted(lambda: page_before(service.value)) as url,
        desk(browser, url.value) as editor,
    ):
        editor.refused = True
        yield editor, url.stop


def _alert(editor: Desk) -> Locator:
    return editor.page.locator(".notice")


def _stays(editor: Desk, text: str) -> None:
    editor.shows("compose")
    expect(editor.page.get_by_label("Text of the release")).to_have_value(text)

"""What the checks found, where it stands, and sentences that an editor writes anew."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from depesche.v1 import fidelity_pb2, types_pb2
from tests.browser.newsroom import event, page_before, started, translated
from tests.browser.support import EXAMPLES, Desk, desk, hosted
from tests.web.support import Context, replies, scripted

pytestmark = pytest.mark.browser


def test_a_finding_says_what_was_expected(fake: Desk) -> None:
    """It stands below its sentence, and its place is underlined in both languages."""
    fake.brief()

    expect(fake.point(1).locator(".findings")).to_contain_text("12 Millionen Euro")
    expect(fake.sentence("b", 1).locator("mark")).to_have_text("13 million euros")
    expect(fake.sentence("t", 2).locator("mark")).to_have_text("13 million euros")
    expect(fake.sentence("o", 2).locator("mark")).to_have_text("12 Millionen Euro")
    expect(fake.page.locator(".verdict")).to_contain_text("1 of 4 lines of the brief")
    expect(fake.page.locator("#n-2")).to_contain_text("Sentence 3")


def test_findings_of_the_real_model(real: Desk) -> None:
    """Every finding of a release is shown, and every place of one is underlined."""
    bodies: list[str] = []

    def answer(route: Route) -> None:
        answered = route.fetch()
        bodies.append(answered.text())
        route.fulfill(response=answered)

    real.page.route("**/v1/briefs:stream", answer)
    real.brief((EXAMPLES / "release.km.txt").read_text("utf-8"))

    brief = _brief_of(bodies[0])
    flagged = [s for s in brief["translation"] if s["findings"]]
    assert flagged
    for sentence in flagged:
        noted = real.page.locator(f"#n-{sentence['index']}")
        for finding in sentence["findings"]:
            expect(noted).to_contain_text(finding["message"])
        spans = [f["sourceSpan"] for f in sentence["findings"] if "sourceSpan" in f]
        shown = real.sentence("o", sentence["index"]).locator("mark").all_text_contents()
        text = sentence["normalisedSource"]
        assert {text[s["start"] : s["end"]] for s in spans} >= set(shown)
        assert bool(shown) == bool(spans)


def test_a_wrong_number_is_flagged_and_a_right_one_clears(fake: Desk) -> None:
    """Each edit is checked against its source by the service."""
    fake.brief()

    fake.write(1, "It cost 12 million euros and is 500 metres long.")
    expect(fake.point(1).locator("mark")).to_have_text(["500"])
    expect(fake.point(1)).to_contain_text("Edited")
    expect(fake.point(1)).to_contain_text("It was: It cost 13 million euros")
    expect(fake.point(1).locator(".findings")).not_to_contain_text("Millionen")
    fake.write(1, "It cost 12 million euros and is 400 metres long.")
    expect(fake.point(1)).to_contain_text("the checks found nothing")
    expect(fake.point(1).locator(".findings")).to_have_count(0)
    expect(fake.page.locator(".verdict")).to_contain_text("The checks found nothing in these lines")
    expect(fake.page.locator("#facts")).to_contain_text("0 to check · 1 edited")
    assert fake.focused() == "b-1"


def test_edits_with_the_real_model(real: Desk) -> None:
    """A wrong year in an edited sentence of the German example is found."""
    real.brief((EXAMPLES / "release.de.txt").read_text("utf-8"))
    text = real.sentence("b", 0).inner_text()

    real.write(0, text.replace("2018", "2019"))
    expect(real.point(0).locator(".findings")).to_contain_text("2018")
    real.point(0).get_by_role("button", name="Undo").click()
    expect(real.point(0).locator(".findings")).to_have_count(0)


def test_undo_goes_back_step_by_step(fake: Desk) -> None:
    """To the edit before, and then to what the machine wrote, with its findings."""
    fake.brief()
    fake.write(1, "It cost 12 million euros and is 500 metres long.")
    expect(fake.point(1)).to_contain_text("500")
    fake.write(1, "It cost 12 million euros and is 400 metres long.")
    expect(fake.point(1)).to_contain_text("400")
    undo = fake.page.get_by_role("button", name="Undo the last edit of sentence 2")

    undo.click()
    expect(fake.sentence("b", 1)).to_contain_text("500 metres")
    undo.click()
    expect(fake.sentence("b", 1)).to_contain_text("13 million")
    expect(fake.point(1)).not_to_contain_text("Edited")
    expect(fake.point(1).locator(".findings")).to_contain_text("12 Millionen Euro")
    expect(undo).to_have_count(0)


def test_giving_up_an_edit_changes_nothing(fake: Desk) -> None:
    """Escape leaves the sentence as it was, and the focus on it."""
    fake.brief()
    fake.point(0).get_by_role("button", name="Edit sentence 1").click()
    fake.page.locator(".edit-text").fill("Something else.")
    fake.page.keyboard.press("Escape")

    expect(fake.sentence("b", 0)).to_contain_text("After years of work")
    expect(fake.point(0)).not_to_contain_text("Edited")
    assert fake.focused() == "b-0"


def test_a_sentence_cant_be_empty(fake: Desk) -> None:
    """The box says so and stays."""
    fake.brief()
    fake.write(0, "  ")

    expect(fake.page.locator(".edit .error")).to_have_text("A sentence can’t be empty.")


def test_the_headline_is_edited_too(fake: Desk) -> None:
    """What it says is compared with what it rests on; what it leaves out is the editor's choice."""
    fake.brief()
    fake.write("headline", "New bridge in Cologne for 14 million")
    expect(fake.page.locator(".headline .findings")).to_contain_text("14 million")
    fake.write("headline", "New bridge in Cologne")
    expect(fake.page.locator(".headline .findings")).to_have_count(0)


def test_an_edit_takes_the_mark_of_comparing_away(fake: Desk) -> None:
    """Who changes a sentence has to compare it anew."""
    fake.brief()
    box = fake.page.get_by_label("I compared sentence 3 with the original")
    box.check()
    expect(fake.page.locator(".verdict")).to_contain_text("1 of 4 compared")

    fake.write(2, "Traffic flows in both directions now.")
    expect(box).not_to_be_checked()
    expect(fake.page.locator(".verdict")).to_contain_text("0 of 4 compared")


def test_sentences_of_a_summary_model_are_compared_with_the_english(browser: Browser) -> None:
    """They may leave things out; the page says that they are a model's own, and asks so."""
    asked: list[fidelity_pb2.CheckSentenceRequest] = []

    async def check(request: bytes, context: Context) -> None:
        asked.append(fidelity_pb2.CheckSentenceRequest.FromString(request))
        await context.write(fidelity_pb2.CheckSentenceResponse().SerializeToString())

    events = replies(event(started=started(2)), event(brief=_written()))

    with (
        hosted(lambda: scripted(StreamBrief=events, CheckSentence=check)) as service,
        hosted(lambda: page_before(service.value)) as url,
        desk(browser, url.value) as editor,
    ):
        editor.brief()
        expect(editor.point(0)).to_contain_text("in the model’s own words")
        editor.write(0, "The bridge is open.")
        expect(editor.point(0)).to_contain_text("Edited")
    assert [(a.language, list(a.sources)) for a in asked] == [("en", ["A bridge.", "It is open."])]


def test_a_check_that_fails_keeps_what_was_written(fake: Desk) -> None:
    """The box says why and stays; the next try saves."""
    fake.refused = True
    fake.brief()
    fail: list[bool] = [True]

    def answer(route: Route) -> None:
        if fail.pop():
            route.abort()
        else:
            route.continue_()

    fake.page.route("**/v1/checks", answer)
    fake.write(1, "It cost 12 million euros and is 400 metres long.")
    expect(fake.page.locator(".edit .error")).to_contain_text("Not saved. Depesche can’t be")
    expect(fake.page.locator(".edit-text")).to_have_value(
        "It cost 12 million euros and is 400 metres long."
    )
    fail.append(False)
    fake.page.keyboard.press("Control+Enter")
    expect(fake.point(1)).to_contain_text("the checks found nothing")


def test_a_sentence_that_is_too_long_is_refused_in_words(fake: Desk) -> None:
    """The service's limit is told."""
    fake.refused = True
    fake.brief()
    fake.write(0, "word " * 3000)

    expect(fake.page.locator(".edit .error")).to_contain_text("the limit is 10")


def _brief_of(events: str) -> dict[str, Any]:
    last = events.strip().split("\n\n")[-1]
    return dict(json.loads(last.removeprefix("data: "))["brief"])


def _written() -> types_pb2.Brief:
    """Make a brief of a summary model, that rests on two sentences."""
    return types_pb2.Brief(
        headline=types_pb2.BriefSentence(text="A bridge.", sentence_indices=[0]),
        key_sentences=[
            types_pb2.BriefSentence(
                text="There is a bridge, and it is open.",
                sentence_indices=[0, 1],
                strategy=types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE,
            )
        ],
        detection=types_pb2.Detection(language="de", confidence=0.98),
        translation=[
            translated(0, "Eine Brücke.", "A bridge."),
            translated(1, "Sie ist offen.", "It is open."),
        ],
    )

"""What an editor takes along: copies and files."""

import json
import re

import pytest
from playwright.sync_api import Browser, Download, expect

from tests.browser.support import RELEASE, Desk, desk

pytestmark = pytest.mark.browser

_EDITED = "It cost 12 million euros and is 400 metres long."


def test_the_brief_is_copied_as_it_stands(fake: Desk) -> None:
    """With the edits, without sources; what is still open is told."""
    fake.brief()
    fake.write(1, _EDITED)
    expect(fake.point(1)).to_contain_text("Edited")
    _choose(fake, "Copy", "Brief")

    expect(fake.page.locator(".toast")).to_have_text("Copied. 4 not compared")
    assert _clipboard(fake).split("\n\n") == [
        "New bridge in Cologne",
        "After years of work, the city of Cologne opened a new bridge over the Rhine on Monday.",
        _EDITED,
        "Traffic now flows in both directions.",
    ]


def test_the_brief_is_copied_with_its_sources(fake: Desk) -> None:
    """As the text that the service writes."""
    fake.brief()
    _choose(fake, "Copy", "Brief with its sources")

    expect(fake.page.locator(".toast")).to_have_text("Copied. 1 still flagged, 4 not compared")
    assert "[3] Sie kostete 12 Millionen Euro" in _clipboard(fake)


def test_a_copy_by_plain_http(browser: Browser, fake_url: str) -> None:
    """There browsers give pages no clipboard, and the old way is taken."""
    with desk(browser, fake_url) as editor:
        editor.page.add_init_script(
            "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
        )
        editor.open()
        editor.brief()
        _choose(editor, "Copy", "Brief")
        expect(editor.page.locator(".toast")).to_contain_text("Copied.")
        editor.page.get_by_role("button", name="New release").click()
        editor.page.get_by_label("Text of the release").press("Control+v")
        expect(editor.page.get_by_label("Text of the release")).to_have_value(
            re.compile("^New bridge in Cologne\n\nAfter years")
        )


@pytest.mark.parametrize(
    ("label", "suffix", "words"),
    [
        ("Text", ".brief.txt", ["⚠ It cost 13 million euros", "[3] Sie kostete 12 Millionen"]),
        ("Markdown with footnotes", ".brief.md", ["# New bridge in Cologne", "[^3]: Sie kostete"]),
        ("HTML", ".brief.html", ["<!doctype html>", "New bridge in Cologne", "Sie kostete"]),
    ],
)
def test_files(fake: Desk, label: str, suffix: str, words: list[str]) -> None:
    """Each form has the brief, its findings and its sources."""
    title, text = RELEASE.split("\n\n")
    fake.page.get_by_label("Headline of the release").fill(title)
    fake.brief(text)
    file = _download(fake, label)

    assert file.suggested_filename == f"{title}{suffix}"
    text = file.path().read_text("utf-8")
    for each in words:
        assert each.lower() in text.lower()


def test_the_audit_record(fake: Desk) -> None:
    """JSON has the brief as it came, and each edit with what the checks find in it."""
    fake.brief()
    fake.write(1, "It cost 12 million euros and is 500 metres long.")
    expect(fake.point(1)).to_contain_text("500")
    fake.write(0, "Cologne has opened a new bridge over the Rhine on Monday.")
    expect(fake.point(0)).to_contain_text("Edited")
    record = json.loads(_download(fake, "JSON with the audit record").path().read_text("utf-8"))

    assert record["brief"]["keySentences"][1]["text"].startswith("It cost 13 million")
    first, second = sorted(record["edits"], key=lambda edit: edit["place"])
    assert first["place"] == 0
    assert first["findings"] == []
    assert second["after"] == "It cost 12 million euros and is 500 metres long."
    assert any("500" in finding["message"] for finding in second["findings"])


def test_what_was_taken_along_isnt_asked_about(fake: Desk) -> None:
    """After a download the brief may be left at once."""
    fake.brief()
    fake.write(1, _EDITED)
    expect(fake.point(1)).to_contain_text("Edited")
    _download(fake, "Text")
    fake.page.get_by_role("button", name="New release").click()

    fake.shows("compose")


def test_an_export_that_fails_can_be_tried_again(fake: Desk) -> None:
    """The brief stays, and the message has a way to try again."""
    fake.refused = True
    fake.brief()
    fake.page.route("**/page/exports/*", lambda route: route.abort())
    _choose(fake, "Download", "Text")
    expect(fake.page.get_by_role("alert").first).to_contain_text("Depesche can’t be reached")
    fake.page.unroute("**/page/exports/*")

    with fake.page.expect_download() as file:
        fake.page.get_by_role("button", name="Try again").click()
    assert file.value.suggested_filename.endswith(".txt")


def test_where_nothing_is_kept_nothing_is_offered(fake: Desk) -> None:
    """Without a store there is no button for it, and an address shows why."""
    fake.brief()
    expect(fake.page.get_by_role("button", name="Keep")).to_have_count(0)

    fake.refused = True
    fake.open("/briefs/AAAAAAAAAAAAAAAAAAAAAA")
    expect(fake.page.get_by_role("alert").first).to_contain_text("No brief is kept here")


def _choose(editor: Desk, menu: str, entry: str) -> None:
    editor.page.locator(".menu > summary", has_text=menu).click()
    editor.page.get_by_role("button", name=entry, exact=True).click()


def _download(editor: Desk, label: str) -> Download:
    with editor.page.expect_download() as file:
        _choose(editor, "Download", label)
    return file.value


def _clipboard(editor: Desk) -> str:
    return str(editor.page.evaluate("navigator.clipboard.readText()"))

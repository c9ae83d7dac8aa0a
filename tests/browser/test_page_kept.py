"""Briefs that are kept under an address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from depesche.web.page.kept import opened
from tests.browser.newsroom import newsroom
from tests.browser.support import Desk, desk, hosted

pytestmark = pytest.mark.browser

_EDITED = "It cost 12 million euros and is 500 metres long."


@pytest.fixture
def keeping(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """Open the page of a service that keeps briefs."""
    with (
        opened(tmp_path / "kept.db", 14) as kept,
        hosted(lambda: newsroom(kept)) as service,
        desk(browser, service.value.url) as found,
    ):
        yield found


def test_a_kept_brief_comes_back_at_its_address(keeping: Desk) -> None:
    """With its edits, what the checks find in them, and the release beside it."""
    keeping.brief()
    keeping.write(1, _EDITED)
    expect(keeping.point(1)).to_contain_text("Edited")
    keeping.page.get_by_role("button", name="Keep").click()
    address = keeping.page.locator("#kept a").get_attribute("href")
    assert address is not None
    keeping.page.get_by_role("button", name="Copy the address").click()
    expect(keeping.page.locator(".toast")).to_have_text("Copied")
    assert keeping.page.evaluate("navigator.clipboard.readText()") == address

    keeping.open(address)
    keeping.shows("done")
    expect(keeping.sentence("b", 1)).to_have_text(_EDITED)
    expect(keeping.point(1)).to_contain_text("It was: It cost 13 million euros")
    expect(keeping.point(1).locator("mark")).to_have_text("500")
    expect(keeping.sentence("o", 2)).to_contain_text("12 Millionen Euro")
    expect(keeping.page.locator("#kept")).to_contain_text("Kept until")
    keeping.sentence("b", 1).click()
    assert keeping.marked() == {"b-1", "t-2", "o-2"}
    assert keeping.barriers() == []


def test_edits_after_keeping_arent_kept(keeping: Desk) -> None:
    """The page says so, until they are undone or kept."""
    keeping.brief()
    keeping.page.get_by_role("button", name="Keep").click()
    expect(keeping.page.locator("#kept")).not_to_contain_text("before your last edits")
    keeping.write(1, _EDITED)
    expect(keeping.page.locator("#kept")).to_contain_text("It was kept before your last edits.")
    keeping.point(1).get_by_role("button", name="Undo").click()
    expect(keeping.page.locator("#kept")).not_to_contain_text("before your last edits")


def test_a_kept_brief_is_deleted(keeping: Desk) -> None:
    """After a question; then its address leads nowhere."""
    keeping.refused = True
    keeping.brief()
    keeping.page.get_by_role("button", name="Keep").click()
    address = keeping.page.locator("#kept a").get_attribute("href")
    assert address is not None
    delete = keeping.page.get_by_role("button", name="Delete")
    delete.click()
    keeping.page.get_by_role("button", name="Stay").click()
    delete.click()
    keeping.page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(keeping.page.locator("#kept")).to_be_empty()

    keeping.open(address)
    expect(keeping.page.locator(".notice")).to_contain_text("No brief is kept here")
    keeping.shows("compose")


def test_a_new_release_leaves_the_address(keeping: Desk) -> None:
    """A kept brief isn't replaced by the next release."""
    keeping.brief()
    keeping.page.get_by_role("button", name="Keep").click()
    address = keeping.page.locator("#kept a").get_attribute("href")
    assert address is not None
    keeping.open(address)
    keeping.shows("done")
    keeping.page.get_by_role("button", name="New release").click()

    keeping.page.wait_for_url("**/")
    keeping.shows("compose")

"""The page for everyone: by keyboard alone, heard, in light and dark, on a phone and on a wall."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.newsroom import newsroom
from tests.browser.support import EXAMPLES, RELEASE, Desk, desk, hosted
from tests.support import held

pytestmark = pytest.mark.browser

_WIDTHS = (360, 768, 1024, 1600)


def test_by_keyboard_alone(fake: Desk) -> None:
    """From an empty sheet to a download, without a mouse."""
    keys = fake.page.keyboard
    assert fake.focused() == "release-text"
    keys.insert_text(RELEASE)
    keys.press("Control+Enter")
    fake.shows("done")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    assert fake.marked() == {"b-1", "t-2", "o-2"}
    keys.press("e")
    keys.press("Control+a")
    keys.insert_text("It cost 12 million euros and is 400 metres long.")
    keys.press("Control+Enter")
    expect(fake.point(1)).to_contain_text("the checks found nothing")
    _tab_to(fake, "Download")
    keys.press("Enter")
    keys.press("Tab")
    with fake.page.expect_download() as file:
        keys.press("Enter")
    assert "12 million euros" in file.value.path().read_text("utf-8")


def test_a_menu_closes_by_escape(fake: Desk) -> None:
    """And the focus is on its button again."""
    fake.brief()
    menu = fake.page.locator(".menu", has_text="Download")
    menu.locator("summary").click()
    menu.get_by_role("button", name="HTML").focus()
    fake.page.keyboard.press("Escape")

    expect(menu.get_by_role("button", name="HTML")).not_to_be_visible()
    assert fake.page.evaluate("document.activeElement.textContent") == "Download"


def test_each_side_is_one_stop_of_the_tab_key(fake: Desk) -> None:
    """However many sentences it has."""
    fake.brief()

    for side in ("brief", "translation", "original"):
        stops = fake.page.locator(f'.sentence[data-side="{side}"][tabindex="0"]')
        assert stops.count() == 1


def _empty(editor: Desk) -> None:
    expect(editor.page.get_by_label("Text of the release")).to_be_empty()


def _glossary(editor: Desk) -> None:
    editor.page.get_by_text("Glossary").click()
    editor.page.get_by_label("A term a line").fill("wrong")
    editor.page.get_by_label("Key sentences").focus()


def _done(editor: Desk) -> None:
    editor.page.get_by_label("Key sentences").fill("1")
    editor.page.get_by_text("Glossary").click()
    editor.page.get_by_label("A term a line").fill("Verkehr\tcars")
    editor.brief()
    editor.page.get_by_text("How it was made").click()


def _marked(editor: Desk) -> None:
    editor.brief()
    editor.sentence("b", 1).click()


def _editing(editor: Desk) -> None:
    editor.brief()
    editor.sentence("b", 1).focus()
    editor.page.keyboard.press("e")


def _edited(editor: Desk) -> None:
    editor.brief()
    editor.write(1, "It cost 12 million euros and is 500 metres long.")
    expect(editor.point(1)).to_contain_text("500")
    editor.write(0, "Cologne has opened a new bridge over the Rhine on Monday.")
    expect(editor.point(0)).to_contain_text("the checks found nothing")


def _menu(editor: Desk) -> None:
    editor.brief()
    editor.page.locator(".menu > summary", has_text="Download").click()


def _asked(editor: Desk) -> None:
    _edited(editor)
    editor.page.get_by_role("button", name="New release").click()


def _failed(editor: Desk) -> None:
    editor.refused = True
    editor.send("Ja.")
    expect(editor.page.locator(".notice")).to_be_visible()


def _dragging(editor: Desk) -> None:
    editor.page.evaluate("document.body.toggleAttribute('data-dragging', true)")


_STATES = {
    state.__name__.strip("_"): state
    for state in (
        _empty,
        _glossary,
        _done,
        _marked,
        _editing,
        _edited,
        _menu,
        _asked,
        _failed,
        _dragging,
    )
}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[360, 1440])
def themed(
    browser: Browser, fake_url: str, scheme: str, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """Open the page in light or dark, on a phone or a desk, without motion."""
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "reduced_motion": "reduce",
        "viewport": {"width": request.param, "height": 800},
    }
    with desk(browser, fake_url, **options) as found:
        yield found


@pytest.mark.parametrize("state", _STATES.values(), ids=_STATES)
def test_no_barriers(themed: Desk, state: Callable[[Desk], None]) -> None:
    """Axe finds nothing wrong in any state of the page."""
    state(themed)

    assert themed.barriers() == []


def test_a_barrier_would_be_noticed(fake: Desk) -> None:
    """Axe runs, and looks at colours too."""
    fake.page.evaluate("document.getElementById('facts').textContent = 'pale'")
    fake.page.evaluate("document.getElementById('facts').style.color = '#ddd'")
    fake.page.evaluate("document.getElementById('glossary').previousElementSibling.remove()")
    fake.page.get_by_text("Glossary").click()

    found = {barrier.partition(":")[0] for barrier in fake.barriers()}
    assert found >= {"color-contrast"}


def test_no_barriers_at_work(browser: Browser, scheme: str) -> None:
    """Nor while sentences come."""
    with (
        hosted(newsroom) as service,
        desk(browser, service.value.url, color_scheme=scheme, reduced_motion="reduce") as editor,
        held(service.value.backend),
    ):
        editor.send(RELEASE)
        editor.shows("working")
        expect(editor.page.locator("#progress-label")).to_contain_text("0 of 4")
        assert editor.barriers() == []


@pytest.mark.parametrize("width", _WIDTHS)
def test_nothing_is_wider_than_the_window(fake: Desk, width: int) -> None:
    """In any state, so that nobody has to scroll sideways."""
    fake.page.set_viewport_size({"width": width, "height": 800})
    wide: dict[str, int] = {}
    for name, state in _STATES.items():
        state(fake)
        wide[name] = fake.overflow()
        fake.page.evaluate("window.onbeforeunload = null")
        fake.page.once("dialog", lambda dialog: dialog.accept())
        fake.open()
    assert set(wide.values()) == {0}, wide


@pytest.mark.parametrize("language", ["de", "ru", "km"])
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_release_is_wider_than_the_window(real: Desk, language: str, width: int) -> None:
    """Khmer has no spaces to break lines at, and German has long words."""
    real.page.set_viewport_size({"width": width, "height": 800})
    real.brief((EXAMPLES / f"release.{language}.txt").read_text("utf-8"))

    assert real.overflow() == 0
    assert _clipped(real) == []


def test_on_a_phone_the_source_comes_to_the_sentence(fake: Desk) -> None:
    """The original is shown at the window's foot, with ways there and back."""
    fake.page.set_viewport_size({"width": 360, "height": 700})
    fake.brief()
    fake.sentence("b", 1).click()
    peek = fake.page.get_by_label("What belongs to the marked sentence")
    expect(peek).to_contain_text("Sie kostete 12 Millionen Euro")

    peek.get_by_role("button", name="Show in the release").click()
    assert fake.focused() == "o-2"
    expect(fake.sentence("o", 2)).to_be_in_viewport()
    fake.sentence("o", 3).click()
    expect(peek).to_contain_text("Traffic now flows")
    peek.get_by_role("button", name="Show in the brief").click()
    assert fake.focused() == "b-2"
    peek.get_by_role("button", name="Close").click()
    assert fake.marked() == set()


def test_the_fonts_are_its_own(real: Desk) -> None:
    """Khmer and Cyrillic are drawn by the fonts that come with the page."""
    real.brief((EXAMPLES / "release.km.txt").read_text("utf-8"))
    loaded = real.page.evaluate(
        "document.fonts.ready.then((fonts) => [...fonts]"
        '.filter((font) => font.status === "loaded").map((font) => font.family))'
    )

    assert {name.strip('"') for name in loaded} >= {"Newsreader", "Noto Sans", "Noto Sans Khmer"}


def test_everything_comes_from_the_service(fake: Desk) -> None:
    """The page asks nobody else, and keeps nothing in the browser."""
    asked: list[str] = []
    fake.page.on("request", lambda request: asked.append(request.url))
    fake.open()
    fake.brief()

    assert asked
    assert {"/".join(url.split("/")[:3]) for url in asked} == {
        str(fake.page.evaluate("location.origin"))
    }
    assert fake.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert fake.page.evaluate("document.cookie") == ""


def test_markup_in_a_release_is_text(browser: Browser, fake_url: str) -> None:
    """Whatever a release or a service says is shown as it stands, and never run."""
    sly = '<img src=x onerror="document.title=1"><script>document.title=2</script> & <b>fett</b>'

    def answer(route: Route) -> None:
        answered = route.fetch()
        body = answered.text().replace("Traffic now", sly.replace('"', '\\"') + " Traffic now")
        route.fulfill(response=answered, body=body)

    with desk(browser, fake_url) as editor:
        editor.page.route("**/v1/briefs:stream", answer)
        editor.brief()

        expect(editor.sentence("b", 2)).to_contain_text(sly)
        expect(editor.sentence("t", 3)).to_contain_text(sly)
        assert editor.page.locator("main img, main script").count() == 0
        assert editor.page.title() == "Brief – Depesche"


def test_on_paper(fake: Desk) -> None:
    """Buttons aren't printed; the brief and the release are, whole."""
    fake.brief()
    fake.page.emulate_media(media="print")

    expect(fake.page.get_by_role("button", name="New release")).not_to_be_visible()
    expect(fake.sentence("b", 1)).to_be_visible()
    assert fake.page.evaluate("getComputedStyle(document.getElementById('release')).overflowY") == (
        "visible"
    )


def _tab_to(editor: Desk, name: str) -> None:
    for _ in range(40):
        editor.page.keyboard.press("Shift+Tab")
        if editor.page.evaluate("document.activeElement.textContent") == name:
            return
    raise AssertionError(f"{name} can't be reached")


def _clipped(editor: Desk) -> list[str]:
    """Find text that is wider than the place that it has."""
    return list(
        editor.page.locator("main p, main li, main h2, main h3, main button").evaluate_all(
            "all => all.filter((each) => each.offsetParent && !each.closest('.quiet')"
            " && getComputedStyle(each).display !== 'inline'"
            # The ground of a marked sentence is a little wider than its text.
            " && each.scrollWidth > each.clientWidth + 6)"
            ".map((each) => each.outerHTML.slice(0, 120))"
        )
    )

"""What the tests of the page share: services behind it, and a page that tells of faults."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

RELEASE = (
    "Neue Brücke in Köln\n\n"
    "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke über den Rhein eröffnet. "
    "Sie kostete 12 Millionen Euro und ist 400 Meter lang. "
    "Der Verkehr fließt nun in beide Richtungen."
)
ENGLISH = {
    "Neue Brücke in Köln": "New bridge in Cologne",
    "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke über den Rhein eröffnet.": (
        "After years of work, the city of Cologne opened a new bridge over the Rhine on Monday."
    ),
    "Sie kostete 12 Millionen Euro und ist 400 Meter lang.": (
        "It cost 13 million euros and is 400 metres long."
    ),
    "Der Verkehr fließt nun in beide Richtungen.": "Traffic now flows in both directions.",
}
"""What a model would make of `RELEASE`, with one wrong amount."""

_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
)
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_REFUSED = "Failed to load resource"
_T = TypeVar("_T")


@dataclass
class Hosted(Generic[_T]):
    """What runs in a thread of its own, for the browser's calls wait for answers.

    Attributes:
        value: what the context manager gave.
    """

    value: _T
    _loop: asyncio.AbstractEventLoop
    _done: asyncio.Event
    _thread: threading.Thread

    def stop(self) -> None:
        """Leave the context, and wait until that is done."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join()


@contextmanager
def hosted(make: Callable[[], AbstractAsyncContextManager[_T]]) -> Iterator[Hosted[_T]]:
    """Enter a context in a loop of its own, for as long as this one lasts."""
    ready = threading.Event()
    found: list[Hosted[_T]] = []

    async def run() -> None:
        async with make() as value:
            done = asyncio.Event()
            found.append(Hosted(value, asyncio.get_running_loop(), done, thread))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=_run, args=(run, ready))
    thread.start()
    ready.wait()
    assert found, "it didn't start"
    try:
        yield found[0]
    finally:
        found[0].stop()


def _run(run: Callable[[], Coroutine[Any, Any, None]], ready: threading.Event) -> None:
    try:
        asyncio.run(run())
    finally:
        ready.set()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "chromium isn't on the PATH"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=_FLAGS.split())
        yield running
        running.close()


@contextmanager
def web_process(module: str = "depesche", *options: str) -> Iterator[str]:
    """Run `depesche web` with a server inside, as a process; gives its address as a URL."""
    command = [sys.executable, "-m", module, "web", "--listen", "127.0.0.1:0", *options]
    environment = os.environ | {"DEPESCHE_METRICS": "127.0.0.1:0", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            events = (json.loads(line) for line in process.stdout)
            address = next(e["listen"] for e in events if e["event"] == "web_ready")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.communicate()


@dataclass
class Desk:
    """The page in a browser, and what an editor does there.

    Attributes:
        page: Playwright's page.
        refused: whether answers may be refusals, which browsers report.
        faults: what the browser reported.
    """

    page: Page
    refused: bool = False
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Take note of every fault that the browser reports."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.add_init_script(_WATCH)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if not (self.refused and message.text.startswith(_REFUSED)):
            self.faults.append(message.text)

    def open(self, path: str = "/") -> None:
        """Open a path of the service, and wait until the page is at work."""
        self.page.goto(path)
        expect(self.page.locator("#keeping")).not_to_be_empty()

    def paste(self, text: str) -> None:
        """Put a release into the box."""
        self.page.get_by_label("Text of the release").fill(text)

    def send(self, text: str) -> None:
        """Paste a release and have it briefed."""
        self.paste(text)
        self.page.get_by_role("button", name="Write the brief").click()

    def brief(self, text: str = RELEASE) -> None:
        """Have a release briefed, and wait for the brief."""
        self.send(text)
        self.shows("done")

    def shows(self, view: str) -> None:
        """Wait until the page shows a view."""
        expect(self.page.locator("body")).to_have_attribute("data-view", view, timeout=60_000)

    def sentence(self, side: str, place: str | int) -> Locator:
        """Find a sentence: `b`, `t` or `o` for brief, translation and original, and its place."""
        return self.page.locator(f"#{side}-{place}")

    def marked(self) -> set[str]:
        """Give the ids of the sentences that are marked."""
        found = self.page.locator('.sentence[aria-pressed="true"]')
        return set(found.evaluate_all("all => all.map((each) => each.id)"))

    def focused(self) -> str:
        """Give the id of what has the focus."""
        return str(self.page.evaluate("document.activeElement.id"))

    def write(self, place: str | int, text: str) -> None:
        """Open a sentence for editing by its key, write it anew and save it."""
        self.sentence("b", place).focus()
        self.page.keyboard.press("e")
        self.page.locator(".edit-text").fill(text)
        self.page.keyboard.press("Control+Enter")

    def point(self, place: int) -> Locator:
        """Find a key sentence with all that belongs to it."""
        return self.page.locator(".points > .point").nth(place)

    def barriers(self) -> list[str]:
        """Give what axe finds wrong for those who can't see, or can't see well."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"], "preload": False})
        return [
            f"{rule['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for rule in found.response["violations"]
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Tell by how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@contextmanager
def desk(browser: Browser, url: str, **options: Any) -> Iterator[Desk]:
    """Open a window of its own on a service; no fault may be left in the end."""
    context: BrowserContext = browser.new_context(
        base_url=url, permissions=["clipboard-read", "clipboard-write"], **options
    )
    try:
        found = Desk(context.new_page())
        found.watch()
        found.open()
        yield found
        assert found.faults == []
    finally:
        context.close()

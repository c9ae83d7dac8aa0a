"""Time from sending a release in the page to its first sentence, beside the bare service's.

    python bench/page.py [--times 9] [--file examples/release.de.txt]

Needs what `make browser` installs. Both go to the same `depesche web`, in turns, one at a time,
each after a warm-up: the page in Chromium, from the press of the button to the frame that shows the
first translated sentence; and a plain client of `/v1/briefs:stream`, from the request to the event
of the first sentence. What the page adds is the work of the browser and of the page.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from playwright.sync_api import Page, sync_playwright

_ROOT = Path(__file__).parents[1]
_SECONDS = 120
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
)
_MEASURE = """
() => new Promise((resolve) => {
  const start = performance.now();
  const shown = () => requestAnimationFrame(() =>
    requestAnimationFrame(() => resolve((performance.now() - start) / 1000)));
  new MutationObserver((_, observer) => {
    if (!document.querySelector(".english .sentence")) return;
    observer.disconnect();
    shown();
  }).observe(document.getElementById("rows"), { childList: true, subtree: true });
  document.getElementById("send").click();
})
"""


@contextmanager
def server() -> Iterator[str]:
    """Run `depesche web` with a server inside; gives its URL."""
    command = [sys.executable, "-m", "depesche", "web", "--listen", "127.0.0.1:0"]
    environment = os.environ | {"DEPESCHE_METRICS": "127.0.0.1:0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:  # noqa: S603 - our own command
        try:
            events = (json.loads(line) for line in process.stdout or ())
            yield "http://" + next(e["listen"] for e in events if e["event"] == "web_ready")
        finally:
            process.terminate()
            process.communicate()


def bare(client: httpx2.Client, text: str) -> float:
    """Give the seconds until the first sentence's event; read to the end."""
    request = {"release": {"text": text}, "options": {"sentenceCount": 3}}
    start, first = time.monotonic(), 0.0
    with client.stream("POST", "/v1/briefs:stream", json=request) as answer:
        for line in answer.iter_lines():
            if not first and line.startswith('data: {"sentence"'):
                first = time.monotonic() - start
    return first


def shown(page: Page, text: str) -> float:
    """Give the seconds until the page shows the first sentence; wait for the brief."""
    page.goto("/")
    page.wait_for_selector("#keeping:not(:empty)", state="attached")
    page.fill("#release-text", text)
    first = float(page.evaluate(_MEASURE))
    page.wait_for_selector("body[data-view=done]", timeout=_SECONDS * 1000)
    return first


def measure(url: str, text: str, times: int) -> tuple[list[float], list[float]]:
    """Measure both in turns."""
    chromium = shutil.which("chromium") or sys.exit("chromium isn't on the PATH")
    with sync_playwright() as playwright, httpx2.Client(base_url=url, timeout=_SECONDS) as client:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS.split())
        page = browser.new_page(base_url=url)
        pairs = [(shown(page, text), bare(client, text)) for _ in range(times + 1)][1:]
        browser.close()
    pages, bares = zip(*pairs, strict=True)
    return list(pages), list(bares)


def row(name: str, seconds: list[float], base: float) -> str:
    """Write a row of the table."""
    middle = statistics.median(seconds)
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    return f"| {name} | {middle:.2f} s | {spread} | {middle / base:.2f} |"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=9, help="measurements of each")
    parser.add_argument("--file", type=Path, default=_ROOT / "examples" / "release.de.txt")
    options = parser.parse_args()
    text = options.file.read_text("utf-8")
    with server() as url:
        pages, bares = measure(url, text, options.times)
    base = statistics.median(bares)
    print(f"{options.file.name}, {options.times} times each, in turns\n")
    print("| first translated sentence | median | spread | ratio |")
    print("| --- | --- | --- | --- |")
    print(row("shown in the page", pages, base))
    print(row("event of /v1/briefs:stream", bares, base))


if __name__ == "__main__":
    main()

"""The page's own files: small, without markup from text, and with their licence."""

import re
from pathlib import Path

import pytest

from depesche.web.page.files import MEDIA_TYPES

STATIC = Path(__file__).parents[3] / "service" / "depesche" / "web" / "page" / "static"
_FILES = sorted(STATIC.iterdir())
_MOST_BYTES = 150_000
_SINKS = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "Function(",
    "setHTML",
    "parseFromString",
    "createContextualFragment",
    "srcdoc",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "document.cookie",
]


def test_every_file_is_served() -> None:
    """Nothing lies there that has no media type."""
    assert {path.suffix for path in _FILES} <= set(MEDIA_TYPES)


def test_the_page_is_small() -> None:
    """Without its fonts it stays under 150 KB, uncompressed."""
    own = [path for path in _FILES if path.suffix in {".css", ".html", ".js", ".svg"}]

    assert sum(path.stat().st_size for path in own) < _MOST_BYTES


def test_the_fonts_have_their_licence() -> None:
    """Each font's holder stands in the licence beside them."""
    licence = (STATIC / "OFL.txt").read_text("utf-8")

    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    fonts = [path.stem for path in _FILES if path.suffix == ".woff2"]
    assert fonts
    for font in fonts:
        family = re.split("-(?:latin|cyrillic|khmer-wght)", font)[0].removesuffix("-khmer")
        assert f"{family.replace('-', ' ').title()}" in licence


@pytest.mark.parametrize("path", [p for p in _FILES if p.suffix == ".js"], ids=lambda p: p.name)
def test_no_script_reads_text_as_markup(path: Path) -> None:
    """And none keeps anything in the browser."""
    script = path.read_text("utf-8")

    assert [sink for sink in _SINKS if sink in script] == []
    assert len(script.splitlines()) < 300


def test_the_index_has_nothing_inline() -> None:
    """No script, style or handler that the policy would refuse; no address of others."""
    index = (STATIC / "index.html").read_text("utf-8")

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|https?:", index) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", index) == []


def test_the_styles_ask_nobody_else() -> None:
    """Fonts are the only files that they name, and all of them are there."""
    styles = (STATIC / "style.css").read_text("utf-8")

    named = set(re.findall(r'url\("([^"]+)"\)', styles))
    assert named == {path.name for path in _FILES if path.suffix == ".woff2"}
    assert "@import" not in styles

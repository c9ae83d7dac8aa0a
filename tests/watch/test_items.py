import io
from typing import Any

import feedparser
import pytest

from depesche.types import ContentFormat, Language
from depesche.watch.items import digest, entry_item, unique

_ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">
<entry><id>a</id>{}</entry></feed>"""


def _entry(parts: str) -> Any:
    return feedparser.parse(io.BytesIO(_ATOM.format(parts).encode())).entries[0]


@pytest.mark.parametrize(
    ("parts", "text", "content_format"),
    [
        ("<summary>Kurz.</summary><content>Lang.</content>", "Lang.", ContentFormat.PLAIN),
        (
            '<content type="html">&lt;p&gt;Lang.&lt;/p&gt;</content><summary>Kurz.</summary>',
            "<p>Lang.</p>",
            ContentFormat.HTML,
        ),
        ("<summary>Kurz.</summary><content> </content>", "Kurz.", ContentFormat.PLAIN),
        ("<title>T</title>", "", ContentFormat.PLAIN),
    ],
)
def test_the_whole_text_is_better_than_a_summary(
    parts: str, text: str, content_format: ContentFormat
) -> None:
    """In HTML where there is some, as paragraphs are known there."""
    item = entry_item(_entry(parts), Language.GERMAN, fetch=False)

    assert item.release is not None
    assert (item.release.text, item.release.content_format) == (text, content_format)
    assert item.release.language is Language.GERMAN


def test_a_script_in_an_entry_is_left_out() -> None:
    """It is no text."""
    entry = _entry(
        '<content type="html">&lt;script&gt;x()&lt;/script&gt;&lt;p&gt;A&lt;/p&gt;</content>'
    )
    item = entry_item(entry, fetch=False)

    assert item.release is not None
    assert item.release.text == "<p>A</p>"


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("<title>A &lt; B</title>", "A < B"),
        ('<title type="html">A &lt;b&gt;B&lt;/b&gt; &amp;amp; C</title>', "A B & C"),
        ("<title>\n A\n B </title>", "A B"),
    ],
)
def test_a_title_is_plain(title: str, words: str) -> None:
    """Whether the feed writes it in HTML or not."""
    item = entry_item(_entry(f"{title}<summary>x</summary>"), fetch=False)

    assert item.release is not None
    assert item.release.title == words


def test_half_a_character_can_be_stored_and_sent() -> None:
    """A lone surrogate becomes a question mark."""
    item = entry_item({"id": "a\ud800", "summary_detail": {"value": "b\udfff"}}, fetch=False)

    assert item.release is not None
    assert item.release.text == "b?"


def test_a_digest_keeps_parts_apart() -> None:
    """What stands in one part can't be had by another cut."""
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")


def test_the_first_of_equal_items_stays() -> None:
    """In the order that was given."""
    items = [entry_item({"id": id_}, fetch=True) for id_ in "aba"]

    assert unique(items) == items[:2]

import pytest

from depesche.watch.parser import CUT_OFF, read
from tests.watch.support import TEXTS, Entry, rss

_ENTRIES = [Entry(guid=str(n), text=text) for n, text in enumerate(TEXTS)]
_LATIN = '<?xml version="1.0" encoding="iso-8859-1"?>'


def _ids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [entry["id"] for entry in answer["entries"]]


@pytest.mark.parametrize("content_type", ["application/rss+xml", "text/plain", "image/png", ""])
def test_a_wrong_content_type_harms_nothing(content_type: str) -> None:
    """What is a feed is read as one, and nothing is wrong with it."""
    answer = read(rss(_ENTRIES), {"content-type": content_type})

    assert _ids(answer) == ["0", "1", "2", "3"]
    assert answer["warning"] == ""


def test_a_wrong_character_set_harms_nothing() -> None:
    """Of the server's and the feed's, the better one is taken."""
    feed = _LATIN.encode() + rss(_ENTRIES).partition(b"?>")[2].decode().encode("iso-8859-1")
    answer = read(feed, {"content-type": "application/xml; charset=utf-8"})

    assert TEXTS[0] in str(answer["entries"])
    assert answer["warning"] == ""


def test_broken_xml_has_a_warning() -> None:
    """Its entries are there."""
    answer = read(rss(_ENTRIES).replace(b"<title>F", b"<title>F & G"), {})

    assert len(answer["entries"]) == 4
    assert answer["warning"] == "broken XML"


def test_of_a_feed_that_is_cut_off_the_last_entry_is_left_out() -> None:
    """Wherever it was cut."""
    whole = rss(_ENTRIES)
    second, third = (m + 6 for m in (whole.index(b"<item>", 400), whole.rindex(b"<item>")))
    for end in range(second, third, 37):
        answer = read(whole[:end], {})
        for entry in answer["entries"]:
            assert entry["summary_detail"]["value"] == f"<p>{TEXTS[int(entry['id'])]}</p>"
        assert answer["warning"] == CUT_OFF


def test_the_newest_entry_is_the_first() -> None:
    """Where each has a date; else they stay as they are."""
    dates = ["Mon, 02 Nov 2026 10:00:00 GMT", "Tue, 03 Nov 2026 10:00:00 GMT"]
    dated = [Entry(guid=date[5:7], date=date) for date in dates]

    assert _ids(read(rss(dated), {})) == ["03", "02"]
    assert _ids(read(rss([*dated, Entry(guid="x")]), {})) == ["02", "03", "x"]


@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"<html></html>", b"/etc/passwd", b"{}"])
def test_what_is_no_feed_is_said_to_be_none(content: bytes) -> None:
    """Nothing is read but what was given."""
    assert read(content, {}) == {"error": "isn't a feed"}

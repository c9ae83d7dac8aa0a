from contextlib import suppress
from itertools import pairwise

import pytest

from depesche.watch.fetching import FetchFailed
from depesche.watch.parsing import Bounds, parse
from tests.watch.support import Entry, rss

_HEAD = b'<?xml version="1.0"?><rss version="2.0"><channel><title>a</title>'


async def test_entries_are_those_of_the_feed() -> None:
    """With what makes them items, and nothing else."""
    parsed = await parse(rss([Entry(guid="a")]), {"content-type": "application/rss+xml"})

    assert parsed.warning == ""
    assert [entry["id"] for entry in parsed.entries] == ["a"]
    assert set(parsed.entries[0]) == {"id", "link", "title", "title_detail", "summary_detail"}


async def test_a_feed_that_takes_too_long_is_given_up() -> None:
    """A megabyte of open elements would take the parser most of a minute."""
    with pytest.raises(FetchFailed, match="takes too much computing"):
        await parse(_HEAD + b"<a>" * 350_000, {}, Bounds(cpu_seconds=1))


async def test_a_feed_that_takes_too_much_room_is_given_up() -> None:
    """The process of the reader has no more than it is given."""
    with pytest.raises(FetchFailed, match="can't be read"):
        await parse(rss([Entry()]), {}, Bounds(memory_bytes=2**20))


def _with_entities(declarations: str, used: bytes) -> bytes:
    doctype = f"<!DOCTYPE rss [{declarations}]>".encode()
    feed = rss([Entry(guid="a", text="HERE")]).replace(b"?>", b"?>" + doctype, 1)
    return feed.replace(b"HERE", used)


async def test_no_file_comes_into_a_feed() -> None:
    """Entities of other files are left out."""
    parsed = await parse(_with_entities('<!ENTITY f SYSTEM "file:///etc/passwd">', b"&f;"), {})

    assert "root:" not in str(parsed.entries)


async def test_a_bomb_of_entities_does_no_harm() -> None:
    """Ten levels of ten would be some ten thousand million letters."""
    names = "abcdefghijk"
    levels = pairwise(names)
    nested = "".join(f'<!ENTITY {upper} "{f"&{lower};" * 10}">' for lower, upper in levels)

    with suppress(FetchFailed):
        parsed = await parse(_with_entities(f'<!ENTITY a "a">{nested}', b"&k;"), {})
        assert len(str(parsed.entries)) < 10_000


async def test_entities_that_blow_a_feed_up_make_it_none() -> None:
    """Below what the parser itself finds too much, for the answer must be held as well."""
    declaration = f'<!ENTITY a "{"a" * 1000}">'

    with pytest.raises(FetchFailed, match="holds more than it seems to"):
        await parse(_with_entities(declaration, b"&a;" * 3000), {})

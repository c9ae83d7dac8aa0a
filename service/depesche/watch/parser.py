"""The process that reads one feed: `python -m depesche.watch.parser`, for `parsing` alone.

The parser takes a minute for the wrong megabyte, and can't be stopped but with its process. Its
input is a line of JSON (headers, limits), then the feed; its output is JSON, see `read`.
"""

import io
import json
import re
import resource
import sys
from collections.abc import Mapping
from typing import Any

import feedparser

__all__ = ["CUT_OFF", "read"]

CUT_OFF = "broken XML, cut off"
"""What is wrong with a feed whose end is missing."""

# A document that isn't cut off ends with one of these.
_END = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>\s*\Z", re.IGNORECASE)
_TAIL = 200
# How much longer JSON may be than what it is made of, which it may escape.
_BYTES_A_BYTE, _AROUND = 6, 100_000
_KEPT = ("id", "link", "title", "title_detail", "content", "summary_detail", "published", "updated")


def read(content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Read a feed in this process.

    Args:
        content: the feed.
        headers: `content-type` and `content-location`, as the server sent them.

    Returns:
        `entries`, those of feedparser, the newest first; and `warning`, what is wrong with the
        feed, or "". Or else `error`, why it can't be read.
    """
    try:
        # Of bytes, feedparser would try whether they name a file.
        parsed = feedparser.parse(io.BytesIO(content), response_headers=dict(headers))
    except Exception as error:  # noqa: BLE001 - a parser of anything may stumble in any way
        return {"error": f"can't be read ({type(error).__name__})"}
    if not parsed.get("version") and not parsed.entries:
        return {"error": "isn't a feed"}
    entries, warning = _whole(parsed, content)
    kept = [{key: entry[key] for key in _KEPT if key in entry} for entry in _by_age(entries)]
    return {"entries": kept, "warning": warning}


def _whole(parsed: Any, content: bytes) -> tuple[list[Any], str]:
    """Give the entries that are whole, and what is wrong with the feed."""
    entries = list(parsed.entries)
    error = parsed.get("bozo_exception")
    harmless = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
    if not parsed.get("bozo") or isinstance(error, harmless):
        return entries, ""
    if _END.search(content[-_TAIL:]):
        return entries, "broken XML"
    # It may have been cut anywhere, and a text with it.
    return entries[:-1], CUT_OFF


def _by_age(entries: list[Any]) -> list[Any]:
    """Put the newest first where each says when it was published; most feeds do so themselves."""
    dates = [entry.get("published_parsed") or entry.get("updated_parsed") for entry in entries]
    if not all(dates):
        return entries
    order = sorted(range(len(entries)), key=lambda place: dates[place], reverse=True)
    return [entries[place] for place in order]


def main() -> None:
    """Read the feed within the limits; time over is SIGXCPU, which ends the process."""
    asked = json.loads(sys.stdin.buffer.readline())
    seconds = asked["cpu_seconds"]
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory_bytes"],) * 2)
    # The harder limit kills without a word.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for none in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(none, (0, 0))
    content = sys.stdin.buffer.read()
    answer = json.dumps(read(content, asked["headers"]))
    if len(answer) > _AROUND + _BYTES_A_BYTE * len(content):  # by entities
        answer = json.dumps({"error": "holds more than it seems to"})
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()

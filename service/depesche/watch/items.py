"""Items: what a feed or a folder holds, what makes one the same as before, and what is its text."""

import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from depesche.types import ContentFormat, Language, Release

__all__ = ["Item", "Version", "digest", "entry_item", "unique"]

_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Version:
    """An item as it is at a time; two with equal values are the same, wherever they are met.

    Attributes:
        id: which item of its source it is, as a digest.
        content: what it says, as a digest.
    """

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something to brief.

    Attributes:
        version: what it is.
        release: its text; None where the page at `link` is to be read.
        link: address of its page, or a file's name; "" if there is none.
        published: when it was published, as its feed says it, else "".
        reason: why it can't be briefed, or "".
    """

    version: Version
    release: Release | None
    link: str = ""
    published: str = ""
    reason: str = ""


def digest(*parts: str | bytes) -> str:
    """Give the SHA-256 of parts, each apart from the others."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(content).to_bytes(8) + content)
    return total.hexdigest()


def entry_item(entry: Mapping[str, Any], language: Language | None = None, *, fetch: bool) -> Item:
    """Make an item of an entry of feedparser.

    An entry is the same as another by its id, without one by its link, and without that by what it
    says, so that a change makes it another.

    Args:
        entry: the entry.
        language: the language of its release, or None to have it detected.
        fetch: whether the page that it links to is its text.
    """
    text, content_format = _content(entry)
    title, link = _title(entry), _text(entry.get("link"))
    # An id that is no address is taken for a link too.
    link = link if link.startswith(("http://", "https://")) else ""
    content = digest(title, text)
    identity = next(
        (digest(kind, value) for kind in ("id", "link") if (value := _text(entry.get(kind)))),
        content,
    )
    reason = ""
    if fetch and not link:
        reason = "has no link to fetch"
    elif not fetch and not text.strip():
        reason = "has no text; the option fetch would read its page"
    return Item(
        Version(identity, content),
        None if fetch else Release(text, content_format, title, language),
        link=link,
        published=_text(entry.get("published") or entry.get("updated")),
        reason=reason,
    )


def unique(items: Iterable[Item]) -> Sequence[Item]:
    """Leave out items that say the same under the same id."""
    kept: dict[Version, Item] = {}
    for item in items:
        kept.setdefault(item.version, item)
    return list(kept.values())


def _content(entry: Mapping[str, Any]) -> tuple[str, ContentFormat]:
    """Take the whole text where the feed has it, else the summary."""
    details = [*entry.get("content", ()), entry.get("summary_detail")]
    written = [d for d in details if d and _text(d.get("value")).strip()]
    if not written:
        return "", ContentFormat.PLAIN
    kinds = ("text/html", "application/xhtml+xml")
    chosen = next((d for d in written if d.get("type") in kinds), written[0])
    is_html = chosen.get("type") in kinds
    return _text(chosen["value"]), ContentFormat.HTML if is_html else ContentFormat.PLAIN


def _title(entry: Mapping[str, Any]) -> str:
    title = _text(entry.get("title"))
    if entry.get("title_detail", {}).get("type") != "text/plain":
        title = html.unescape(_TAG.sub("", title))
    return " ".join(title.split())


def _text(value: object) -> str:
    """Make text that can be stored and sent: a reference may stand for half a character."""
    return str(value or "").encode("utf-8", "replace").decode()

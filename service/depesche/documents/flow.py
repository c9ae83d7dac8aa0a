"""The pages of a document made one text, without what only pages need."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from statistics import median

from depesche.documents.lines import Line
from depesche.documents.paragraphs import Paragraph, paragraphs

__all__ = ["flow"]

# Running heads and feet are among so many lines from the top and from the bottom.
_MARGIN = 2
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:Seite|S\.|Page|Стр(?:аница|\.)|ទំព័រ)\s*)?\d{1,3}(?:\s*(?:/|von|of|из)\s*\d{1,3})?\W*",
    re.IGNORECASE,
)
# A title's letters are larger than most by this.
_LARGER = 1.2
# Characters: what is longer is no title but text, and what is shorter a mark or a name.
_LONGEST_TITLE, _SHORTEST_TITLE = 250, 12


def flow(pages: Sequence[Sequence[Line]]) -> tuple[str, str]:
    """Make a text of the lines of pages, a blank line between its paragraphs.

    Page numbers are dropped, and so is what stands at the edge of half of the pages, of two at
    least. A title is the largest of the paragraphs on the first page before the text, if they are
    visibly larger than that.

    Returns:
        The title, or "" if none stands out, and the text without it.
    """
    kept = _without_running_heads(pages)
    found = paragraphs(kept)
    title = _title(found, [line for page in kept for line in page])
    text = "\n\n".join(p.text for p in found if p is not title)
    return (title.text if title else ""), text


def _without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    edges = [_edges(page) for page in pages]
    counts = Counter(key for edge in edges for key in set(map(_key, edge)))
    most = max(2, len(pages) / 2)

    def runs(line: Line) -> bool:
        text = line.text.strip()
        return counts[_key(line)] >= most or _PAGE_NUMBER.fullmatch(text) is not None

    return [
        [line for line in page if not (line in edge and runs(line))]
        for page, edge in zip(pages, edges, strict=True)
    ]


def _edges(page: Sequence[Line]) -> list[Line]:
    by_height = sorted(page, key=lambda line: line.y)
    return [*by_height[:_MARGIN], *by_height[-_MARGIN:]]


def _key(line: Line) -> str:
    """Give a line's text, but for its numbers."""
    return re.sub(r"\d+", "#", line.text.strip())


def _title(found: Sequence[Paragraph], lines: Sequence[Line]) -> Paragraph | None:
    usual = median([line.size for line in lines for _ in line.text] or [0])
    before = takewhile(lambda p: p.page == 0 and len(p.text) <= _LONGEST_TITLE, found)
    large = [p for p in before if p.size >= _LARGER * usual and len(p.text) >= _SHORTEST_TITLE]
    others = len(found) > 1
    return max(large, key=lambda p: p.size) if large and others else None

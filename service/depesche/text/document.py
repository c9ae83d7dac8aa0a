"""A release as its blocks: title, headings, paragraphs, and what frames them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from depesche.errors import InvalidRequest, Violation
from depesche.text.dateline import is_byline, is_dateline, split_dateline
from depesche.text.html import read_html
from depesche.text.layout import ends_sentence, list_marker, paragraphs
from depesche.text.mapped import MappedText
from depesche.text.markup import Element
from depesche.text.normalize import normalize, skeleton
from depesche.types import BlockKind, ContentFormat, Origin, Release

__all__ = ["Block", "read"]

# Characters. Headlines run to some 120; a longer line without a full stop has lost it.
_LONGEST_TITLE = 160
_LONGEST_HEADING = 100
# Bylines and datelines stand this many blocks from the beginning or the end at most.
_MARGIN = 5

_BREAKS = re.compile(r"\n+")
_FRAME = frozenset({BlockKind.BYLINE, BlockKind.DATELINE})
_TEXT = frozenset({BlockKind.LIST_ITEM, BlockKind.PARAGRAPH})
_TITLES = frozenset({"h1", "title"})
_HEADINGS = frozenset({"dt", "h2", "h3", "h4", "h5", "h6"})


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading or other part of a release.

    Attributes:
        kind: what it is.
        content: its text, normalised, with a map into the field that `origin` names.
        origin: the field of the request that it stands in.
    """

    kind: BlockKind
    content: MappedText
    origin: Origin = Origin.TEXT


def read(release: Release) -> tuple[Block, ...]:
    """Take a release apart into its blocks, in document order, the title field first.

    Markers of list items, the dash after a dateline and lines without a letter or digit are left
    out, and so is the title where the text repeats it. In `ContentFormat.LINES` each line is a
    paragraph, even a blank one.

    Raises:
        InvalidRequest: no block of the text holds a word.
    """
    title = _title(release.title)
    if release.content_format is ContentFormat.LINES:
        return (*title, *_lines(release.text))
    elements = _elements(release)
    if elements and _repeats(elements[0], title):
        del elements[0]
    blocks = _set_dateline_apart(_classify(elements, titled=bool(title)))
    if not any(character.isalpha() for block in blocks for character in block.content.text):
        raise InvalidRequest([Violation("release.text", "holds no words")])
    return (*title, *blocks)


def _title(source: str) -> tuple[Block, ...]:
    title = _one_line(normalize(source))
    return (Block(BlockKind.TITLE, title, Origin.TITLE),) if skeleton(title.text) else ()


def _lines(source: str) -> list[Block]:
    """Take each line as it is; a line feed at the very end begins no other line."""
    blocks, start = [], 0
    for line in source.removesuffix("\n").split("\n"):
        content = _one_line(normalize(line).onto(MappedText.identity(line, start)))
        blocks.append(Block(BlockKind.PARAGRAPH, content))
        start += len(line) + 1
    return blocks


def _one_line(text: MappedText) -> MappedText:
    breaks = _BREAKS.finditer(text.text)
    return text.rewrite((*line_break.span(), " ") for line_break in breaks).strip()


def _elements(release: Release) -> list[Element]:
    """Cut a release into paragraphs, marked as HTML would mark them."""
    if release.content_format is ContentFormat.HTML:
        found = read_html(release.text)
        elements = [Element(e.tag, part) for e in found for part in paragraphs(e.content)]
    else:
        elements = [Element("p", part) for part in paragraphs(normalize(release.text))]
    return [element for element in elements if skeleton(element.content.text)]


def _repeats(element: Element, title: Sequence[Block]) -> bool:
    return any(skeleton(element.content.text) == skeleton(b.content.text) for b in title)


def _classify(elements: Sequence[Element], *, titled: bool) -> list[Block]:
    """Tell what each element is; without a paragraph among them, all are paragraphs."""
    tagged = any(element.tag in _TITLES for element in elements)
    blocks: list[Block] = []
    for place, element in enumerate(elements):
        may_be_title = not titled and (not tagged or element.tag in _TITLES)
        kind = _kind(elements, place, may_be_title=may_be_title)
        titled = titled or (kind not in _FRAME and may_be_title)
        start = _marker_end(elements, place)
        blocks.append(Block(kind, element.content.slice(start, len(element.content))))
    if any(block.kind in _TEXT for block in blocks):
        return blocks
    return [replace(block, kind=BlockKind.PARAGRAPH) for block in blocks]


def _kind(elements: Sequence[Element], place: int, *, may_be_title: bool) -> BlockKind:
    tag, text = elements[place].tag, elements[place].content.text
    if tag in _TITLES or tag in _HEADINGS:
        return BlockKind.TITLE if may_be_title and tag in _TITLES else BlockKind.HEADING
    if tag == "li" or _marker_end(elements, place):
        return BlockKind.LIST_ITEM
    if min(place, len(elements) - 1 - place) < _MARGIN:
        if is_byline(text):
            return BlockKind.BYLINE
        if is_dateline(text):
            return BlockKind.DATELINE
    return _kind_of_line(elements, place, may_be_title=may_be_title)


def _kind_of_line(elements: Sequence[Element], place: int, *, may_be_title: bool) -> BlockKind:
    """Tell titles and headings, which no full stop ends and more text follows."""
    text = elements[place].content.text
    if ends_sentence(text) or place + 1 == len(elements):
        return BlockKind.PARAGRAPH
    if may_be_title and len(text) <= _LONGEST_TITLE:
        return BlockKind.TITLE
    following = elements[place + 1].content.text
    before_text = ends_sentence(following) or len(following) > _LONGEST_HEADING
    heads = len(text) <= _LONGEST_HEADING and before_text
    return BlockKind.HEADING if heads else BlockKind.PARAGRAPH


def _marker_end(elements: Sequence[Element], place: int) -> int:
    """Tell where the marker of a list item ends, or 0.

    «1.» is a marker only beside «2.»: in German «1. Mai» is a date.
    """
    marker = list_marker(elements[place].content.text)
    if marker is None:
        return 0
    if marker["number"]:
        beside = (*elements[max(place - 1, 0) : place], *elements[place + 1 : place + 2])
        found = (list_marker(element.content.text) for element in beside)
        numbers = {int(match["number"]) for match in found if match and match["number"]}
        if numbers.isdisjoint({int(marker["number"]) - 1, int(marker["number"]) + 1}):
            return 0
    return marker.end()


def _set_dateline_apart(blocks: Sequence[Block]) -> list[Block]:
    """Split the dateline off the first paragraph, where it opens with one."""
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.PARAGRAPH:
            end, start = split_dateline(block.content.text)
            dateline = Block(BlockKind.DATELINE, block.content.slice(0, end))
            text = Block(BlockKind.PARAGRAPH, block.content.slice(start, len(block.content)))
            parts = [dateline, text] if end else [block]
            return [*blocks[:place], *parts, *blocks[place + 1 :]]
    return list(blocks)

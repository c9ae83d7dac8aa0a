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
from depesche.text.normalize import has_words, normalize, skeleton
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
    elements = _without(_elements(release), title)
    blocks = _set_dateline_apart(_classify(elements, titled=bool(title)))
    if not any(character.isalpha() for block in blocks for character in block.content.text):
        raise InvalidRequest([Violation("release.text", "holds no words")])
    return (*title, *blocks)


def _title(source: str) -> tuple[Block, ...]:
    title = _one_line(normalize(source))
    return (Block(BlockKind.TITLE, title, Origin.TITLE),) if has_words(title.text) else ()


def _lines(source: str) -> list[Block]:
    """Take each line as it is; a line feed at the very end begins no other line."""
    blocks, start = [], 0
    for line in source.removesuffix("\n").split("\n"):
        content = MappedText.identity("")
        if line.strip():
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
    return [element for element in elements if has_words(element.content.text)]


def _without(elements: Sequence[Element], title: Sequence[Block]) -> list[Element]:
    """Drop the repetition of the title from the first elements."""
    titles = {skeleton(block.content.text) for block in title}
    begin = [e for e in elements[:_MARGIN] if skeleton(e.content.text) not in titles]
    return [*begin, *elements[_MARGIN:]]


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
    short = len(text) <= _LONGEST_HEADING
    heads = short and not _is_short_text(elements[place + 1].content.text)
    return BlockKind.HEADING if heads else BlockKind.PARAGRAPH


def _is_short_text(text: str) -> bool:
    """Tell whether a line could be a heading itself: then the line before it heads nothing."""
    frames = is_byline(text) or is_dateline(text)
    return not (frames or ends_sentence(text)) and len(text) <= _LONGEST_HEADING


def _marker_end(elements: Sequence[Element], place: int) -> int:
    """Tell where the marker of a list item ends, or 0.

    «1.» is a marker only before «2.», or after «0.»: in German «1. Mai» is a date.
    """
    marker = list_marker(elements[place].content.text)
    if marker is None:
        return 0
    if marker["number"]:
        number = int(marker["number"])
        follows = _number(elements, place - 1) == number - 1
        if not (follows or _number(elements, place + 1) == number + 1):
            return 0
    return marker.end()


def _number(elements: Sequence[Element], place: int) -> int | None:
    """Read the number that an element opens with, if there is such an element and number."""
    if not 0 <= place < len(elements):
        return None
    marker = list_marker(elements[place].content.text)
    return int(marker["number"]) if marker and marker["number"] else None


def _set_dateline_apart(blocks: Sequence[Block]) -> list[Block]:
    """Split the dateline off the first paragraph of sentences, where it opens with one."""
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.PARAGRAPH:
            end, start = split_dateline(block.content.text)
            if end:
                dateline = Block(BlockKind.DATELINE, block.content.slice(0, end))
                text = block.content.slice(start, len(block.content))
                parts = dateline, Block(BlockKind.PARAGRAPH, text)
                return [*blocks[:place], *parts, *blocks[place + 1 :]]
            if ends_sentence(block.content.text):
                break
    return list(blocks)

"""The paragraphs of a page, told from how its lines are laid out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from depesche.documents.lines import Line, joined
from depesche.text.layout import ends_sentence, list_marker

__all__ = ["Paragraph", "paragraphs"]

# By so much a gap is larger than that between lines, and letters than those before.
_GAP, _SIZE = 1.3, 1.15
# Lines are no further apart than so many of their heights, and usually so many; of few gaps none
# need be between lines.
_FARTHEST = 3
_USUAL_PITCH = 1.2
_FEW = 6
# A line that ends left of this part of its block's width is the last of a heading or the like.
_SHORT = 0.7
# What an indented line is set in by at least, in heights of a line.
_INDENT = 0.8
_LONGEST_WORD = 25  # characters; a longer "word" is Khmer, which may break inside


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, heading or list item.

    Attributes:
        text: its text, on one line.
        size: height of its first line.
        page: index of the page on which it begins.
    """

    text: str
    size: float
    page: int


@dataclass(slots=True)
class _Piece:
    """Lines that belong together, up to the end of a column or page at most.

    Attributes:
        lines: the lines; one at least.
        right: where the lines of its block end that are full.
        page: index of the page.
        column: index of the column among all of all pages.
    """

    lines: list[Line]
    right: float
    page: int
    column: int


def paragraphs(pages: Sequence[Sequence[Line]]) -> list[Paragraph]:
    """Put the lines of pages together to paragraphs.

    A paragraph ends where the next line is further away than lines of a paragraph are, is larger
    or smaller, is indented or begins with a bullet, or would have had room for its first word on
    the line before, unless it goes on in small letters. Over the end of a page or column it goes
    on if its sentence does.
    """
    merged: list[_Piece] = []
    for piece in _pieces(pages, _pitch(pages)):
        if merged and merged[-1].column != piece.column and _resumes(merged[-1], piece):
            piece.lines = merged.pop().lines + piece.lines
        merged.append(piece)
    return [Paragraph(joined(p.lines), p.lines[0].size, p.page) for p in merged]


def _pitch(pages: Sequence[Sequence[Line]]) -> float:
    """Tell how far lines of a paragraph are apart, as a multiple of their height."""
    pairs = [pair for page in pages for pair in pairwise(page)]
    gaps = sorted((a.y - b.y) / b.size for a, b in pairs if 0 < a.y - b.y < _FARTHEST * b.size)
    if len(gaps) < _FEW:
        return min([*gaps, _USUAL_PITCH])
    # Some are gaps between paragraphs, which are wider; the third part is one between lines.
    return gaps[len(gaps) // 3]


def _pieces(pages: Sequence[Sequence[Line]], pitch: float) -> Iterator[_Piece]:
    column = 0
    for number, page in enumerate(pages):
        above: Line | None = None
        column += 1
        for block in _blocks(page, pitch):
            column += above is not None and block[0].y > above.y
            above = block[-1]
            left, right = min(x.left for x in block), max(x.right for x in block)
            for lines in _parts(block, left, right):
                yield _Piece(lines, right, number, column)


def _blocks(page: Sequence[Line], pitch: float) -> Iterator[list[Line]]:
    """Cut a page where lines are far apart, go up again, or change their size."""
    block: list[Line] = []
    for line in page:
        if block and _is_apart(block[-1], line, pitch):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _is_apart(line: Line, following: Line, pitch: float) -> bool:
    gap = (line.y - following.y) / following.size
    return not 0 <= gap <= _GAP * pitch or not _same_size(line, following)


def _same_size(line: Line, following: Line) -> bool:
    return max(line.size, following.size) <= _SIZE * min(line.size, following.size)


def _parts(block: Sequence[Line], left: float, right: float) -> Iterator[list[Line]]:
    part: list[Line] = []
    for line in block:
        if part and _ends(part, line, left, right):
            yield part
            part = []
        part.append(line)
    yield part


def _ends(part: Sequence[Line], following: Line, left: float, right: float) -> bool:
    """Tell whether a paragraph ends between two lines of a block."""
    line = part[-1]
    over = ends_sentence(line.text.rstrip())
    if _begins_item(following.text, after_sentence=over or bool(list_marker(part[0].text))):
        return True
    if over and len(part) > 1 and following.left > line.left + _INDENT * line.size:
        return True
    if not _has_room(line, following, right) or following.text[0].islower():
        return False
    return over or line.right - left < _SHORT * (right - left)


def _begins_item(text: str, *, after_sentence: bool) -> bool:
    """Tell whether a line begins a list item; inside a sentence «9. August» or a dash doesn't."""
    marker = list_marker(text)
    if marker is None:
        return False
    return after_sentence or not (marker["number"] or text[0] in "-–—")


def _has_room(line: Line, following: Line, right: float) -> bool:
    """Tell whether the next line's first word would have had room on a line."""
    word = min(len(following.text.split(" ", 1)[0]), _LONGEST_WORD)
    letter = (following.right - following.left) / len(following.text.rstrip())
    return line.right + (word + 1) * letter < right


def _resumes(piece: _Piece, following: _Piece) -> bool:
    """Tell whether a paragraph goes on in the next column or on the next page."""
    line, next_line = piece.lines[-1], following.lines[0]
    if ends_sentence(line.text.rstrip()) or not _same_size(line, next_line):
        return False
    if list_marker(next_line.text):
        return False
    return next_line.text[0].islower() or not _has_room(line, next_line, piece.right)

"""The paragraphs of a plain text, told from how its lines are laid out."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from depesche.text.mapped import MappedText

__all__ = ["ends_sentence", "list_marker", "paragraphs"]

_MARKER = re.compile(
    r"(?:[-•*·‣▪▫◦●○■□►–—]|(?:\d{1,2}|[a-zа-я])\)|(?P<number>\d{1,2})\.)[ ]+(?=\S)"
)
# «– Ja, – sagte der Minister»: a dash that comes back opens direct speech in Russian.
_SPEECH = re.compile(r"[–—] .*?[,.!?…] [–—] ")
_END = re.compile(r"[.!?…:;។៕៖៚][\"'“”’»«›‹)\]]*$")

# Mail is wrapped at 72 to 80 columns; a text whose longest line is outside these isn't wrapped.
_NARROWEST, _WIDEST = 40, 100
# How much shorter than the widest line a full line may be: a hanging indent, now gone.
_SLACK = 4
# A next "word" longer than this is Khmer, which may break inside.
_LONGEST_WORD = 25


def paragraphs(text: MappedText) -> list[MappedText]:
    """Cut a normalised text into paragraphs and list items; blank lines are dropped.

    A blank line ends a paragraph. So does any line end, unless the text is hard-wrapped: then a
    line goes on in the next one if that one's first word had no more room on it. A text counts as
    hard-wrapped if no line is longer than 100 columns, at least a third of its lines are full in
    this sense, at least half of those end inside a sentence, and one goes on in small letters.
    """
    unwrapped = text.rewrite(_joins(text.text.split("\n")))
    return [line for line in _lines(unwrapped) if line.text]


def list_marker(text: str) -> re.Match[str] | None:
    """Find the bullet or number that `text` opens with, if any; `number` is set for «1.»."""
    return None if _SPEECH.match(text) else _MARKER.match(text)


def ends_sentence(text: str) -> bool:
    """Tell whether `text` ends in a mark that ends a sentence, or introduces what follows."""
    return _END.search(text[-10:]) is not None


def _lines(text: MappedText) -> Iterator[MappedText]:
    start = 0
    for line in text.text.split("\n"):
        yield text.slice(start, start + len(line)).strip()
        start += len(line) + 1


def _joins(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Turn each line end inside a paragraph into a space."""
    width = _wrap_width(lines)
    place = -1
    for line, following in pairwise(lines):
        place += len(line) + 1
        if width and _is_full(line, following, width):
            compound = line[-2:-1].isalpha() and line[-1] == "-" and following[0].isupper()
            yield place, place + 1, "" if compound else " "


def _wrap_width(lines: Sequence[str]) -> int:
    """Tell the column at which a text is hard-wrapped, or 0."""
    width = max(map(len, lines))
    pairs = [pair for pair in pairwise(lines) if all(pair) and not _begins_item(*pair)]
    full = [pair for pair in pairs if _is_full(*pair, width)]
    open_ended = [following for line, following in full if not ends_sentence(line)]
    continued = any(
        following[0].isalpha() and not following[0].isupper() for following in open_ended
    )
    wrapped = continued and 3 * len(full) >= len(pairs) and 2 * len(open_ended) >= len(full)
    return width if wrapped and _NARROWEST <= width <= _WIDEST else 0


def _is_full(line: str, following: str, width: int) -> bool:
    """Tell whether the next line's first word had no room on `line`."""
    if not (line and following) or _begins_item(line, following):
        return False
    word = min(len(following.split(" ", 1)[0]), _LONGEST_WORD)
    return len(line) + 1 + word > width - _SLACK


def _begins_item(line: str, following: str) -> bool:
    """Tell whether a list item begins below `line`.

    Inside a sentence a line may well begin with a dash, or with a date such as «9. August».
    """
    marker = list_marker(following)
    if marker is None or not (marker["number"] or following[0] in "-–—"):
        return marker is not None
    return ends_sentence(line) or list_marker(line) is not None

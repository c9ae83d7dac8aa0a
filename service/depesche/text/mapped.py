"""Text that remembers where each of its characters came from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from depesche.types import Span

__all__ = ["MappedText"]


@dataclass(frozen=True, slots=True)
class MappedText:
    """A text derived from a source, with the source range behind each character.

    Attributes:
        text: the derived text.
        starts: for each character of `text`, where its source begins.
        ends: for each character of `text`, where its source ends (exclusive).
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def identity(cls, text: str, offset: int = 0) -> Self:
        """Map `text` onto itself, standing at `offset` in its source."""
        size = len(text)
        return cls(text, range(offset, offset + size), range(offset + 1, offset + size + 1))

    def __len__(self) -> int:
        return len(self.text)

    def slice(self, start: int, end: int) -> "MappedText":
        """Take `text[start:end]` with its map."""
        return MappedText(self.text[start:end], self.starts[start:end], self.ends[start:end])

    def strip(self) -> "MappedText":
        """Take the text without white space around it."""
        start = len(self.text) - len(self.text.lstrip())
        return self.slice(start, max(start, len(self.text.rstrip())))

    def span(self, start: int, end: int) -> Span:
        """Tell the source range behind `text[start:end]`, which must not be empty."""
        return Span(self.starts[start], self.ends[end - 1])

    def rewrite(self, edits: Iterable[tuple[int, int, str]]) -> "MappedText":
        """Replace ranges of the text; each new character maps to the whole range it replaces.

        Args:
            edits: start, end and replacement of each range; in order, not overlapping, not empty.
        """
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, replacement in (*edits, (len(self), len(self), "")):
            parts += self.text[done:start], replacement
            starts.extend(self.starts[done:start])
            ends.extend(self.ends[done:start])
            if replacement:
                starts.extend([self.starts[start]] * len(replacement))
                ends.extend([self.ends[end - 1]] * len(replacement))
            done = end
        return MappedText("".join(parts), starts, ends)

    def onto(self, base: "MappedText") -> "MappedText":
        """Map this text, derived from `base.text`, onto the source of `base`."""
        starts = [base.starts[start] for start in self.starts]
        ends = [base.ends[end - 1] for end in self.ends]
        return MappedText(self.text, starts, ends)

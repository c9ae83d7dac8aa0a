"""The seam between the pipeline and whatever runs a model that reads text and writes text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from depesche.types import Language

__all__ = ["Hypothesis", "TranslationBackend"]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a model wrote for one segment.

    Attributes:
        text: the English.
        score: mean log-probability per target token; 0 is certain.
        tokens: target tokens, the end token not counted.
        truncated: whether the model was stopped at its output limit instead of ending by itself.
    """

    text: str
    score: float
    tokens: int
    truncated: bool


class TranslationBackend(Protocol):
    """A loaded model that translates, or shortens English by sentences of its own.

    Its methods block and may be called from several threads.
    """

    @property
    def max_source_tokens(self) -> int:
        """The longest segment that the model translates well, in source tokens."""
        ...

    @property
    def quantisation(self) -> str:
        """The compute type in use, such as `int8_float32`."""
        ...

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:
        """Cut one segment into the model's source tokens.

        Args:
            text: the segment.
            language: its language, for models that read several and must be told.
        """
        ...

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch of tokenised segments, each by its best hypothesis.

        Args:
            batch: source tokens of each segment, from `tokenize`.
            beam_size: 1 for greedy search, else the width of the beam.
        """
        ...

    def close(self) -> None:
        """Free the model's memory. Calls after this one are errors."""
        ...

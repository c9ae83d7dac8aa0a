"""A backend without a model, for tests of everything around one."""

import threading
from collections.abc import Callable, Sequence

from depesche.inference.backend import Hypothesis
from depesche.types import Language

__all__ = ["FakeBackend"]


class FakeBackend:
    """Translates by a function from source text to English; tokens are words.

    Attributes:
        history: every batch that was translated, as its segments' texts, in order.
        beams: the width of the beam of each of these batches.
        begun: how many batches have begun.
        gate: cleared, it holds every batch until it is set again.
    """

    quantisation = "none"

    def __init__(
        self, handler: Callable[[str], str | Hypothesis] = str, *, max_source_tokens: int = 100
    ) -> None:
        """Make a backend.

        Args:
            handler: gives the English of a segment, or a whole hypothesis, or raises.
            max_source_tokens: longest segment in words.
        """
        self.max_source_tokens = max_source_tokens
        self.history: list[list[str]] = []
        self.beams: list[int] = []
        self.begun = 0
        self.gate = threading.Event()
        self.gate.set()
        self._handler = handler

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:  # noqa: ARG002
        """Cut a segment at white space, which stays with the word before it."""
        return text.split(" ")

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch by the handler; see `TranslationBackend`."""
        self.begun += 1
        self.gate.wait()
        texts = [" ".join(tokens) for tokens in batch]
        self.history.append(texts)
        self.beams.append(beam_size)
        return [self._hypothesis(text) for text in texts]

    def _hypothesis(self, text: str) -> Hypothesis:
        reply = self._handler(text)
        if isinstance(reply, Hypothesis):
            return reply
        return Hypothesis(reply, score=-0.1, tokens=len(reply.split()), truncated=False)

    def close(self) -> None:
        """Do nothing: there is no memory to free."""

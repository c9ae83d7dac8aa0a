"""What inference tells whoever measures it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

__all__ = ["NULL_OBSERVER", "DropReason", "NullObserver", "Observer", "QueueStatistics"]


class DropReason(StrEnum):
    """Why a queued segment was never translated."""

    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """The state of a queue at one moment.

    Attributes:
        segments: waiting segments by priority.
        tokens: source tokens that wait.
        oldest_seconds: how long the oldest segment has waited; 0 if none waits.
        seconds: how long all workers together take for what waits, by priority and by the rate of
            the last batches.
    """

    segments: dict[str, int]
    tokens: int
    oldest_seconds: float
    seconds: dict[str, float]


class Observer(Protocol):
    """Receives measurements of the models' queues; called on the event loop."""

    def waited(self, model: str, seconds: float) -> None:
        """Note that a batch had waited for `seconds` when a worker took it."""
        ...

    def batch_started(self, model: str, segments: int, tokens: int) -> None:
        """Note a batch of so many segments, and of `tokens` with padding and times its beam."""
        ...

    def batch_finished(self, model: str, seconds: float) -> None:
        """Note that a batch kept a worker busy for `seconds`."""
        ...

    def tokens(self, model: str, direction: Literal["source", "target"], count: int) -> None:
        """Note that the model read or wrote `count` tokens."""
        ...

    def dropped(self, reason: DropReason, segments: int) -> None:
        """Note that `segments` were dropped before they ran."""
        ...


class NullObserver:
    """Measures nothing."""

    def waited(self, model: str, seconds: float) -> None:
        """Ignore it."""

    def batch_started(self, model: str, segments: int, tokens: int) -> None:
        """Ignore it."""

    def batch_finished(self, model: str, seconds: float) -> None:
        """Ignore it."""

    def tokens(self, model: str, direction: Literal["source", "target"], count: int) -> None:
        """Ignore it."""

    def dropped(self, reason: DropReason, segments: int) -> None:
        """Ignore it."""


NULL_OBSERVER = NullObserver()

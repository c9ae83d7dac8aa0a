"""The learning rate and the order of the batches: pure functions, so that a run can be resumed."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.training import data
from models.training.text import Pair

__all__ = ["Example", "Progress", "Settings", "batches", "rate", "stream"]

_POOL = 100
"""Batches among which pairs of like length are brought together."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a run, beside its data.

    Attributes:
        rate: highest learning rate.
        warmup: steps in which it is reached.
        tokens: most tokens of a batch, padding included.
        accumulate: batches per step.
        longest: most tokens of an example; longer ones are left out.
        averaging: share of the averaged weights that each step keeps, below 1.
        clip: largest norm of the gradient.
        decay: weight decay of AdamW.
        embeddings: whether the embeddings are trained.
        dropout: share of each sublayer's output that is dropped while training.
        consistency: weight of the distance between what two droppings of a batch tell (R-Drop,
            arXiv:2106.14448); 0 for one pass alone. Two cost twice the time.
        seed: of the order of the data.
    """

    rate: float = 5e-5
    warmup: int = 100
    tokens: int = 4096
    accumulate: int = 1
    longest: int = 320
    averaging: float = 0.997
    clip: float = 1.0
    decay: float = 0.01
    embeddings: bool = False
    dropout: float = 0.0
    consistency: float = 0.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Example:
    """A pair in tokens.

    Attributes:
        prompt: `<bos>`, the source's pieces, `<start_of_turn>`.
        answer: the English pieces, `<eos>`.
    """

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(slots=True)
class Progress:
    """Where a run is.

    Attributes:
        step: steps made.
        epoch: the epoch, counted from 0.
        batch: batches of the epoch that were used.
        pairs: sentence pairs seen, repetitions included.
        best: lowest mean validation loss of the averaged weights so far.
        worse: validations since then.
        decay_start: step at which the learning rate began to fall, if it did.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    pairs: int = 0
    best: float = float("inf")
    worse: int = 0
    decay_start: int | None = None


def rate(step: int, settings: Settings, decay_start: int | None = None, decay: int = 0) -> float:
    """Return the learning rate of a step, counted from 0.

    It rises linearly, then stays, so that a run has no fixed end; a run that is to end falls to
    zero linearly over `decay` steps from `decay_start` (warm-up, stable, decay: arXiv:2405.18392).
    """
    risen = min(1.0, (step + 1) / settings.warmup)
    fallen = 0.0 if decay_start is None else (step - decay_start) / decay
    return settings.rate * risen * max(0.0, 1.0 - fallen)


def batches(
    lengths: Sequence[int], order: Sequence[int], tokens: int, seed: str
) -> list[list[int]]:
    """Cut an epoch into batches of at most `tokens` tokens, padding included.

    Pairs of like length come together, yet only within a pool of some hundred batches, and the
    batches of a pool are shuffled: lengths stay mixed over time.

    Args:
        lengths: tokens of each example.
        order: positions in `lengths`, in the epoch's order.
        tokens: most tokens of a batch; a longer example makes a batch alone.
        seed: of the shuffling.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    result = []
    for pool in _pools(lengths, order, tokens * _POOL):
        cut = list(_cut(sorted(pool, key=lambda position: lengths[position]), lengths, tokens))
        chance.shuffle(cut)
        result += cut
    return result


def _pools(lengths: Sequence[int], order: Iterable[int], size: int) -> Iterator[list[int]]:
    pool: list[int] = []
    filled = 0
    for position in order:
        pool.append(position)
        filled += lengths[position]
        if filled >= size:
            yield pool
            pool, filled = [], 0
    if pool:
        yield pool


def _cut(pool: Iterable[int], lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for position in pool:
        # The pool is sorted, so the newest is the longest.
        if batch and lengths[position] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def stream(
    pairs: Sequence[Pair], lengths: Sequence[int], settings: Settings, progress: Progress
) -> Iterator[list[list[int]]]:
    """Yield the batches of each step without end, from where a run is.

    Each batch is a list of positions in `pairs`. The run's epoch and batch are moved on as a step's
    batches are handed out, so that whoever resumes from `progress` gets what would have come next.

    Args:
        pairs: the training data.
        lengths: tokens of each pair.
        settings: the run's.
        progress: where it is; changed.
    """
    while True:
        order = data.epoch(pairs, progress.epoch, settings.seed)
        seed = f"{settings.seed} {progress.epoch}"
        cut = batches(lengths, order, settings.tokens, seed)
        while progress.batch < len(cut):
            group = cut[progress.batch : progress.batch + settings.accumulate]
            progress.batch += len(group)
            yield group
        progress.epoch, progress.batch = progress.epoch + 1, 0

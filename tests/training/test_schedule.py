import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.schedule import Progress, Settings, batches, rate, stream
from models.training.text import Pair

PAIRS = [Pair(f"Satz {n}", f"Sentence {n}", "de", "pud") for n in range(40)]
LENGTHS = [5 + n % 7 for n in range(40)]
SETTINGS = Settings(tokens=30, accumulate=2)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (100_000, 1.0)],
)
def test_rate_rises_and_stays(step: int, expected: float) -> None:
    """A run without a planned end warms up, then keeps its learning rate."""
    assert rate(step, Settings(rate=1.0, warmup=10)) == pytest.approx(expected)


@pytest.mark.parametrize(("step", "expected"), [(50, 1.0), (60, 0.5), (69, 0.05), (71, 0.0)])
def test_rate_falls_when_a_run_is_to_end(step: int, expected: float) -> None:
    """From the step at which the decay starts the rate falls to zero, and not below."""
    fallen = rate(step, Settings(rate=1.0, warmup=10), decay_start=50, decay=20)
    assert fallen == pytest.approx(expected)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=200), st.integers(1, 100))
@settings(deadline=None, max_examples=100)
def test_batches_hold_everything_once_and_fit(lengths: list[int], tokens: int) -> None:
    """Each example is in one batch; no batch of several exceeds the tokens, padding included."""
    cut = batches(lengths, range(len(lengths)), tokens, "seed")
    assert sorted(itertools.chain(*cut)) == list(range(len(lengths)))
    for batch in cut:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= tokens


def test_lengths_stay_mixed_over_time() -> None:
    """The batches of an epoch don't run from short to long."""
    lengths = list(range(1, 101))
    sizes = [max(lengths[i] for i in batch) for batch in batches(lengths, range(100), 100, "seed")]
    assert sizes != sorted(sizes)


def test_padding_is_small() -> None:
    """Sentences of like length share a batch."""
    lengths = [1 + n * 37 % 90 for n in range(2000)]
    cut = batches(lengths, range(2000), 1000, "seed")
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in cut)
    assert padded < 1.1 * sum(lengths)


def test_a_resumed_run_sees_what_it_would_have_seen() -> None:
    """Whatever the step at which a run stops, the data go on where they were, over epochs too."""
    whole = list(itertools.islice(stream(PAIRS, LENGTHS, SETTINGS, Progress()), 20))
    for stop in range(1, 20):
        progress = Progress()
        begun = list(itertools.islice(stream(PAIRS, LENGTHS, SETTINGS, progress), stop))
        resumed = stream(PAIRS, LENGTHS, SETTINGS, Progress(**vars_of(progress)))
        assert begun + list(itertools.islice(resumed, 20 - stop)) == whole


def vars_of(progress: Progress) -> dict[str, int]:
    return {"epoch": progress.epoch, "batch": progress.batch}


def test_an_epoch_ends_before_the_next_begins() -> None:
    """All pairs come once before any comes again, and in another order then."""
    progress = Progress()
    steps = stream(PAIRS, LENGTHS, SETTINGS, progress)
    epochs: dict[int, list[int]] = {}
    while progress.epoch < 2:
        group = next(steps)
        epochs.setdefault(progress.epoch, []).extend(itertools.chain(*group))
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(40))
    assert epochs[0] != epochs[1]

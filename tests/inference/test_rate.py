import pytest

from depesche.inference.rate import Rate
from tests.server.clock import Clock


def test_the_rate_follows_what_is_measured() -> None:
    """After some batches the rates are those of the batches, for all workers and for one."""
    rate = Rate(2)
    for _ in range(600):
        rate.add(first=100, work=150, seconds=0.5)

    assert rate.tokens_per_second == pytest.approx(400, rel=0.05)
    assert rate.work_per_second == pytest.approx(300, rel=0.05)


def test_what_is_decoded_again_takes_time_and_counts_for_nothing() -> None:
    """Time spent on second decodings lowers the rate at which new calls are served."""
    rate = Rate(1)
    for _ in range(300):
        rate.add(first=100, work=100, seconds=0.5)
        rate.add(first=0, work=400, seconds=0.5)

    assert rate.tokens_per_second == pytest.approx(100, rel=0.05)
    assert rate.work_per_second == pytest.approx(500, rel=0.05)


def test_a_run_of_second_decodings_does_not_hide_what_was_measured() -> None:
    """The rate just after a release's second decodings is near its mean over whole releases."""
    rate = Rate(1)
    for _ in range(40):
        for _ in range(3):
            rate.add(first=200, work=240, seconds=1.0)
        for _ in range(30):
            rate.add(first=0, work=120, seconds=0.3)

    assert rate.tokens_per_second == pytest.approx(600 / 12, rel=0.2)


def test_a_machine_that_stood_still_is_not_held_slow() -> None:
    """One batch that took ten minutes says little, where thousands said another thing."""
    rate = Rate(1)
    for _ in range(600):
        rate.add(first=150, work=150, seconds=0.5)
    rate.add(first=150, work=150, seconds=600)

    assert rate.work_per_second > 50


def test_a_low_rate_fades_while_nothing_is_done() -> None:
    """It may be why nothing is done; a high one stays, and so does the first guess."""
    clock = Clock()
    slow, fast = Rate(2, clock), Rate(2, clock)
    guess, work = slow.tokens_per_second, slow.work_per_second
    for _ in range(100):
        slow.add(first=1, work=1, seconds=10)
        fast.add(first=5_000, work=5_000, seconds=10)
    before = fast.work_per_second
    assert slow.work_per_second < 1

    clock.now = 600
    assert slow.work_per_second == pytest.approx(work, rel=0.01)
    assert slow.tokens_per_second == pytest.approx(guess, rel=0.01)
    assert fast.work_per_second == before


def test_an_unmeasured_model_has_a_rate() -> None:
    """Before the first batch a cautious guess stands in, and it is never zero."""
    assert Rate(2).tokens_per_second > 0
    still = Rate(1)
    for _ in range(2_000):
        still.add(first=0, work=0, seconds=10.0)
    assert still.tokens_per_second > 0

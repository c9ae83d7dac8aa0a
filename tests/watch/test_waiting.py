import asyncio
from email.utils import formatdate

import pytest

from depesche.watch.waiting import Backoff, SystemClock, retry_after

_NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (formatdate(_NOW + 60, usegmt=True), 60.0),
        (formatdate(_NOW + 60), 60.0),
        (formatdate(_NOW - 60, usegmt=True), 0.0),
        ("99999999999999999999", 86_400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """A date that has passed is now, and what can't be read is nothing."""
    assert retry_after(value, _NOW) == seconds


def test_waits_double_up_to_a_cap() -> None:
    """However many failures there were."""
    backoff = Backoff(2.0, 10.0, lambda: 1.0)

    assert [backoff.wait(n) for n in (1, 2, 3, 4, 5_000)] == [2, 4, 8, 10, 10]


def test_chance_shortens_a_wait_to_half_at_most() -> None:
    """So that not all who failed at once come again at once."""
    assert Backoff(2.0, 10.0, lambda: 0.0).wait(3) == 4
    assert 4 <= Backoff(2.0, 10.0).wait(3) <= 8


def test_the_other_side_may_ask_for_more_but_not_for_ever() -> None:
    """A day is the most."""
    backoff = Backoff(2.0, 10.0, lambda: 1.0)

    assert [backoff.wait(1, asked) for asked in (1.0, 500.0, 1e9)] == [2, 500, 86_400]


async def test_the_systems_clock_ends_a_wait_by_event_or_by_time() -> None:
    """Whichever comes first."""
    clock, event = SystemClock(), asyncio.Event()
    before = clock.now()
    await clock.wait(event, 0.01)
    await clock.sleep(0.0)
    assert clock.now() > before
    event.set()
    await clock.wait(event, None)

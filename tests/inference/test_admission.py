import time

import pytest

from depesche.errors import DeadlineExceeded, QueueFull
from depesche.inference.admission import Admission
from depesche.inference.backlog import Backlog, Group, Segment
from depesche.inference.rate import Rate
from depesche.types import Priority

BULK = Priority.BULK
PERSON = Priority.INTERACTIVE


def admission(capacity: int = 2, **waiting: int) -> Admission:
    """Give the door of a queue in which some segments of one token wait, by priority."""
    backlog = Backlog()
    for name, count in waiting.items():
        backlog.add(Segment(["x"], Group(1), Priority(name), 0.0, 0.0) for _ in range(count))
    return Admission(backlog, Rate(1), capacity)


def test_a_queue_full_of_bulk_work_lets_interactive_calls_in() -> None:
    """Segments of a feed take up no room of a person's; they do take up that of other feeds."""
    door = admission(bulk=2, interactive=1)

    door.check(1, 1, PERSON, None)
    with pytest.raises(QueueFull, match="holds 1 of 2 segments"):
        door.check(2, 2, PERSON, None)
    with pytest.raises(QueueFull, match="holds 3 of 2 segments"):
        door.check(1, 1, BULK, None)


def test_a_call_that_finds_nothing_waiting_is_let_in_whatever_its_size() -> None:
    """Otherwise it could never be."""
    admission().check(100, 100, PERSON, None)
    admission(bulk=2).check(100, 100, PERSON, None)


def test_a_refused_call_is_told_when_its_turn_would_come() -> None:
    """The hint is how long the work before it takes, a second at least."""
    with pytest.raises(QueueFull) as full:
        admission(interactive=2).check(1, 1, PERSON, None)
    assert full.value.retry_after == 1

    door, soon = admission(), time.monotonic() + 1
    with door.reserve(50_000, PERSON, None), pytest.raises(QueueFull) as full:
        door.check(1, 1, PERSON, soon)
    assert full.value.retry_after == pytest.approx(1_000, rel=0.01)


def test_what_is_being_read_counts() -> None:
    """Room is held from a call's arrival until its segments wait in the backlog."""
    door, soon = admission(10_000), time.monotonic() + 1
    with door.reserve(50_000, PERSON, None) as room:
        with pytest.raises(QueueFull, match="the deadline is in"), door.reserve(1, PERSON, soon):
            pass
        door.check(1, 1, PERSON, soon, room=room)  # its own room counts for others alone
        door.give_back(room)
        door.check(1, 1, PERSON, soon)
    with door.reserve(50_000, PERSON, None):
        pass
    door.check(1, 1, PERSON, soon)


def test_a_full_queue_refuses_at_the_door() -> None:
    """Even a call without a deadline isn't read where there is no room for it."""
    door = admission(interactive=1)
    with door.reserve(1, PERSON, None):
        with pytest.raises(QueueFull, match="holds 2 of 2 segments"), door.reserve(1, PERSON, None):
            pass
        with pytest.raises(QueueFull):
            door.check(1, 1, BULK, None)


def test_who_came_later_keeps_nobody_out() -> None:
    """A call that holds room is weighed against those before it, once."""
    door, soon = admission(10_000), time.monotonic() + 1
    with door.reserve(1, PERSON, soon) as first, door.reserve(50_000, PERSON, None):
        door.check(2, 10, PERSON, soon, room=first)
        with pytest.raises(QueueFull):
            door.check(1, 1, PERSON, soon)
        door.check(500, 50_000, PERSON, soon, room=first)  # it was let in


def test_time_is_left_for_second_decodings() -> None:
    """Behind others, a call is let in where it would be done well before its deadline."""
    door, deadline = admission(10_000, interactive=1), time.monotonic() + 10
    door.check(1, 250, PERSON, deadline)  # 5 s by the first guess
    with pytest.raises(QueueFull, match=r"7\.0 s are its own"):
        door.check(1, 350, PERSON, deadline)
    with pytest.raises(QueueFull), door.reserve(350, PERSON, deadline):
        pass
    door.check(1, 350, PERSON, deadline, partial=True)
    with door.reserve(350, PERSON, deadline, partial=True):
        pass


def test_what_runs_counts_by_half() -> None:
    """The batches that run are in nobody's backlog, and take their time all the same."""
    door, soon = admission(), time.monotonic() + 1
    door.check(1, 1, PERSON, soon)
    door.running = 200  # 2 s, by half
    with pytest.raises(QueueFull, match=r"2\.0 s of work wait"):
        door.check(1, 1, PERSON, soon)


def test_a_call_that_could_never_be_done_in_time_is_not_begun() -> None:
    """Its own work counts, with doubt; unless what is done by then will do."""
    door, soon = admission(), time.monotonic() + 10
    door.check(1, 900, PERSON, soon)  # 18 s by the first guess
    with pytest.raises(DeadlineExceeded, match="takes about 30"):
        door.check(1, 1_500, PERSON, soon)
    door.check(1, 1_500, PERSON, soon, partial=True)
    door.check(1, 1_500, PERSON, None)


def test_what_is_being_read_of_a_feed_keeps_no_person_out() -> None:
    """Only a feed waits for a feed."""
    door = admission()
    soon = time.monotonic() + 1
    with door.reserve(50_000, BULK, None):
        door.check(1, 1, PERSON, soon)
        with pytest.raises(QueueFull):
            door.check(1, 1, BULK, soon)

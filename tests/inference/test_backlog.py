import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.inference.backlog import Backlog, Group, Segment, cut_batches, is_worth, work_of
from depesche.types import Priority

GREEDY = Group(1)


def segment(
    length: int,
    *,
    urgency: float = 0.0,
    priority: Priority = Priority.INTERACTIVE,
    group: Group = GREEDY,
    queued_at: float = 0.0,
) -> Segment:
    return Segment(["x"] * length, group, priority, urgency, queued_at)


def bulk(length: int = 1) -> Segment:
    return segment(length, priority=Priority.BULK)


def filled(*segments: Segment) -> Backlog:
    backlog = Backlog()
    backlog.add(segments)
    return backlog


def lengths(batch: list[Segment]) -> list[int]:
    return [len(segment) for segment in batch]


def test_the_most_urgent_segment_heads_the_next_batch() -> None:
    """Deadlines decide the order, whoever came first."""
    late, soon = segment(10, urgency=9), segment(10, urgency=1)

    backlog = filled(late, soon)

    assert backlog.take(10) == [soon]
    assert backlog.take(10) == [late]
    assert backlog.take(10) == []


def test_of_equally_urgent_segments_the_first_to_come_is_first() -> None:
    """Ties are broken by the order of arrival."""
    first, second = segment(5), segment(5)

    assert filled(first, second).take(5) == [first]


def test_a_batch_is_filled_with_like_lengths_within_the_budget() -> None:
    """The nearest lengths join the head; padding counts."""
    head = segment(30, urgency=-1)
    backlog = filled(segment(29), segment(90), segment(31), head, segment(8))

    assert lengths(backlog.take(93)) == [29, 30, 31]
    assert lengths(backlog.take(93)) == [90]
    assert lengths(backlog.take(93)) == [8]


@pytest.mark.parametrize("beam_size", [1, 4])
def test_a_batch_takes_no_more_work_than_it_may(beam_size: int) -> None:
    """Steps and rows count; a longer segment makes every row longer."""
    group = Group(beam_size)
    others = [segment(31, group=group) for _ in range(20)]
    backlog = filled(segment(30, group=group, urgency=-1), *others)
    most = work_of(31, 7, beam_size)

    assert len(backlog.take(10_000, work=most)) == 7
    assert len(backlog.take(10_000, work=most - 1)) == 6


def test_slow_machines_decode_in_company_too() -> None:
    """However little a machine does in the time of a batch, a head may take twice its own time."""
    backlog = filled(*(segment(90) for _ in range(12)))

    assert len(backlog.take(10_000, work=1)) == 5
    assert work_of(90, 5, 1) == 2 * work_of(90, 1, 1)


def test_unlike_lengths_do_not_share_a_batch() -> None:
    """Rows that differ in length cost steps, and a batch isn't filled at any price."""
    backlog = filled(segment(90, urgency=-1), segment(10))

    assert lengths(backlog.take(10_000)) == [90]


def test_a_segment_over_the_budget_runs_alone() -> None:
    """No segment is too long to be decoded."""
    assert lengths(filled(segment(50), segment(50)).take(10)) == [50]


def test_beams_and_greedy_search_do_not_share_a_batch() -> None:
    """A batch has one beam width, which counts against the budget."""
    beam = Group(4)
    backlog = filled(segment(10, group=beam, urgency=-1), segment(10, group=beam), segment(10))

    assert [s.group for s in backlog.take(40)] == [beam]
    assert [s.group for s in backlog.take(80)] == [beam]
    assert [s.group for s in backlog.take(80)] == [GREEDY]


def test_what_was_cut_for_one_batch_stays_together_and_apart() -> None:
    """A batch of a call's own is taken whole, whatever the budget, and with nothing else."""
    own = Group(1, batch=7)
    backlog = filled(segment(10), segment(10, group=own, urgency=-1), segment(12, group=own))

    assert [s.group for s in backlog.take(10)] == [own, own]
    assert [s.group for s in backlog.take(10)] == [GREEDY]


def test_little_work_is_shared_out_among_idle_workers() -> None:
    """Two idle workers take half each, since two small batches end before a large one."""
    backlog = filled(*(segment(10) for _ in range(8)))

    assert len(backlog.take(1_000, idle_workers=2)) == 4
    assert len(backlog.take(1_000, idle_workers=1)) == 4


def test_interactive_work_goes_before_bulk_work() -> None:
    """A bulk segment, however urgent, waits for those that a person waits for."""
    person = segment(1, urgency=9)
    feed = bulk()

    backlog = filled(feed, person)

    assert backlog.take(100) == [person]
    assert backlog.take(100) == [feed]


def test_bulk_work_does_not_starve() -> None:
    """Of any nine batches one is bulk, if bulk waits."""
    backlog = filled(*(segment(1) for _ in range(30)), *(bulk() for _ in range(3)))

    order = [backlog.take(1)[0].priority for _ in range(27)]

    for start in range(len(order) - 8):
        assert Priority.BULK in order[start : start + 9]
    assert order.count(Priority.BULK) == 3


def test_removed_segments_are_not_taken() -> None:
    """What nobody wants any more is gone at once, and told once."""
    gone, kept = segment(5, urgency=-1), segment(5)
    backlog = filled(gone, kept)

    assert backlog.remove([gone]) == 1
    assert backlog.remove([gone]) == 0
    assert backlog.segments() == {"interactive": 1}
    assert backlog.take(100) == [kept]


def test_what_is_gone_is_not_kept() -> None:
    """Segments with late deadlines leave nothing behind, though a more urgent one waits."""

    class Tokens(list[str]):
        """A list that can be watched."""

    backlog = filled(segment(9, urgency=0))
    watched = []
    for _ in range(1_000):
        tokens = Tokens(["x"])
        watched.append(weakref.ref(tokens))
        gone = Segment(tokens, GREEDY, Priority.INTERACTIVE, urgency=1, queued_at=0)
        backlog.add([gone])
        backlog.remove([gone])

    assert sum(reference() is not None for reference in watched) < 100
    assert lengths(backlog.take(100)) == [9]


def test_the_backlog_tells_what_waits() -> None:
    """Segments and tokens by lane, and since when the oldest waits."""
    backlog = filled(segment(3, queued_at=5.0), bulk(4))
    assert backlog.oldest() == 0.0
    assert backlog.segments() == {"interactive": 1, "bulk": 1}
    assert backlog.tokens(Priority.INTERACTIVE) == 3
    assert backlog.tokens(Priority.BULK) == 4
    assert backlog

    while backlog.take(100):
        pass

    assert not backlog
    assert backlog.oldest() is None
    assert backlog.segments() == {}


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.integers(0, 5), st.sampled_from(Priority), st.booleans())
    ),
    st.integers(1, 500),
    st.integers(1, 4),
)
def test_every_segment_is_taken_once(
    shapes: list[tuple[int, int, Priority, bool]], budget: int, idle: int
) -> None:
    """Whatever waits, batches hold each segment once, of one group and lane, within the budget."""
    segments = [
        segment(length, urgency=urgency, priority=priority, group=Group(4 if wide else 1))
        for length, urgency, priority, wide in shapes
    ]
    backlog = filled(*segments)
    taken: list[Segment] = []
    while batch := backlog.take(budget, idle):
        assert len({(s.group, s.priority) for s in batch}) == 1
        padded = max(lengths(batch)) * len(batch) * batch[0].group.beam_size
        assert len(batch) == 1 or padded <= budget
        taken += batch
    assert len(taken) == len(segments)
    assert set(taken) == set(segments)
    assert not backlog
    assert sum(map(backlog.tokens, Priority)) == 0


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(0, 300), st.sampled_from([1, 4]))
def test_a_calls_own_batches_hold_each_segment_once_within_the_budget(
    own: list[int], budget: int, beam_size: int
) -> None:
    """Every segment is in one batch, and only a lone segment is over the budget."""
    batches = cut_batches(own, budget, beam_size)

    assert sorted(index for batch in batches for index in batch) == list(range(len(own)))
    for batch in batches:
        padded = max(own[i] for i in batch) * len(batch) * beam_size
        assert len(batch) == 1 or padded <= budget


def test_a_calls_own_batches_begin_with_the_longest() -> None:
    """The last batch to run is a short one."""
    assert cut_batches([10, 40, 11, 39], 80) == [[1, 3], [2, 0]]


@given(st.integers(1, 200), st.integers(0, 40), st.integers(1, 4))
def test_equal_lengths_are_always_worth_a_batch(length: int, size: int, beam_size: int) -> None:
    """Where nothing is padded, company costs no step, and only the budget ends a batch."""
    budget = length * (size + 1) * beam_size
    assert is_worth(length, length, length, size, beam_size, budget)
    assert not is_worth(length, length, length, size, beam_size, budget - 1)

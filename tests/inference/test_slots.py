import asyncio

import pytest

from depesche.errors import QueueFull
from depesche.inference.slots import Slots


async def settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_run_at_once_than_there_are_places() -> None:
    """The next waits until a place is free."""
    slots, running, most = Slots(2), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with slots.use():
            running += 1
            most = max(most, running)
            await settle()
            running -= 1

    await asyncio.gather(*(work() for _ in range(7)))

    assert most == 2
    assert running == 0


async def test_short_calls_go_first_but_never_two_in_a_row() -> None:
    """A short call overtakes the long ones that wait, and these get every other turn."""
    slots, order = Slots(1), ""
    release = asyncio.Event()

    async def hold() -> None:
        async with slots.use():
            await release.wait()

    async def work(name: str, *, short: bool) -> None:
        nonlocal order
        async with slots.use(short=short):
            order += name

    holder = asyncio.create_task(hold())
    await settle()
    tasks = [asyncio.create_task(work("L", short=False)) for _ in range(3)]
    tasks += [asyncio.create_task(work("s", short=True)) for _ in range(3)]
    await settle()
    release.set()
    await asyncio.gather(holder, *tasks)

    assert order == "sLsLsL"


async def test_a_cancelled_call_gives_its_turn_away() -> None:
    """Whoever leaves while waiting, or in the moment of being called, blocks nobody."""
    slots = Slots(1)
    done = asyncio.Event()

    async def work() -> None:
        async with slots.use():
            done.set()

    async with slots.use():
        waiting = asyncio.create_task(work())
        called = asyncio.create_task(work())
        last = asyncio.create_task(work())
        await settle()
        waiting.cancel()
        await settle()
    # Its turn has come, and it hasn't run yet.
    called.cancel()
    await asyncio.gather(waiting, called, return_exceptions=True)
    await last

    assert done.is_set()
    assert called.cancelled()


async def test_who_has_no_patience_goes_on_without_a_place() -> None:
    """After its patience a caller runs beside the others, and gives back no place of theirs."""
    slots = Slots(1)
    done = asyncio.Event()

    async def work() -> None:
        async with slots.use():
            done.set()

    async with slots.use():
        async with slots.use(patience=0):
            pass
        waiting = asyncio.create_task(work())
        await settle()
        assert not done.is_set()
    await waiting


async def test_short_calls_are_refused_where_many_wait() -> None:
    """Those that wait already are served; when they are done, there is room again."""
    slots = Slots(1)

    async def work() -> None:
        async with slots.use(short=True):
            pass

    async with slots.use():
        tasks = [asyncio.create_task(work()) for _ in range(64)]
        slots.admit_short()
        await settle()
        with pytest.raises(QueueFull, match="64 summaries wait"):
            slots.admit_short()
    await asyncio.gather(*tasks)

    slots.admit_short()

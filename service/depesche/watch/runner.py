"""One loop that starts what is due, a few jobs of a kind at once, and sleeps until the next."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import structlog

from depesche.watch.config import Feed, Folder, Plan
from depesche.watch.jobs import Jobs
from depesche.watch.state import State
from depesche.watch.waiting import Clock

__all__ = ["Runner"]

_POLLS = 4
# Looks at a source are this much earlier or later, so that those of one interval drift apart.
_JITTER = 0.1

_log = structlog.stdlib.get_logger("depesche.watch")

_Lane = tuple[str, ...]
_Job = Callable[[], Coroutine[Any, Any, None]]
_POLLING: _Lane = ("poll",)
_BRIEFING: _Lane = ("brief",)


class Runner:
    """Runs jobs until it is told to stop or, `once`, until nothing is left to do."""

    def __init__(
        self,
        plan: Plan,
        state: State,
        jobs: Jobs,
        clock: Clock,
        *,
        once: bool,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take what to do, who remembers and who does it; `chance` varies intervals."""
        self._plan = plan
        self._state = state
        self._jobs = jobs
        self._clock = clock
        self._chance = chance
        self._sources = [source.name for source in plan.sources]
        self._targets = [target.name for target in plan.targets]
        self._running: dict[_Lane, dict[Any, asyncio.Task[None]]] = defaultdict(dict)
        self._awake = asyncio.Event()
        self._is_stopping = False
        # A source that was away, or asked for time, gets it, though the process was restarted.
        self._next_poll: dict[str, float | None] = {
            name: state.memory(name).due for name in self._sources
        }
        self._deadline = clock.now() + plan.tuning.patience if once else None

    def stop(self) -> None:
        """Start nothing more; what runs may end."""
        _log.info("stopping", jobs=sum(map(len, self._running.values())))
        self._is_stopping = True
        self._awake.set()

    async def run(self) -> bool:
        """Work.

        Returns:
            Whether all that was to be done is done; when it is told to stop, what is left for the
            next start doesn't count.
        """
        async with asyncio.TaskGroup() as group:
            while not self._is_stopping:
                self._awake.clear()
                now = self._clock.now()
                self._start_due(group, now)
                following = self._next(now)
                if self._is_over(following):
                    break
                wait = None if following is None else max(0.0, following - now)
                await self._clock.wait(self._awake, wait)
            await self._finish()
        return not self._jobs.died and (self._deadline is None or self._is_all_done())

    def _is_over(self, following: float | None) -> bool:
        if self._deadline is None or any(self._running.values()):
            return False
        return following is None or following > self._deadline

    def _is_all_done(self) -> bool:
        polled = all(due is None for due in self._next_poll.values())
        never = float("-inf")
        left = (
            self._state.next_item(self._sources, never),
            self._state.next_delivery(self._targets, never),
        )
        return polled and left == (None, None)

    def _start_due(self, group: asyncio.TaskGroup, now: float) -> None:
        for source in self._plan.sources:
            due = self._next_poll[source.name]
            if due is not None and due <= now and self._room(_POLLING, _POLLS):
                self._start(group, _POLLING, source.name, partial(self._poll, source))
        if now >= self._jobs.paused_until:
            self._start_briefs(group, now)
        for target in self._targets:
            self._start_deliveries(group, target, now)

    def _start_briefs(self, group: asyncio.TaskGroup, now: float) -> None:
        most = self._plan.tuning.briefs
        rows = most + len(self._running[_BRIEFING])
        for item in self._state.waiting(self._sources, now, rows):
            if self._room(_BRIEFING, most):
                self._start(group, _BRIEFING, item.number, partial(self._jobs.brief, item))

    def _start_deliveries(self, group: asyncio.TaskGroup, target: str, now: float) -> None:
        lane, most = ("deliver", target), self._plan.tuning.posts
        rows = most + len(self._running[lane])
        for delivery in self._state.deliveries(target, now, rows):
            if self._room(lane, most):
                self._start(group, lane, delivery.item, partial(self._jobs.deliver, delivery))

    def _room(self, lane: _Lane, most: int) -> bool:
        return len(self._running[lane]) < most

    def _start(self, group: asyncio.TaskGroup, lane: _Lane, key: Any, job: _Job) -> None:
        """Start a job, unless it runs."""
        if key not in self._running[lane]:
            self._running[lane][key] = group.create_task(self._run(lane, key, job))

    async def _run(self, lane: _Lane, key: Any, job: _Job) -> None:
        try:
            await job()
        except Exception:
            # The state is as it was before; whoever starts the process again tries again.
            _log.exception("unforeseen", job=lane[0])
            self._is_stopping = True
            raise
        finally:
            del self._running[lane][key]
            self._awake.set()

    async def _poll(self, source: Feed | Folder) -> None:
        again = await self._jobs.poll(source)
        if again is None and self._deadline is None:
            spread = 1 + _JITTER * (2 * self._chance() - 1)
            again = self._clock.now() + source.every * spread
        self._next_poll[source.name] = again

    def _next(self, now: float) -> float | None:
        """Tell when something is due that isn't; what is due and waits for room will be told."""
        return min(self._coming(now), default=None)

    def _coming(self, now: float) -> Iterator[float]:
        polling = self._running[_POLLING]
        for name, due in self._next_poll.items():
            if due is not None and due > now and name not in polling:
                yield due
        delivery = self._state.next_delivery(self._targets, now)
        if delivery is not None:
            yield delivery
        pause = self._jobs.paused_until
        item = self._state.next_item(self._sources, now)
        if now < pause and self._state.waiting(self._sources, pause, 1):
            yield pause
        elif item is not None:
            yield item

    async def _finish(self) -> None:
        """Let what runs end, for as long as there is time."""
        until = self._clock.now() + self._plan.tuning.grace
        while any(self._running.values()) and (left := until - self._clock.now()) > 0:
            self._awake.clear()
            await self._clock.wait(self._awake, left)
        for tasks in self._running.values():
            for task in tasks.values():
                task.cancel()

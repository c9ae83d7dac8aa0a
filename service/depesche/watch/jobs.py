"""The three jobs: look at a source, brief a release, deliver a brief. Each ends in the state."""

import random
from collections.abc import Callable, Mapping
from typing import Protocol

import httpx2
import structlog

from depesche.errors import (
    DepescheError,
    InvalidRequest,
    LanguageUnsupported,
    LoadError,
    QueueFull,
    QuotaExceeded,
    RequestError,
)
from depesche.types import BriefOptions, Release
from depesche.v1 import types_pb2
from depesche.watch.config import Feed, Folder, Plan
from depesche.watch.deliver import DeliveryFailed, Target, body
from depesche.watch.feeds import Answer, ask
from depesche.watch.fetching import FetchFailed, Limits, Refused
from depesche.watch.folders import look
from depesche.watch.pages import PageGone, fetch_page
from depesche.watch.records import Delivery, Memory, Polled, Waiting
from depesche.watch.state import State
from depesche.watch.waiting import Backoff, Clock

__all__ = ["Briefer", "Jobs"]

# Tries of a release by which the service fails otherwise than by being away.
_SERVICE_TRIES = 5
_SHOWN = 12

_log = structlog.stdlib.get_logger("depesche.watch")


class Briefer(Protocol):
    """Whoever briefs: `depesche.client.Client`, or the pipeline in this process."""

    async def brief(
        self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
    ) -> types_pb2.Brief:
        """Brief a release; raises the errors of `Client.brief`."""
        ...


class Jobs:
    """Does the jobs.

    Attributes:
        paused_until: when briefing goes on after the service was away or full.
        died: how many deliveries were given up.
    """

    def __init__(
        self,
        plan: Plan,
        state: State,
        briefer: Briefer,
        web: httpx2.AsyncClient,
        targets: Mapping[str, Target],
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take what to do, who remembers and who does it; `chance` shortens waits."""
        self.paused_until = 0.0
        self.died = 0
        self._plan = plan
        self._sources = {source.name: source for source in plan.sources}
        self._options = plan.brief.options()
        self._limits = Limits(plan.tuning.max_bytes, plan.tuning.timeout)
        self._state = state
        self._briefer = briefer
        self._web = web
        self._targets = targets
        self._clock = clock
        self._asking = Backoff(30.0, 6 * 3600.0, chance)
        self._fetching = Backoff(30.0, 3600.0, chance)
        self._briefing = Backoff(1.0, 300.0, chance)
        self._delivering = Backoff(5.0, 3600.0, chance)
        self._load_failures = 0

    async def poll(self, source: Feed | Folder) -> float | None:
        """Look at a source, and remember what is new.

        Returns:
            When to try again, in seconds since 1970; None where it could be read.
        """
        memory = self._state.memory(source.name, source.url if isinstance(source, Feed) else "")
        try:
            polled = await (
                self._ask(source, memory)
                if isinstance(source, Feed)
                else self._look(source, memory)
            )
        except DepescheError as error:
            failures = memory.failures + 1
            asked = error.retry_after if isinstance(error, Refused) else None
            due = self._clock.now() + self._asking.wait(failures, asked)
            self._state.postpone(source.name, failures, due)
            wait = round(due - self._clock.now(), 1)
            _log.warning("source failed", source=source.name, reason=str(error), wait=wait)
            return due
        if polled is None:
            if memory.failures:
                self._state.postpone(source.name, 0, 0.0)
            _log.info("polled", source=source.name, changed=False)
        else:
            self._record(polled)
        return None

    async def _ask(self, feed: Feed, memory: Memory) -> Polled | None:
        now = self._clock.now()
        answer = await ask(self._web, feed, self._limits, memory.etag, memory.modified, now)
        _tell(feed, answer)
        if answer.items is None:
            return None
        return Polled(
            feed.name,
            answer.items,
            url=feed.url,
            etag=answer.etag,
            modified=answer.modified,
            complete=answer.complete,
            backfill=feed.backfill,
            ignore_changes=feed.changes == "ignore",
        )

    async def _look(self, folder: Folder, memory: Memory) -> Polled | None:
        found = await look(folder, memory.looks, self._clock)
        if found.unreadable:
            _log.warning("files can't be read", source=folder.name, files=found.unreadable)
        if memory.seen and not found.items and found.looks == memory.looks:
            return None
        return Polled(
            folder.name,
            found.items,
            looks=found.looks,
            backfill=folder.backfill,
            ignore_changes=folder.changes == "ignore",
        )

    def _record(self, polled: Polled) -> None:
        done = self._state.record(polled, self._clock.now())
        counts = {"items": len(polled.items), "new": done.new, "skipped": done.skipped}
        _log.info("polled", source=polled.source, changed=True, **counts, failed=done.failed)
        for item in polled.items if done.failed else ():
            if item.reason:
                _log.warning(
                    "item failed",
                    source=polled.source,
                    item=item.version.id[:_SHOWN],
                    reason=item.reason,
                )

    async def brief(self, item: Waiting) -> None:
        """Brief an item, and keep the brief with what is to be done with it."""
        started = self._clock.now()
        source = self._sources[item.source]
        try:
            release = item.release or await self._page(source, item)
            brief = await self._briefer.brief(release, self._options, release_id=item.id[:_SHOWN])
        except DepescheError as error:
            self._not_briefed(item, error)
            return
        self._load_failures = 0
        now = self._clock.now()
        self._state.briefed(item.number, body(item, brief, now), self._plan.targets_of(source))
        _of(item).info("briefed", version=item.version, seconds=round(now - started, 3))

    async def _page(self, source: Feed | Folder, item: Waiting) -> Release:
        if not isinstance(source, Feed):
            raise PageGone("its source is no feed any more")
        return await fetch_page(self._web, source, item.link, self._limits, self._clock.now())

    def _not_briefed(self, item: Waiting, error: DepescheError) -> None:
        """Tell apart what is wrong with the item, with the service, and with nobody."""
        now = self._clock.now()
        if isinstance(error, LoadError) or _is_operators(error):
            self._pause(error)
            self._state.try_later(item.number, self.paused_until, counted=False)
        elif self._is_final(item, error):
            self._state.failed(item.number, str(error))
            _of(item).warning("item failed", reason=str(error))
            return
        else:
            asked = error.retry_after if isinstance(error, Refused) else None
            wait = self._fetching.wait(item.attempts + 1, asked)
            self._state.try_later(item.number, now + wait, counted=True)
        _of(item).warning("item waits", reason=str(error))

    def _is_final(self, item: Waiting, error: DepescheError) -> bool:
        if isinstance(error, RequestError | PageGone):
            return True
        tries = self._plan.tuning.attempts if isinstance(error, FetchFailed) else _SERVICE_TRIES
        return item.attempts + 1 >= tries

    def _pause(self, error: DepescheError) -> None:
        """Leave the service alone for a while, longer each time."""
        now = self._clock.now()
        if now >= self.paused_until:  # others of the same moment say the same
            self._load_failures += 1
            asked = error.retry_after if isinstance(error, QueueFull | QuotaExceeded) else None
            self.paused_until = now + self._briefing.wait(self._load_failures, asked)

    async def deliver(self, delivery: Delivery) -> None:
        """Bring a brief to a target, and remember what came of it."""
        log = _log.bind(target=delivery.target, source=delivery.source, item=delivery.id[:_SHOWN])
        tries = delivery.attempts + 1
        try:
            await self._targets[delivery.target].deliver(delivery)
        except DeliveryFailed as error:
            self._undelivered(delivery, error, log.bind(reason=str(error), tries=tries))
        else:
            self._state.delivered(delivery)
            log.info("delivered", tries=tries)

    def _undelivered(
        self, delivery: Delivery, error: DeliveryFailed, log: structlog.stdlib.BoundLogger
    ) -> None:
        tries = delivery.attempts + 1
        if error.is_final or (error.is_counted and tries >= self._plan.tuning.attempts):
            self._state.dead(delivery, str(error))
            self.died += 1
            log.error("delivery given up")
            return
        wait = self._delivering.wait(tries, error.retry_after)
        self._state.deliver_later(delivery, self._clock.now() + wait, str(error))
        log.warning("delivery failed", wait=round(wait, 1))


def _of(item: Waiting) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = _log.bind(source=item.source, item=item.id[:_SHOWN])
    return logger


def _tell(feed: Feed, answer: Answer) -> None:
    """Log what the operator should know of a feed."""
    if answer.warning:
        _log.warning("feed is broken", source=feed.name, reason=answer.warning)
    if answer.moved:
        url = httpx2.URL(answer.moved)
        _log.warning("feed has moved for good", source=feed.name, to=f"{url.scheme}://{url.host}")


def _is_operators(error: DepescheError) -> bool:
    """Tell whether no release would be briefed: a token, a model or an option is wrong."""
    if isinstance(error, InvalidRequest | LanguageUnsupported):
        return any(v.field.startswith("options") for v in error.violations)
    return isinstance(error, RequestError)

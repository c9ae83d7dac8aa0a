"""Briefs of many files: each has a result of its own, a brief or an error."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Protocol

from depesche.errors import DepescheError, LoadError, QueueFull, QuotaExceeded
from depesche.sources import Source
from depesche.types import BriefOptions, Release
from depesche.v1 import types_pb2

__all__ = ["Feeds", "Outcome", "brief_all"]

Outcome = types_pb2.Brief | DepescheError
"""What became of a file."""

# Releases that the server has and hasn't answered.
_IN_FLIGHT = 8
# Feeds in a row that end without a single answer, until no other is tried.
_TRIES = 3
_PAUSE_SECONDS = 1.0


class Feeds(Protocol):
    """Whoever briefs a feed: `Client`, or `LocalClient` in this process."""

    def briefs(
        self, releases: AsyncIterable[tuple[str, Release]], options: BriefOptions
    ) -> AsyncGenerator[tuple[str, Outcome], None]:
        """Brief a feed of releases; see `Client.briefs`."""
        ...


async def brief_all(
    client: Feeds, sources: Mapping[str, Source], options: BriefOptions
) -> AsyncIterator[tuple[str, Outcome]]:
    """Brief each source.

    A feed that breaks off, and a release that a full server refused, are tried again.

    Args:
        client: who briefs.
        sources: where the releases are read, by their ids.
        options: what is asked of every brief.

    Yields:
        Each id with its outcome, in the order in which they come.

    Raises:
        DepescheError: the server refuses all, whatever they hold.
    """
    left = dict(sources)
    tries = 0
    while left:
        feed = _Feed(left)
        before = len(left)
        async for id_, outcome in feed.run(client, options):
            del left[id_]
            yield id_, outcome
        tries = tries + 1 if len(left) == before else 0
        if left and tries == _TRIES:
            for id_ in left:
                yield id_, feed.failure
            return
        if left:
            await asyncio.sleep(_pause(feed.failure))


def _pause(failure: LoadError) -> float:
    if isinstance(failure, QueueFull | QuotaExceeded):
        return failure.retry_after
    return _PAUSE_SECONDS


class _Feed:
    """One feed of releases, a bounded number of them without an answer.

    Attributes:
        failure: why sources are left without an outcome that is final.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.failure = LoadError("the server ended the feed before all was answered")
        self._sources = dict(sources)
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._unread: list[tuple[str, DepescheError]] = []

    async def run(self, client: Feeds, options: BriefOptions) -> AsyncIterator[tuple[str, Outcome]]:
        """Read and send; give the outcomes that are final."""
        try:
            async with aclosing(client.briefs(self._releases(), options)) as replies:
                async for id_, outcome in replies:
                    self._slots.release()
                    for unread in self._take_unread():
                        yield unread
                    if isinstance(outcome, LoadError):
                        self.failure = outcome
                        continue
                    if isinstance(outcome, types_pb2.Brief):
                        outcome.ClearField("id")  # it is this batch's, and nobody else's
                    yield id_, outcome
        except LoadError as error:
            self.failure = error
        for unread in self._take_unread():
            yield unread

    async def _releases(self) -> AsyncIterator[tuple[str, Release]]:
        for id_, source in self._sources.items():
            await self._slots.acquire()
            try:
                release = await source.read()
            except DepescheError as error:
                self._unread.append((id_, error))
                self._slots.release()
            else:
                yield id_, release

    def _take_unread(self) -> list[tuple[str, DepescheError]]:
        unread, self._unread = self._unread, []
        return unread

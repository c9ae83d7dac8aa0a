"""Real servers among the replicas of a fleet, and simulated time that keeps to the clock."""

import asyncio
import math
import time
import urllib.request
from collections.abc import Callable

from replica_model import Ended, Fate, Job, Timeline
from replica_profile import LANGUAGES, paragraphs
from scraping import Reading, parse
from server_process import ServerProcess

from depesche.client import Client
from depesche.errors import DeadlineExceeded, DepescheError, QueueFull
from depesche.types import BriefOptions, Release

__all__ = ["Pace", "RealReplica"]

_PATIENT = 3_600.0


class Pace:
    """Lets a timeline go as fast as the clock, so that its replicas and real ones live together."""

    def __init__(self, timeline: Timeline) -> None:
        """Begin now."""
        self.timeline = timeline
        self._began = time.monotonic() - timeline.now
        self._changed = asyncio.Event()

    def advance(self) -> None:
        """Let everything happen up to the present moment."""
        self.timeline.run(time.monotonic() - self._began)

    def tell(self, do: Callable[[], None]) -> None:
        """Do what comes from outside of the timeline, at the present moment of it."""
        self.advance()
        do()
        self._changed.set()

    async def run(self, until: float) -> None:
        """Keep to the clock up to a moment of the timeline."""
        while self.timeline.now < until:
            self.advance()
            self._changed.clear()
            left = min(self.timeline.next, until) - (time.monotonic() - self._began)
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.0, left))
            except TimeoutError:
                continue


class RealReplica:
    """A server that runs, as a replica of a fleet."""

    def __init__(self, server: ServerProcess, pace: Pace, patience: float) -> None:
        """Call a server.

        Args:
            server: it.
            pace: the time of the fleet.
            patience: seconds until the deadline of calls that have one.
        """
        self._server = server
        self._pace = pace
        self._hurried = Client(server.listen, timeout=patience, retries=False)
        self._patient = Client(server.listen, timeout=_PATIENT, retries=False)
        self._texts = [paragraphs(language) for language in LANGUAGES]
        self._calls: set[asyncio.Task[None]] = set()
        self._scrapes: set[asyncio.Task[None]] = set()

    @property
    def calls(self) -> int:
        """The calls under way."""
        return len(self._calls)

    def submit(self, job: Job, tell: Callable[[Ended], None]) -> None:
        """Take a call, and tell of its end."""
        task = asyncio.create_task(self._call(job, tell))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    def read(self, tell: Callable[[Reading], None]) -> None:
        """Scrape its metrics, and tell of them."""
        task = asyncio.create_task(self._scrape(tell))
        self._scrapes.add(task)
        task.add_done_callback(self._scrapes.discard)

    def close(self) -> None:
        """Give up the calls under way."""
        for task in self._calls:
            task.cancel()

    async def aclose(self) -> None:
        """End the connection, once what was told to end has ended."""
        await asyncio.gather(*self._calls, *self._scrapes, return_exceptions=True)
        await self._hurried.aclose()
        await self._patient.aclose()

    async def _call(self, job: Job, tell: Callable[[Ended], None]) -> None:
        lines = self._texts[job.example][job.paragraphs.start : job.paragraphs.stop]
        release = Release("\n".join(lines), language=LANGUAGES[job.example])
        end = await self._brief(release, job)
        self._pace.tell(lambda: tell(end))

    async def _brief(self, release: Release, job: Job) -> Ended:
        client = self._hurried if math.isfinite(job.patience) else self._patient
        try:
            brief = await client.brief(release, BriefOptions(priority=job.priority))
        except QueueFull:
            return Ended(Fate.REFUSED)
        except DeadlineExceeded:
            return Ended(Fate.LATE)
        except DepescheError:
            return Ended(Fate.FAILED)
        return Ended(Fate.DONE, brief.timings.queue_wait.ToTimedelta().total_seconds())

    async def _scrape(self, tell: Callable[[Reading], None]) -> None:
        at = self._pace.timeline.now
        url = f"http://{self._server.metrics}/metrics"
        page = await asyncio.to_thread(_get, url)
        reading = parse(page, at)
        self._pace.tell(lambda: tell(reading))


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310 - the server's own page
        page: bytes = reply.read()
    return page.decode("utf-8")

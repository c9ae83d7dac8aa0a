"""What the tests of the watcher share: feeds, plans, a clock and a pipeline of fakes."""

import asyncio
import html
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from depesche.config import Settings
from depesche.inference.fake import FakeBackend
from depesche.local import LocalClient
from depesche.watch.app import make_target, opened
from depesche.watch.config import Plan
from depesche.watch.jobs import Briefer, Jobs
from depesche.watch.runner import Runner
from depesche.watch.state import State
from tests.support import fake_loader

SECRET = "whsec_" + "c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2ggZm9yIGFsbA=="
SETTINGS = Settings(workers=1, decode_again=False)

TEXTS = (
    "Der Stadtrat von Köln hat am Dienstag über den neuen Haushalt beraten.",
    "Die Feuerwehr von Bremen hat am Mittwoch einen Brand im Hafen gelöscht.",
    "Das Museum in Dresden zeigt ab Freitag die Bilder eines jungen Malers.",
    "Der Zoo von Leipzig hat am Montag die Geburt eines Elefanten gemeldet.",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a feed; `None` leaves a part out."""

    text: str | None = TEXTS[0]
    guid: str | None = None
    link: str | None = None
    title: str = "Neues"
    date: str | None = None


def rss(entries: Iterable[Entry], *, end: str = "</channel></rss>") -> bytes:
    """Write a feed in RSS."""
    items = "".join(map(_item, entries))
    head = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>F</title>'
    return f"{head}{items}{end}".encode()


def _item(entry: Entry) -> str:
    parts = {
        "guid": entry.guid,
        "link": entry.link,
        "title": entry.title,
        "description": None if entry.text is None else f"<p>{entry.text}</p>",
        "pubDate": entry.date,
    }
    inside = "".join(f"<{k}>{html.escape(v)}</{k}>" for k, v in parts.items() if v is not None)
    return f"<item>{inside}</item>"


class FakeClock:
    """A clock that stands still but for waits, which take no time at all.

    Attributes:
        time: the time.
        waits: how long each wait was that passed.
        busy: whether something runs that will set the event for which is waited.
    """

    def __init__(self, time: float = 1_800_000_000.0) -> None:
        self.time = time
        self.waits: list[float] = []
        self.busy: Callable[[], bool] = lambda: False

    def now(self) -> float:
        """Seconds since 1970."""
        return self.time

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Wait for what runs or, where nothing does, let the time pass."""
        if seconds is None or self.busy():
            await event.wait()
            return
        self.waits.append(seconds)
        await self.sleep(seconds)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Desk:
    """A watcher of fakes, and all that it works with.

    Attributes:
        folder: where its state and its briefs are.
        clock: its clock.
        backend: what translates.
    """

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    backend: FakeBackend = field(default_factory=lambda: FakeBackend(str.upper))

    def plan(self, **tables: Any) -> Plan:
        """Make a plan with a folder for briefs in JSON; tables win over it."""
        base: dict[str, Any] = {
            "output": [{"name": "desk", "path": self.folder / "out", "format": "json"}],
            "watch": {"timeout": 10.0, "patience": 80_000.0},
        }
        return Plan.model_validate(base | tables)

    async def once(self, plan: Plan, briefer: Briefer | None = None) -> bool:
        """Look once, as a process of its own would that has the state to itself."""
        async with pipeline(self.backend) as pipe, httpx2.AsyncClient() as web:
            with opened(self.folder / "watch.db") as state:
                targets = {
                    t.name: make_target(t, plan, state, web, self.clock) for t in plan.targets
                }
                jobs = Jobs(plan, state, briefer or pipe, web, targets, self.clock, no_chance)
                runner = Runner(plan, state, jobs, self.clock, once=True, chance=no_chance)
                self.clock.busy = lambda: any(runner._running.values())
                return await runner.run()

    def runner(
        self,
        plan: Plan,
        state: State,
        briefer: Briefer,
        web: httpx2.AsyncClient,
        *,
        once: bool,
    ) -> Runner:
        """Put a watcher together that has no luck with its waits."""
        clock = self.clock
        targets = {t.name: make_target(t, plan, state, web, clock) for t in plan.targets}
        jobs = Jobs(plan, state, briefer, web, targets, clock, no_chance)
        return Runner(plan, state, jobs, clock, once=once, chance=no_chance)

    def counts(self) -> dict[str, int]:
        """Count items and deliveries by their states."""
        with opened(self.folder / "watch.db") as state:
            return state.counts()

    def files(self) -> list[str]:
        """List the files in the folder for briefs, hidden ones too."""
        out = self.folder / "out"
        return sorted(path.name for path in out.iterdir()) if out.exists() else []

    def briefs(self) -> list[dict[str, Any]]:
        """Read the briefs in JSON, in the order of their headlines."""
        read = [json.loads((self.folder / "out" / name).read_text()) for name in self.files()]
        return sorted((r["data"] for r in read), key=lambda d: str(d["brief"]["headline"]["text"]))


@asynccontextmanager
async def pipeline(backend: FakeBackend | None = None) -> AsyncIterator[LocalClient]:
    """Run a pipeline of fakes in this process."""
    loader = fake_loader(backend or FakeBackend(str.upper))
    async with await LocalClient.load(SETTINGS, loader) as client:
        yield client


def no_chance() -> float:
    """Make waits as long as they may be."""
    return 1.0

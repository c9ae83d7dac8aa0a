"""Callers that keep coming, and what became of their calls."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from depesche.client import Client
from depesche.errors import DepescheError
from depesche.types import BriefOptions, Release

_TEXTS = 12


def tell(figures: str) -> None:
    """Print figures, which `make fleet` shows at its end."""
    print(figures)  # noqa: T201 - pytest keeps it


@dataclass
class Outcome:
    """What callers have seen.

    Attributes:
        seconds: how long each call took that was answered.
        errors: the errors of the others.
        briefs: the brief of each text, without what may differ from call to call.
        differing: texts that were answered in two ways.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[DepescheError] = field(default_factory=list)
    briefs: dict[str, bytes] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)

    def take(self, id_: str, text: str, brief: Any) -> None:
        """Note a brief."""
        assert brief.id == id_
        brief.ClearField("timings")
        brief.ClearField("id")
        as_bytes = brief.SerializeToString(deterministic=True)
        if self.briefs.setdefault(text, as_bytes) != as_bytes:
            self.differing.append(text)

    async def more(self, calls: int) -> None:
        """Wait for so many further calls to end."""
        end = len(self.seconds) + len(self.errors) + calls
        while len(self.seconds) + len(self.errors) < end:  # noqa: ASYNC110 - a count, no event
            await asyncio.sleep(0.01)


def text(number: int) -> str:
    """Give one of some releases that differ."""
    return f"Der Stadtrat von Köln hat am Dienstag über {number + 2} Anträge zum Haushalt beraten."


Call = Callable[[Client, str, str], Awaitable[Any]]


async def unary(client: Client, id_: str, text: str) -> Any:
    """Ask for a brief."""
    return await client.brief(Release(text), BriefOptions(reproducible=True), release_id=id_)


async def streamed(client: Client, id_: str, text: str) -> Any:
    """Ask for a brief sentence by sentence; gives the brief."""
    whole = " ".join([text] * 5)
    options = BriefOptions(reproducible=True)
    events = [event async for event in client.stream(Release(whole), options, release_id=id_)]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds == ["started", *["sentence"] * 5, "brief"]
    return events[-1].brief


@asynccontextmanager
async def load(
    client: Client, callers: int, call: Call = unary, *, pause: float = 0.0
) -> AsyncIterator[Outcome]:
    """Keep callers calling within the block, and let their last calls end at its end."""
    outcome = Outcome()
    done = asyncio.Event()
    numbers = count()

    async def caller() -> None:
        while not done.is_set():
            number = next(numbers)
            id_, asked = f"r{number}", text(number % _TEXTS)
            started = time.monotonic()
            try:
                brief = await call(client, id_, asked)
            except DepescheError as error:
                outcome.errors.append(error)
            else:
                outcome.seconds.append(time.monotonic() - started)
                outcome.take(id_, asked, brief)
            await asyncio.sleep(pause)

    tasks = [asyncio.create_task(caller()) for _ in range(callers)]
    try:
        yield outcome
    finally:
        done.set()
        await asyncio.gather(*tasks)

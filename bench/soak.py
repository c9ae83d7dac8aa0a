"""Run a server under mixed load and watch its memory.

    python bench/soak.py [--minutes M] [--bound MIB]

Clients brief, stream, feed, translate, send what is refused, and go away in the middle. Resident
memory is read every ten seconds; if its slope over the second half is over the bound, the exit code
is 1.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from server_process import ServerProcess, server_process

from depesche.client import Client
from depesche.errors import DepescheError
from depesche.types import BriefOptions, Priority, Release

_EXAMPLES = Path(__file__).parents[1] / "examples"
_CLIENTS = 6
_READ_SECONDS = 10.0
_FEED = 3
_PARAGRAPHS = 4


def _texts() -> list[str]:
    """Give texts of some paragraphs of the examples."""
    result = []
    for language in ("de", "ru", "km"):
        text = (_EXAMPLES / f"release.{language}.txt").read_text("utf-8")
        paragraphs = [line for line in text.splitlines() if line.strip()]
        result += [
            "\n\n".join(paragraphs[i : i + _PARAGRAPHS])
            for i in range(0, len(paragraphs), _PARAGRAPHS)
        ]
    return result


async def _one(client: Client, text: str, kind: int) -> None:
    """Make one call of some kind."""
    release = Release(text)
    match kind:
        case 0:
            await client.brief(release, BriefOptions(reproducible=True))
        case 1:
            async for _ in client.stream(release):
                pass
        case 2:
            async for _ in client.stream(release):
                break  # goes away in the middle
        case 3:
            async for _ in client.briefs(_feed(text), BriefOptions(priority=Priority.BULK)):
                pass
        case 4:
            await client.brief(Release("?"))
        case _:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await client.translate(release)


async def _feed(text: str) -> AsyncIterator[tuple[str, Release]]:
    for number in range(_FEED):
        yield str(number), Release(text)


async def soak(server: ServerProcess, minutes: float) -> tuple[int, list[tuple[float, float]]]:
    """Load the server; returns calls made, and memory in MiB by seconds."""
    texts, calls = _texts(), 0
    started = time.monotonic()
    end = started + minutes * 60
    memory = []

    async def work(seed: int) -> None:
        nonlocal calls
        chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        async with Client(server.listen) as client:
            while time.monotonic() < end:
                with suppress(DepescheError):
                    await _one(client, chance.choice(texts), chance.randrange(6))
                calls += 1

    workers = [asyncio.create_task(work(seed)) for seed in range(_CLIENTS)]
    while time.monotonic() < end:
        await asyncio.sleep(min(_READ_SECONDS, max(0.0, end - time.monotonic())))
        memory.append((time.monotonic() - started, server.resident()))
        print(f"{memory[-1][0]:>7.0f} s {memory[-1][1]:>7.0f} MiB {calls:>7} calls", flush=True)
    await asyncio.gather(*workers)
    return calls, memory


async def _measure(minutes: float) -> float:
    """Print what was measured; returns the slope in MiB an hour."""
    async with server_process() as server:
        calls, memory = await soak(server, minutes)
    half = memory[len(memory) // 2 :]
    slope = float(np.polyfit(*zip(*half, strict=True), 1)[0]) * 3600
    print(f"{calls} calls; {slope:+.0f} MiB an hour over the second half")
    return slope


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long")
    parser.add_argument("--bound", type=float, default=60.0, help="MiB an hour")
    arguments = parser.parse_args()
    if asyncio.run(_measure(arguments.minutes)) > arguments.bound:
        sys.exit(1)


if __name__ == "__main__":
    main()

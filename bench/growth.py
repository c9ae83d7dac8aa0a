"""Measure how a brief's time grows with its release, and throughput with the number of clients.

    python bench/growth.py [--words N ...] [--clients N ...] [--seconds S]

Releases are made of the bundled German example, repeated and cut.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from server_process import server_process

from depesche.client import Client
from depesche.types import BriefOptions, Language, Release

_EXAMPLE = Path(__file__).parents[1] / "examples" / "release.de.txt"
_WORDS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
_CLIENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SMALL = 30
_PATIENT = 3_600.0


def release(words: int) -> Release:
    """Make a release of so many words, in paragraphs."""
    paragraphs = [line for line in _EXAMPLE.read_text("utf-8").splitlines() if line.strip()]
    taken: list[str] = []
    for paragraph in itertools.cycle(paragraphs):
        left = words - sum(len(p.split()) for p in taken)
        if left <= 0:
            return Release("\n\n".join(taken), language=Language.GERMAN)
        taken.append(" ".join(paragraph.split()[:left]))
    raise AssertionError("unreachable: the example has paragraphs")


async def lengths(address: str, words: Sequence[int]) -> None:
    """Print the time of a brief for each length."""
    print(f"{'words':>7} {'sentences':>9} {'seconds':>8} {'ms a word':>9}")
    async with Client(address, timeout=_PATIENT) as client:
        for count in words:
            started = time.monotonic()
            brief = await client.brief(release(count), BriefOptions())
            seconds = time.monotonic() - started
            sentences = len(brief.translation)
            print(f"{count:>7} {sentences:>9} {seconds:>8.1f} {seconds / count * 1000:>9.2f}")


async def crowds(address: str, clients: Sequence[int], seconds: float) -> None:
    """Print the throughput for each number of clients that wait for their replies."""
    print(f"\n{'clients':>7} {'releases/s':>10} {'mean s':>7}")
    small = release(_SMALL)
    for count in clients:
        done = 0
        async with Client(address, timeout=_PATIENT) as client:
            started = time.monotonic()

            async def work() -> None:
                nonlocal done
                while time.monotonic() - started < seconds:  # noqa: B023 - awaited in this turn
                    await client.brief(small, BriefOptions())
                    done += 1

            await asyncio.gather(*(work() for _ in range(count)))
            rate = done / (time.monotonic() - started)
        print(f"{count:>7} {rate:>10.2f} {count / rate:>7.2f}", flush=True)


async def _measure(words: Sequence[int], clients: Sequence[int], seconds: float) -> None:
    async with server_process(max_text_characters=str(10**7), max_sentences=str(10**5)) as server:
        await lengths(server.listen, words)
        await crowds(server.listen, clients, seconds)
        print(f"\nresident at the end: {server.resident():.0f} MiB")


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, nargs="*", default=_WORDS, help="lengths of releases")
    parser.add_argument("--clients", type=int, nargs="*", default=_CLIENTS, help="at once")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number of clients")
    arguments = parser.parse_args()
    asyncio.run(_measure(arguments.words, arguments.clients, arguments.seconds))


if __name__ == "__main__":
    main()

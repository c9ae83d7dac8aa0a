"""Measure how many briefs a core makes in an hour, and what a million releases a day would take.

    python bench/capacity.py [--words N] [--clients N] [--seconds S] [--price P]

Clients keep the server busy with releases of one language, made of the bundled examples. Khmer,
which puts no spaces between words, is cut where the German example would be. `loop` is the
share of one core that the thread of the event loop needs for each core that the models have: more
workers than its inverse would wait for it.
"""

import argparse
import asyncio
import os
import time
from pathlib import Path

from server_process import server_process

from depesche.client import Client
from depesche.types import BriefOptions, Language, Priority, Release

_EXAMPLES = Path(__file__).parents[1] / "examples"
_PATIENT = 3_600.0
_HOUR = 3_600.0
_MILLION = 1_000_000
_DAY_HOURS = 24.0


def _releases(language: Language, words: int) -> list[Release]:
    """Make releases of some paragraphs, each beginning at another one."""
    german = len((_EXAMPLES / "release.de.txt").read_text("utf-8").split())
    text = (_EXAMPLES / f"release.{language}.txt").read_text("utf-8")
    paragraphs = [line for line in text.splitlines() if line.strip()]
    size = len(text.split()) if language is not Language.KHMER else german
    count = max(1, round(len(paragraphs) * words / size))
    doubled = paragraphs * (2 + count // len(paragraphs))
    return [
        Release("\n\n".join(doubled[first : first + count]), language=language)
        for first in range(len(paragraphs))
    ]


def _thread_seconds(pid: int) -> tuple[float, float]:
    """Return the CPU time of a process' first thread, and that of the others."""
    times = {}
    for folder in Path(f"/proc/{pid}/task").iterdir():
        # Fields 14 and 15, in ticks; the name before them may hold spaces (proc(5)).
        fields = (folder / "stat").read_text("ascii").rpartition(")")[2].split()
        times[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    first = times.pop(pid)
    return first, sum(times.values())


async def _rate(
    address: str, releases: list[Release], clients: int, seconds: float
) -> tuple[float, float, float]:
    """Return briefs a second, sentences and bytes of a brief, with so many clients at all times."""
    briefs = sentences = size = 0
    options = BriefOptions(priority=Priority.BULK)
    async with Client(address, timeout=_PATIENT) as client:
        started = time.monotonic()

        async def work(number: int) -> None:
            nonlocal briefs, sentences, size
            while time.monotonic() - started < seconds:
                brief = await client.brief(releases[number % len(releases)], options)
                briefs += 1
                sentences += len(brief.translation)
                size += brief.ByteSize()
                number += clients

        await asyncio.gather(*map(work, range(clients)))
        return briefs / (time.monotonic() - started), sentences / briefs, size / briefs


async def measure(words: int, clients: int, seconds: float, price: float) -> None:
    """Measure each language and print the table."""
    cores = len(os.sched_getaffinity(0))
    print(
        f"{'language':>8} {'sentences':>9} {'KB a brief':>10} {'briefs/core-hour':>16}"
        f" {'cores for 1M a day':>18} {'cost of 1M':>10} {'loop':>5}"
    )
    async with server_process() as server:
        for language in (Language.GERMAN, Language.RUSSIAN, Language.KHMER):
            before = _thread_seconds(server.pid)
            rate, sentences, size = await _rate(
                server.listen, _releases(language, words), clients, seconds
            )
            loop, models = (
                after - then
                for after, then in zip(_thread_seconds(server.pid), before, strict=True)
            )
            hourly = rate * _HOUR / cores
            print(
                f"{language:>8} {sentences:>9.1f} {size / 1000:>10.1f} {hourly:>16.0f}"
                f" {_MILLION / _DAY_HOURS / hourly:>18.0f} {_MILLION / hourly * price:>10.0f}"
                f" {loop / models:>5.3f}",
                flush=True,
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=300, help="words of a release, about")
    parser.add_argument("--clients", type=int, default=16, help="releases in flight")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each language")
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.words, arguments.clients, arguments.seconds, arguments.price))


if __name__ == "__main__":
    main()

"""Measure a server of its own: time to ready, memory, and the cost of a brief.

    python bench/serving.py [--requests N]

Machines differ and are noisy, so a brief's time is given as a ratio to that of the bare model
decoding the same sentences greedily in the same minute.
"""

import argparse
import asyncio
import time
from pathlib import Path

from loaded import default_backend
from server_process import server_process

from depesche.client import Client
from depesche.config import Settings
from depesche.inference.queue import SegmentQueue
from depesche.loading import worker_count
from depesche.types import BriefOptions, Language, Release

_RELEASE = Path(__file__).parents[1] / "examples" / "release.ru.txt"


async def measure(requests: int) -> list[tuple[str, str]]:
    """Run the server and gather the rows of the table."""
    started = time.monotonic()
    async with server_process() as server:
        rows = [("ready after", f"{time.monotonic() - started:.1f} s")]
        rows.append(("resident when ready", f"{server.resident():.0f} MiB"))
        text = _RELEASE.read_text("utf-8")
        async with Client(server.listen) as client:
            flagged, seconds, sentences = await _timed_brief(client, text)
            lines = [line for line in text.splitlines() if line.strip()]
            for number in range(requests):
                line = lines[number % len(lines)]
                await client.brief(Release(line, language=Language.RUSSIAN), BriefOptions())
        rows.append((f"resident after {requests} more requests", f"{server.resident():.0f} MiB"))
    bare = await _bare(sentences)
    rows += [
        ("brief of the Russian example", f"{seconds:.1f} s"),
        ("bare greedy decoding of its sentences", f"{bare:.1f} s"),
        ("ratio", f"{seconds / bare:.2f}"),
        ("sentences with findings", str(flagged)),
    ]
    return rows


async def _timed_brief(client: Client, text: str) -> tuple[int, float, list[str]]:
    started = time.monotonic()
    brief = await client.brief(Release(text), BriefOptions())
    seconds = time.monotonic() - started
    translation = brief.translation
    flagged = sum(bool(sentence.findings) for sentence in translation)
    return flagged, seconds, [sentence.normalised_source for sentence in translation]


async def _bare(sentences: list[str]) -> float:
    """Decode sentences greedily with nothing around the model but its queue."""
    settings = Settings()
    workers = worker_count(settings)
    queue = SegmentQueue(
        "bare",
        default_backend(settings),
        workers=workers,
        batch_tokens=settings.batch_tokens,
        capacity=settings.queue_segments,
    )
    started = time.monotonic()
    async for _ in queue.translate(sentences):
        pass
    seconds = time.monotonic() - started
    await queue.aclose()
    return seconds


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure a server of its own.")
    parser.add_argument("--requests", type=int, default=200, help="requests before memory is read")
    arguments = parser.parse_args()
    rows = asyncio.run(measure(arguments.requests))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value:>8}")


if __name__ == "__main__":
    main()

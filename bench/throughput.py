"""Compare the service with the bare model and with a server that doesn't batch.

    python bench/throughput.py FILE [--seconds S] [--clients N]

The file holds German sentences, one a line. All decode greedily, once, by the same model on the
same CPUs, and each measurement is made twice, in turns, since machines are noisy. Reported are
lines a second and their ratios:

- ceiling: the service under N clients over the bare model that gets all sentences at once, sorted;
- naive: the service over a server that makes one call a text (bench/naive_server.py), with releases
  of one sentence and of twenty lines;
- single: the time that one request takes, over that of the bare pipeline in this process.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from closed_loop import line_rate
from loaded import default_backend
from server_process import server_process

from depesche.client import Client
from depesche.config import Settings
from depesche.engine import Engine
from depesche.inference.backend import TranslationBackend
from depesche.inference.backlog import cut_batches
from depesche.loading import worker_count
from depesche.types import BriefOptions, ContentFormat, Language, Release

_LONG = 20
_SINGLE = 10


async def served(
    address: str, lines: Sequence[str], size: int, clients: int, seconds: float
) -> float:
    """Return lines a second for clients that send releases of `size` lines one after another."""
    async with Client(address) as client:

        async def send(chunk: Sequence[str]) -> None:
            release = Release("\n".join(chunk), ContentFormat.LINES, language=Language.GERMAN)
            await client.translate(release)

        return await line_rate(send, lines, size, clients, seconds)


def bare(backend: TranslationBackend, lines: Sequence[str], workers: int) -> float:
    """Return lines a second where the model gets all of them at once, in sorted batches."""
    rows = [backend.tokenize(line) for line in lines]
    batches = [
        [rows[i] for i in batch]
        for batch in cut_batches([len(row) for row in rows], Settings().batch_tokens)
    ]
    started = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda batch: backend.translate(batch, beam_size=1), batches))
    return len(lines) / (time.monotonic() - started)


async def single(address: str, lines: Sequence[str]) -> float:
    """Return the time of one request after another over that of the pipeline in this process."""
    releases = [Release(line, language=Language.GERMAN) for line in lines[:_SINGLE]]
    options = BriefOptions(reproducible=True)
    engine = await Engine.load(Settings(decode_again=False))
    there = here = 0.0
    async with Client(address) as client:
        for release in releases:
            started = time.monotonic()
            await client.translate(release, options)
            between = time.monotonic()
            await engine.translate(release, options)
            there += between - started
            here += time.monotonic() - between
    await engine.aclose()
    return there / here


async def measure(lines: Sequence[str], clients: int, seconds: float, rounds: int) -> None:
    """Measure and print the table."""
    settings = Settings()
    backend = default_backend(settings)
    workers = worker_count(settings)
    rates: dict[str, list[float]] = {}

    def note(name: str, rate: float) -> None:
        rates.setdefault(name, []).append(rate)
        print(f"{name:<34} {rate:>8.2f} lines/s", flush=True)

    naive = Path(__file__).with_name("naive_server.py")
    for _ in range(rounds):
        note("bare, all at once", bare(backend, lines, workers))
        async with server_process(decode_again="false") as server:
            for size in (1, _LONG):
                rate = await served(server.listen, lines, size, clients, seconds)
                note(f"service, releases of {size}", rate)
            print(
                f"{'one request, over the pipeline':<34} {await single(server.listen, lines):>8.3f}"
            )
        async with server_process(program=[str(naive)]) as server:
            for size in (1, _LONG):
                rate = await served(server.listen, lines, size, clients, seconds)
                note(f"naive, releases of {size}", rate)
    means = {name: sum(values) / len(values) for name, values in rates.items()}
    ceiling = means["bare, all at once"]
    for size in (1, _LONG):
        service, rival = means[f"service, releases of {size}"], means[f"naive, releases of {size}"]
        print(f"releases of {size}: {service / ceiling:.2f} of the ceiling")
        print(f"releases of {size}: {service / rival:.2f} times the naive server")


def main() -> None:
    """Read the sentences, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="German sentences, one a line")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--clients", type=int, default=32, help="at once")
    parser.add_argument("--rounds", type=int, default=2, help="of all measurements")
    arguments = parser.parse_args()
    lines = arguments.file.read_text("utf-8").splitlines()
    asyncio.run(measure(lines, arguments.clients, arguments.seconds, arguments.rounds))


if __name__ == "__main__":
    main()

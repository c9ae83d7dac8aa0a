"""Measure what a batch costs: by its rows, and by how far their lengths lie apart.

    python bench/batches.py FILE [FILE ...] [--seconds S]

Each file holds one source sentence a line. All batches are of some thirty source tokens a row, on
one core. The costs of a step that it prints are those that `depesche.inference.backlog` weighs
batches by.
"""

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from loaded import default_backend

from depesche.config import Settings
from depesche.inference.backend import TranslationBackend

_LENGTH = 30
_ROWS = (1, 2, 4, 8, 16, 32)
_SPREADS = (0, 2, 5, 10)
_SPREAD_ROWS = 8


def measure(backend: TranslationBackend, rows: Sequence[list[str]], seconds: float) -> None:
    """Print both tables."""
    costs = {}
    print(f"{'rows':>6} {'source tokens/s':>16} {'ms a step':>10}")
    for count in _ROWS:
        speed, step = _speed(backend, _near(rows, 4), count, seconds)
        costs[count] = step
        print(f"{count:>6} {speed:>16.0f} {step:>10.1f}")
    slope, fixed = np.polyfit(list(costs), list(costs.values()), 1)
    print(f"a step takes {fixed:.1f} ms and {slope:.1f} ms a row: {fixed / slope:.1f} to 1\n")
    print(f"{'spread':>6} {'source tokens/s':>16}   ({_SPREAD_ROWS} rows)")
    for spread in _SPREADS:
        speed, _ = _speed(backend, _near(rows, spread), _SPREAD_ROWS, seconds)
        print(f"{spread:>6} {speed:>16.0f}")


def _near(rows: Sequence[list[str]], spread: int) -> list[list[str]]:
    return [row for row in rows if abs(len(row) - _LENGTH) * 2 <= spread]


def _speed(
    backend: TranslationBackend, rows: Sequence[list[str]], count: int, seconds: float
) -> tuple[float, float]:
    """Return source tokens per second, and milliseconds per decoding step."""
    chance = random.Random(1)  # noqa: S311 - which rows is of no account
    tokens = steps = 0
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        batch = chance.choices(rows, k=count)
        hypotheses = backend.translate(batch, beam_size=1)
        tokens += sum(map(len, batch))
        steps += max(hypothesis.tokens for hypothesis in hypotheses) + 1
    elapsed = time.monotonic() - started
    return tokens / elapsed, elapsed / steps * 1000


def main() -> None:
    """Read the sentences, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="source sentences, one a line")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args()
    settings = Settings(workers=1)
    backend = default_backend(settings)
    lines = [line for file in arguments.files for line in file.read_text("utf-8").splitlines()]
    measure(backend, [backend.tokenize(line) for line in lines], arguments.seconds)


if __name__ == "__main__":
    main()

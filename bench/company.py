"""Measure how often the segments that share a batch change each other's English.

    python bench/company.py FILE [FILE ...] [--rounds N]

Each file holds one source sentence a line. Every sentence is decoded alone, and then among others
of about its length, differently in each round.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from loaded import default_backend

from depesche.config import Settings
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.backlog import cut_batches


def in_company(
    backend: TranslationBackend, rows: Sequence[list[str]], budget: int, seed: int
) -> Iterator[tuple[int, Hypothesis]]:
    """Decode rows in batches of like length whose members `seed` decides."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    order = chance.sample(range(len(rows)), len(rows))
    for batch in cut_batches([len(rows[i]) for i in order], budget):
        places = [order[i] for i in batch]
        results = backend.translate([rows[i] for i in places], beam_size=1)
        yield from zip(places, results, strict=True)


def main() -> None:
    """Read the sentences, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="source sentences, one a line")
    parser.add_argument("--rounds", type=int, default=3, help="ways of sharing batches")
    arguments = parser.parse_args()
    settings = Settings()
    backend = default_backend(settings)
    print(
        f"{'file':<40} {'round':>5} {'sentences':>9} {'other text':>10} {'largest score shift':>19}"
    )
    for file in arguments.files:
        rows = [backend.tokenize(line) for line in file.read_text("utf-8").splitlines()]
        alone = [backend.translate([row], beam_size=1)[0] for row in rows]
        for seed in range(arguments.rounds):
            pairs = [
                (alone[i], h) for i, h in in_company(backend, rows, settings.batch_tokens, seed)
            ]
            changed = sum(a.text != h.text for a, h in pairs)
            shift = max(abs(a.score - h.score) for a, h in pairs if a.text == h.text)
            print(f"{file!s:<40} {seed:>5} {len(rows):>9} {changed:>10} {shift:>19.4f}")


if __name__ == "__main__":
    main()

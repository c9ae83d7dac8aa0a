"""The training data: read, cleaned, freed of what it will be measured on, and mixed by weights.

A folder of corpora holds `train/CORPUS/LANGUAGE-en/{src,ref}.txt` and, alike, `dev` and `test`:
line-aligned UTF-8.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.training.text import Pair, clean_source, clean_target, fault, folded

__all__ = [
    "BACKTRANSLATED",
    "LANGUAGES",
    "WEIGHTS",
    "Tally",
    "epoch",
    "held_out",
    "load",
    "read",
    "report",
    "save",
    "select",
    "weight",
]

LANGUAGES = ("de", "km", "ru")

BACKTRANSLATED = "backtranslated"
"""The corpus whose sources a model has written."""

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "de": {
        BACKTRANSLATED: 0.4,
        "libreoffice_help": 0.02,
        "multi30k": 0.04,
        "opennmt_wmt_sample": 0.8,
        "pud": 1.0,
        "tatoeba": 0.12,
        "udhr": 1.0,
        "wmt_en2x_2019_2023": 1.0,
        "wmt_newstest_old": 1.0,
        "xquad": 0.8,
    },
    "km": {
        BACKTRANSLATED: 0.8,
        "libreoffice_help": 0.12,
        "tatoeba": 1.5,
        "tico19_dev": 2.0,
        "tico19_terms": 1.0,
        "tico19_test": 2.0,
        "udhr": 2.0,
        "wmt20_newstest_km": 2.0,
        "wmt20_wikipedia_dev": 2.0,
        "wmt20_wikipedia_devtest": 2.0,
    },
    "ru": {
        BACKTRANSLATED: 0.6,
        "libreoffice_help": 0.03,
        "mlqe_pe": 0.4,
        "pud": 1.0,
        "tatoeba": 0.12,
        "tico19_dev": 1.0,
        "tico19_test": 1.0,
        "udhr": 1.0,
        "wmt_en2x_2019_2023": 1.0,
        "wmt_newstest_old": 1.0,
        "xquad": 0.8,
    },
}
"""How often an epoch shows each pair of a corpus, on average: news most, Khmer oversampled."""

_UNKNOWN = 1.0
"""The weight of a corpus that isn't listed."""


@dataclass(slots=True)
class Tally:
    """What became of the lines of one corpus in one language.

    Attributes:
        corpus: its name.
        language: its language.
        read: lines read.
        kept: pairs kept.
        dropped: number of pairs dropped, by reason.
    """

    corpus: str
    language: str
    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def read(folder: Path) -> Iterator[Pair]:
    """Read the pairs under `folder`, in the order of their paths, as they stand there.

    Raises:
        SystemExit: a corpus's files differ in their number of lines.
    """
    for path in sorted(folder.glob("*/*-en/src.txt")):
        language = path.parent.name.removesuffix("-en")
        sources, targets = _lines(path), _lines(path.with_name("ref.txt"))
        if len(sources) != len(targets):
            raise SystemExit(f"{path.parent}: src.txt and ref.txt aren't aligned")
        for source, target in zip(sources, targets, strict=True):
            yield Pair(source, target, language, path.parent.parent.name)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").removesuffix("\n").split("\n")


def held_out(corpora: Path) -> set[str]:
    """Return all sentences of the sets to measure on, folded."""
    pairs = (pair for part in ("dev", "test") for pair in read(corpora / part))
    return {folded(text) for pair in pairs for text in (pair.source, pair.target)}


def select(pairs: Iterable[Pair], measured: set[str]) -> tuple[list[Pair], list[Tally]]:
    """Clean pairs and drop those at fault, those of `measured`, and repetitions.

    Returns:
        The pairs kept, and a tally for each corpus and language.
    """
    kept: list[Pair] = []
    seen: set[str] = set()
    tallies: dict[tuple[str, str], Tally] = {}
    for pair in pairs:
        key = pair.corpus, pair.language
        tally = tallies.setdefault(key, Tally(*key))
        tally.read += 1
        cleaned = _cleaned(pair)
        reason = fault(cleaned) or _known(cleaned, measured, seen)
        if reason:
            tally.dropped[reason] += 1
        else:
            tally.kept += 1
            kept.append(cleaned)
    return kept, list(tallies.values())


def _cleaned(pair: Pair) -> Pair:
    source = clean_source(pair.source, pair.language)
    return Pair(source, clean_target(pair.target), pair.language, pair.corpus)


def _known(pair: Pair, measured: set[str], seen: set[str]) -> str | None:
    source, target = folded(pair.source), folded(pair.target)
    if source in measured or target in measured:
        return "held out"
    both = f"{pair.language} {source} {target}"
    if both in seen:
        return "duplicate"
    seen.add(both)
    return None


def report(tallies: Sequence[Tally]) -> str:
    """Return a table in Markdown of what was kept and why the rest wasn't."""
    reasons = sorted({reason for tally in tallies for reason in tally.dropped})
    rows = [["corpus", "language", "read", "kept", "weight", *reasons]]
    rows.append(["---", "---", *["---:"] * (3 + len(reasons))])
    for tally in tallies:
        copies = WEIGHTS[tally.language].get(tally.corpus, _UNKNOWN)
        numbers = [tally.read, tally.kept, copies, *(tally.dropped[name] for name in reasons)]
        rows.append([tally.corpus, tally.language, *map(str, numbers)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def save(pairs: Iterable[Pair], path: Path) -> None:
    """Save pairs as lines of JSON, all or nothing."""
    lines = (json.dumps(asdict(pair), ensure_ascii=False) for pair in pairs)
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    temporary.replace(path)


def load(path: Path) -> list[Pair]:
    """Load what `save` saved."""
    # Not splitlines: U+2028 and the like may stand within a text.
    return [Pair(**json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def weight(pair: Pair) -> float:
    """Return how often an epoch shows a pair, on average."""
    return WEIGHTS[pair.language].get(pair.corpus, _UNKNOWN)


def epoch(pairs: Sequence[Pair], number: int, seed: int) -> list[int]:
    """Return the positions of the pairs that one epoch shows, in its order.

    A pair of weight 2.3 comes twice, and in three of ten epochs a third time; the same number and
    seed give the same epoch.
    """
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible, not secret
    chosen: list[int] = []
    for position, pair in enumerate(pairs):
        copies = weight(pair)
        chosen.extend([position] * (int(copies) + (chance.random() < copies % 1)))
    chance.shuffle(chosen)
    return chosen

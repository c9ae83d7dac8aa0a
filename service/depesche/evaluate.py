"""Measure and compare systems against references: translations, and summaries."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from depesche import __version__
from depesche.errors import ConfigurationError
from depesche.tables import aligned
from depesche.text import sentences as splitter
from depesche.types import Language
from depesche.v1 import types_pb2

__all__ = [
    "Report",
    "Run",
    "Score",
    "System",
    "compare",
    "compare_summaries",
    "kinds_of",
    "load_rouge",
    "score",
]

TRIALS = 1_000
"""Of each test; no p-value is below 1 / (1 + TRIALS)."""
SEED = 12345
"""Of the trials; sacrebleu's own default."""

_TEST = "paired approximate randomisation"
_ROUNDING = 1e-9
_HEADING = 12
_ROUGES = ("rouge1", "rouge2", "rougeLsum")
_RATES: Mapping[str, tuple[str, ...]] = {
    "loops": ("REPETITION",),
    "untranslated": ("UNTRANSLATED",),
    "empty": ("EMPTY",),
    "wrong figures": ("NUMBER_", "DATE_", "PERCENTAGE_", "AMOUNT_"),
    "wrong names": ("NAME_",),
    "any finding": ("",),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one system made of the sources.

    Attributes:
        name: the system's.
        model: what exactly it is: name, revision, digest, quantisation, licence.
        outputs: what it made of each source.
        findings: the kinds of finding of each sentence of that, without their common beginning.
        shares: percentage of sentences of each kind beside faults, such as `by beam or parts`.
        seconds: time that it took.
    """

    name: str
    model: Mapping[str, str]
    outputs: Sequence[str]
    findings: Sequence[Sequence[str]]
    shares: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """One corpus score.

    Attributes:
        name: name of the metric, with its parameters where it is customary.
        value: from 0 to 100; more is better.
        signature: what makes the value comparable, as sacrebleu writes it.
        p_value: probability of so large a difference from the first system's by chance; None for
            the first.
    """

    name: str
    value: float
    signature: str
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class System:
    """How good one system is.

    Attributes:
        name: the system's.
        model: what exactly it is.
        scores: over all outputs.
        rates: percentage of sentences with a fault, by the fault's name, and other shares.
        sentences: number of sentences that the rates are of.
        seconds: time that all outputs took.
    """

    name: str
    model: Mapping[str, str]
    scores: tuple[Score, ...]
    rates: Mapping[str, float]
    sentences: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison.

    Attributes:
        task: `translation` or `summary`.
        language: of the sources.
        sources: how many there were.
        words: how many they hold between them, as white space tells, of which Khmer has little.
        systems: in the order asked for; the others are compared with the first.
    """

    task: str
    language: str
    sources: int
    words: int
    systems: tuple[System, ...]

    def table(self) -> str:
        """Write a column for each system, and below it what makes the scores comparable."""
        first = self.systems[0]
        compared = len(self.systems) > 1
        rows = _headings([system.name for system in self.systems])
        for place, named in enumerate(first.scores):
            found = [system.scores[place] for system in self.systems]
            rows.append([named.name, *(f"{score.value:.2f} " for score in found)])
            if compared:
                rows.append(["  p", *map(_probability, found)])
        rows.append(["words/s", *(f"{self._speed(system):.1f} " for system in self.systems)])
        if compared:
            ratios = [self._speed(system) / self._speed(first) for system in self.systems]
            rows.append(["  to the first", *(f"{ratio:.2f} " for ratio in ratios)])
        rows += [[r, *(f"{s.rates[r]:.2f}%" for s in self.systems)] for r in first.rates]
        rows.append(["sentences", *(f"{system.sentences} " for system in self.systems)])
        signed: dict[str, list[str]] = {}
        for named in first.scores:
            signed.setdefault(named.signature, []).append(named.name)
        notes = [f"{', '.join(names)}: {signature}" for signature, names in signed.items()]
        if compared:
            notes.append(
                "p: probability of so large a difference from the first by chance,\n"
                f"   by {_TEST} with {TRIALS} trials, seed {SEED}"
            )
        return aligned(rows, numbers=True) + "\n" + "".join(f"{note}\n" for note in notes)

    def json(self) -> str:
        """Write all figures as a JSON object.

        Keys: `task`, `language`, `sources`, `words`, `service_version`, `test` (`kind`, `trials`,
        `seed`) and `systems`, each with `name`, `model` (`name`, `revision`, `digest`,
        `quantisation`, `licence`), `scores` (`name`, `value`, `signature`, `p_value`), `rates` in
        per cent, `sentences`, `seconds`, `words_per_second` and `speed_ratio`.
        """
        first = self.systems[0]
        document = {
            "task": self.task,
            "language": self.language,
            "sources": self.sources,
            "words": self.words,
            "service_version": __version__,
            "test": {"kind": _TEST, "trials": TRIALS, "seed": SEED},
            "systems": [
                {
                    "name": system.name,
                    "model": dict(system.model),
                    "scores": [
                        {
                            "name": named.name,
                            "value": named.value,
                            "signature": named.signature,
                            "p_value": named.p_value,
                        }
                        for named in system.scores
                    ],
                    "rates": dict(system.rates),
                    "sentences": system.sentences,
                    "seconds": system.seconds,
                    "words_per_second": self._speed(system),
                    "speed_ratio": self._speed(system) / self._speed(first),
                }
                for system in self.systems
            ],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def _speed(self, system: System) -> float:
        return self.words / system.seconds


def score(hypotheses: Sequence[str], references: Sequence[str]) -> tuple[Score, ...]:
    """Score translations by chrF and BLEU.

    chrF is that of Popović 2015 ("chrF: character n-gram F-score for automatic MT evaluation"),
    BLEU that of Papineni et al. 2002, both as Post 2018 made them comparable (sacrebleu).

    Args:
        hypotheses: the translated lines; at least one.
        references: the lines of the reference translation, as many.
    """
    metrics = (CHRF(), BLEU())
    scores = [metric.corpus_score(hypotheses, [references]) for metric in metrics]
    return tuple(
        Score(found.name, found.score, str(metric.get_signature()))
        for metric, found in zip(metrics, scores, strict=True)
    )


def compare(
    runs: Sequence[Run], references: Sequence[str], language: Language, words: int
) -> Report:
    """Compare translations of the same lines by chrF and BLEU; see `score`.

    Args:
        runs: of each system; at least one.
        references: the lines of the reference translation.
        language: of the sources.
        words: how many the sources hold.
    """
    metrics: list[Any] = [CHRF(references=[references]), BLEU(references=[references])]
    # What sacrebleu counts in each line, and sums up; only its own tests have it otherwise.
    counts = [
        [np.array(m._extract_corpus_statistics(run.outputs, None)) for m in metrics]  # noqa: SLF001
        for run in runs
    ]
    scores = [score(run.outputs, references) for run in runs]
    for place in range(1, len(runs)):
        p_values = [
            _p_value(first, other, partial(_corpus_score, metric))
            for metric, first, other in zip(metrics, counts[0], counts[place], strict=True)
        ]
        scores[place] = _tested(scores[place], p_values)
    return _report("translation", language, words, runs, scores)


def compare_summaries(runs: Sequence[Run], references: Sequence[str], words: int) -> Report:
    """Compare summaries of the same English texts by ROUGE (Lin 2004), with F1 in per cent.

    Args:
        runs: of each system, whose outputs hold a sentence a line; at least one.
        references: the reference summaries, likewise.
        words: how many the texts hold.

    Raises:
        ConfigurationError: the extra `evaluate` isn't installed.
    """
    scorer = load_rouge().RougeScorer(_ROUGES, use_stemmer=True)
    values = np.array(
        [
            [
                _rouge(scorer, output, other)
                for output, other in zip(r.outputs, references, strict=True)
            ]
            for r in runs
        ]
    )
    version = metadata.version("rouge-score")
    signature = f"rouge-score:{version}|stem:porter|split:depesche-{splitter.VERSION}|f1"
    names = ("ROUGE-1", "ROUGE-2", "ROUGE-Lsum")
    scores = [
        tuple(Score(n, float(v), signature) for n, v in zip(names, row.mean(axis=0), strict=True))
        for row in values
    ]
    for place in range(1, len(runs)):
        columns = zip(values[0].T, values[place].T, strict=True)
        p_values = [_p_value(a[:, None], b[:, None], _mean_of(len(references))) for a, b in columns]
        scores[place] = _tested(scores[place], p_values)
    return _report("summary", Language.ENGLISH, words, runs, scores)


def load_rouge() -> Any:
    """Import the module that scores by ROUGE; early, so that no work is lost where it is missing.

    Raises:
        ConfigurationError: the extra `evaluate` isn't installed.
    """
    try:
        from rouge_score import rouge_scorer  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} isn't installed; `pip install 'depesche[evaluate]'` adds it"
        ) from error
    return rouge_scorer


def _rouge(scorer: Any, output: str, reference: str) -> list[float]:
    found = scorer.score(reference, output)
    return [100 * found[name].fmeasure for name in _ROUGES]


def _corpus_score(metric: Any, counts: NDArray[Any]) -> float:
    return float(metric._compute_score_from_stats(counts.tolist()).score)  # noqa: SLF001


def _mean_of(count: int) -> Callable[[NDArray[Any]], float]:
    return lambda total: float(total[0]) / count


def _p_value(
    first: NDArray[Any], other: NDArray[Any], score_of: Callable[[NDArray[Any]], float]
) -> float:
    """Tell how probable so large a difference is between systems that are alike.

    By approximate randomisation (Noreen 1989; Riezler and Maxwell 2005, "On Some Pitfalls in
    Automatic Evaluation and Significance Testing for MT"): in each trial a coin tells of each
    source whether the two swap their outputs. The paired bootstrap of sacrebleu 2.6 called 12 % of
    250 pairs that were alike in truth different at p < 0.05, in place of 5 %. A difference just as
    large counts too, without which a single output that differs would be called significant.

    Args:
        first: what is counted in each output, a row for each.
        other: likewise, of the other system.
        score_of: the score that a sum of such rows makes.
    """
    swapped = np.random.default_rng(SEED).integers(2, size=(TRIALS, len(first)))
    mixed = swapped @ first + (1 - swapped) @ other
    rest = first.sum(axis=0) + other.sum(axis=0) - mixed
    found = abs(score_of(first.sum(axis=0)) - score_of(other.sum(axis=0)))
    by_chance = [abs(score_of(a) - score_of(b)) for a, b in zip(mixed, rest, strict=True)]
    as_large = sum(difference >= found - _ROUNDING for difference in by_chance)
    return (as_large + 1) / (TRIALS + 1)


def _tested(scores: Sequence[Score], p_values: Sequence[float]) -> tuple[Score, ...]:
    return tuple(replace(s, p_value=p) for s, p in zip(scores, p_values, strict=True))


def _report(
    task: str,
    language: Language,
    words: int,
    runs: Sequence[Run],
    scores: Sequence[tuple[Score, ...]],
) -> Report:
    systems = tuple(
        System(
            name=run.name,
            model=run.model,
            scores=found,
            rates={**_rates(run.findings), **run.shares},
            sentences=len(run.findings),
            seconds=run.seconds,
        )
        for run, found in zip(runs, scores, strict=True)
    )
    return Report(task, language.value, len(runs[0].outputs), words, systems)


def _rates(findings: Sequence[Sequence[str]]) -> Mapping[str, float]:
    return {
        name: _share(any(kind.startswith(kinds) for kind in found) for found in findings)
        for name, kinds in _RATES.items()
    }


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return 100 * sum(found) / len(found) if found else 0.0


def _probability(found: Score) -> str:
    return "- " if found.p_value is None else f"{found.p_value:.3f} "


def _headings(names: Sequence[str]) -> list[list[str]]:
    """Write the names above their columns, folded at hyphens so that several have room."""
    lines = zip_longest(*(reversed(_folded(name)) for name in names), fillvalue="")
    return [["", *(f"{part} " for part in line)] for line in reversed(list(lines))]


def _folded(name: str) -> list[str]:
    lines = [""]
    for part in re.findall(r"[^-]*-|[^-]+", name):
        if lines[-1] and len(lines[-1] + part) > _HEADING:
            lines.append("")
        lines[-1] += part
    return lines


def kinds_of(findings: Sequence[types_pb2.Finding]) -> tuple[str, ...]:
    """Name the kinds of findings as `Run` has them."""
    prefix = "FINDING_KIND_"
    return tuple(types_pb2.FindingKind.Name(f.kind).removeprefix(prefix) for f in findings)

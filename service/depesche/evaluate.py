"""Measure and compare systems against references: translations, and summaries."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

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

SAMPLES = 1_000
"""Resamples of each paired bootstrap (Koehn 2004, "Statistical Significance Tests for Machine
Translation Evaluation")."""
SEED = 12345
"""Of the resampling; sacrebleu's own default."""

_SIGNIFICANT = 0.05
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
        p_value: probability of so large a difference from the first system's by chance, by a paired
            bootstrap; None for the first.
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
        per_second: sources a second.
    """

    name: str
    model: Mapping[str, str]
    scores: tuple[Score, ...]
    rates: Mapping[str, float]
    sentences: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison.

    Attributes:
        task: `translation` or `summary`.
        language: of the sources.
        sources: how many there were.
        systems: in the order asked for; the others are compared with the first.
    """

    task: str
    language: str
    sources: int
    systems: tuple[System, ...]

    def table(self) -> str:
        """Write a column for each system, and below it what makes the scores comparable."""
        first = self.systems[0]
        rows = [["", *(system.name for system in self.systems)]]
        for place, named in enumerate(first.scores):
            rows.append([named.name, *(_cell(system.scores[place]) for system in self.systems)])
        rows.append(["sources/s", *(f"{system.per_second:.2f} " for system in self.systems)])
        if len(self.systems) > 1:
            ratios = [system.per_second / first.per_second for system in self.systems]
            rows.append(["  to the first", *(f"{ratio:.2f} " for ratio in ratios)])
        rows += [[r, *(f"{s.rates[r]:.2f}%" for s in self.systems)] for r in first.rates]
        rows.append(["sentences", *(f"{system.sentences} " for system in self.systems)])
        signed: dict[str, list[str]] = {}
        for named in first.scores:
            signed.setdefault(named.signature, []).append(named.name)
        notes = [f"{', '.join(names)}: {signature}" for signature, names in signed.items()]
        if len(self.systems) > 1:
            notes.append(
                f"* differs from the first at p < {_SIGNIFICANT:g}, by a paired bootstrap of"
                f" {SAMPLES} samples, seed {SEED}"
            )
        return aligned(rows, numbers=True) + "\n" + "".join(f"{note}\n" for note in notes)

    def json(self) -> str:
        """Write all figures as a JSON object.

        Keys: `task`, `language`, `sources`, `service_version`, `test` (`kind`, `samples`, `seed`)
        and `systems`, each with `name`, `model`, `scores` (`name`, `value`, `signature`,
        `p_value`), `rates` in per cent, `sentences`, `per_second` and `speed_ratio`.
        """
        first = self.systems[0]
        document = {
            "task": self.task,
            "language": self.language,
            "sources": self.sources,
            "service_version": __version__,
            "test": {"kind": "paired bootstrap", "samples": SAMPLES, "seed": SEED},
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
                    "per_second": system.per_second,
                    "speed_ratio": system.per_second / first.per_second,
                }
                for system in self.systems
            ],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


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


def compare(runs: Sequence[Run], references: Sequence[str], language: Language) -> Report:
    """Compare translations of the same lines by chrF and BLEU; see `score`.

    Args:
        runs: of each system; at least one.
        references: the lines of the reference translation.
        language: of the sources.
    """
    scores = [score(run.outputs, references) for run in runs]
    if len(runs) > 1:
        # Names must differ there.
        named = [(str(place), run.outputs) for place, run in enumerate(runs)]
        metrics = {"chrF": CHRF(references=[references]), "BLEU": BLEU(references=[references])}
        test = PairedTest(named, metrics, None, test_type="bs", n_samples=SAMPLES)
        test._seed = SEED  # else SACREBLEU_SEED would change what the report says  # noqa: SLF001
        _, tested = test()
        for place in range(1, len(runs)):
            results: list[Any] = [tested[found.name][place] for found in scores[place]]
            # sacrebleu calls a difference of nothing significant.
            same = [a.value == b.value for a, b in zip(scores[place], scores[0], strict=True)]
            p_values = [1.0 if e else r.p_value for e, r in zip(same, results, strict=True)]
            scores[place] = _tested(scores[place], p_values)
    return _report("translation", language, runs, scores)


def compare_summaries(runs: Sequence[Run], references: Sequence[str]) -> Report:
    """Compare summaries of the same English texts by ROUGE (Lin 2004), with F1 in per cent.

    Args:
        runs: of each system, whose outputs hold a sentence a line; at least one.
        references: the reference summaries, likewise.

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
    signature = f"rouge-score|stemmer:porter|split:depesche {splitter.VERSION}|f1"
    names = ("ROUGE-1", "ROUGE-2", "ROUGE-Lsum")
    scores = [
        tuple(Score(n, float(v), signature) for n, v in zip(names, row.mean(axis=0), strict=True))
        for row in values
    ]
    for place in range(1, len(runs)):
        differences = values[place] - values[0]
        scores[place] = _tested(scores[place], [_p_value(d) for d in differences.T])
    return _report("summary", Language.ENGLISH, runs, scores)


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


def _p_value(differences: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """Tell how probable a mean so far from 0 is by chance, as sacrebleu's paired bootstrap does."""
    dice = np.random.default_rng(SEED)
    drawn = dice.choice(differences, (SAMPLES, len(differences)))
    means = drawn.mean(axis=1)
    far = np.abs(means - means.mean()) >= abs(differences.mean())
    return (int(far.sum()) + 1) / (SAMPLES + 1)


def _tested(scores: Sequence[Score], p_values: Sequence[float]) -> tuple[Score, ...]:
    return tuple(
        Score(found.name, found.value, found.signature, float(p_value))
        for found, p_value in zip(scores, p_values, strict=True)
    )


def _report(
    task: str, language: Language, runs: Sequence[Run], scores: Sequence[tuple[Score, ...]]
) -> Report:
    systems = tuple(
        System(
            name=run.name,
            model=run.model,
            scores=found,
            rates={**_rates(run.findings), **run.shares},
            sentences=len(run.findings),
            per_second=len(run.outputs) / max(run.seconds, 1e-9),
        )
        for run, found in zip(runs, scores, strict=True)
    )
    return Report(task, language.value, len(runs[0].outputs), systems)


def _rates(findings: Sequence[Sequence[str]]) -> Mapping[str, float]:
    return {
        name: _share(any(kind.startswith(kinds) for kind in found) for found in findings)
        for name, kinds in _RATES.items()
    }


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return 100 * sum(found) / len(found) if found else 0.0


def _cell(found: Score) -> str:
    differs = found.p_value is not None and found.p_value < _SIGNIFICANT
    return f"{found.value:.2f}{'*' if differs else ' '}"


def kinds_of(findings: Sequence[types_pb2.Finding]) -> tuple[str, ...]:
    """Name the kinds of findings as `Run` has them."""
    prefix = "FINDING_KIND_"
    return tuple(types_pb2.FindingKind.Name(f.kind).removeprefix(prefix) for f in findings)

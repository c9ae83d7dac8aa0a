"""Measure translations against references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from depesche.v1 import types_pb2

__all__ = ["Evaluation", "Score", "evaluate"]

_Kind = types_pb2.FindingKind


@dataclass(frozen=True, slots=True)
class Score:
    """One corpus score.

    Attributes:
        name: name of the metric, with its parameters where it is customary.
        value: from 0 to 100; more is better.
        signature: sacrebleu's signature, which makes the value comparable.
    """

    name: str
    value: float
    signature: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good translations are.

    Attributes:
        scores: chrF and BLEU over all lines.
        rates: percentage of sentences with a fault, by the fault's name.
        sentences: number of sentences that the rates are of.
    """

    scores: tuple[Score, ...]
    rates: Mapping[str, float]
    sentences: int

    def __str__(self) -> str:
        """Write a line for each score, with its signature, and for each rate."""
        lines = [f"{s.name:<12} {s.value:6.2f}  {s.signature}" for s in self.scores]
        lines += [
            f"{name:<12} {rate:6.2f}% of {self.sentences} sentences"
            for name, rate in self.rates.items()
        ]
        return "".join(f"{line}\n" for line in lines)


def evaluate(
    hypotheses: Sequence[str],
    references: Sequence[str],
    sentences: Sequence[types_pb2.TranslatedSentence],
) -> Evaluation:
    """Score translations.

    chrF is that of Popović 2015 ("chrF: character n-gram F-score for automatic MT evaluation"),
    BLEU that of Papineni et al. 2002, both as Post 2018 made them comparable (sacrebleu).

    Args:
        hypotheses: the translated lines; at least one.
        references: the lines of the reference translation, as many.
        sentences: the sentences that the hypotheses are made of, with their findings.
    """
    metrics = (CHRF(), BLEU())
    scores = [metric.corpus_score(hypotheses, [references]) for metric in metrics]
    return Evaluation(
        scores=tuple(
            Score(score.name, score.score, str(metric.get_signature()))
            for metric, score in zip(metrics, scores, strict=True)
        ),
        rates={
            "loops": _rate(sentences, _Kind.FINDING_KIND_REPETITION),
            "untranslated": _rate(sentences, _Kind.FINDING_KIND_UNTRANSLATED),
            "empty": _rate(sentences, _Kind.FINDING_KIND_EMPTY),
            "any finding": _rate(sentences, *_Kind.values()),
        },
        sentences=len(sentences),
    )


def _rate(sentences: Sequence[types_pb2.TranslatedSentence], *kinds: int) -> float:
    """Tell the percentage of sentences with a finding of one of the kinds."""
    hits = sum(any(f.kind in kinds for f in sentence.findings) for sentence in sentences)
    return 100 * hits / len(sentences) if sentences else 0.0

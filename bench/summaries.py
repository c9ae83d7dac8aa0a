"""Compare the summariser with the lead of an article and with the best extract, by ROUGE.

    python bench/summaries.py [--sentences N] [--half tuning|test|all] CORPUS.jsonl…

Each line of a corpus is a JSON object with an `article` and its `summary`. The summariser's
parameters were chosen on the odd lines (`tuning`), so quote figures of the even ones (`test`).

Figures are mean F1 in per cent, with 95 % intervals by bootstrap over articles; `+` rows are the
differences from the lead, paired by article. `lead` is the first N sentences as they stand, `lead,
clean` the first N that aren't boilerplate, and `oracle` the extract of N sentences that a greedy
search finds in sight of the summary (Nallapati et al. 2017, "SummaRuNNer").
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer

from depesche.config import load_settings
from depesche.inference.encoder import CTranslateEncoder
from depesche.models.store import ModelStore
from depesche.summarise import choose
from depesche.text.sentences import split
from depesche.types import Language

MEASURES = ("rouge1", "rouge2", "rougeLsum")
SYSTEMS = ("lead", "lead, clean", "depesche", "oracle")
HALVES = {"tuning": slice(0, None, 2), "test": slice(1, None, 2), "all": slice(None)}
RESAMPLES = 2_000

Scores = NDArray[np.float64]


def sentences_of(article: str) -> list[str]:
    """Split an article, whose lines are paragraphs."""
    lines = article.split("\n")
    found = [line[s.start : s.end].strip() for line in lines for s in split(line, Language.ENGLISH)]
    return [sentence for sentence in found if sentence]


def oracle(scorer: RougeScorer, sentences: Sequence[str], summary: str, count: int) -> list[int]:
    """Add the sentence that helps ROUGE-1 and ROUGE-2 most, until none does."""
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < count:
        rest = [i for i in range(len(sentences)) if i not in chosen]
        gains = {i: _value(scorer, sentences, summary, [*chosen, i]) for i in rest}
        if not gains or max(gains.values()) <= best:
            break
        chosen.append(max(gains, key=gains.__getitem__))
        best = gains[chosen[-1]]
    return sorted(chosen)


def _value(
    scorer: RougeScorer, sentences: Sequence[str], summary: str, chosen: Iterable[int]
) -> float:
    result = scorer.score(summary, "\n".join(sentences[i] for i in sorted(chosen)))
    return float(result["rouge1"].fmeasure + result["rouge2"].fmeasure)


def measure(encoder: CTranslateEncoder, articles: Sequence[dict[str, str]], count: int) -> Scores:
    """Score each system on each article: axes are systems, articles and measures."""
    scorer = RougeScorer(MEASURES, use_stemmer=True)
    searcher = RougeScorer(MEASURES[:2], use_stemmer=True)
    scores = np.zeros((len(SYSTEMS), len(articles), len(MEASURES)))
    for column, article in enumerate(articles):
        sentences = sentences_of(article["article"])
        embeddings = encoder.encode(sentences)
        extracts = (
            list(range(min(count, len(sentences)))),
            choose(sentences, np.zeros_like(embeddings), count),  # likeness plays no part
            choose(sentences, embeddings, count),
            oracle(searcher, sentences, article["summary"], count),
        )
        for row, extract in enumerate(extracts):
            result = scorer.score(article["summary"], "\n".join(sentences[i] for i in extract))
            scores[row, column] = [100 * result[name].fmeasure for name in MEASURES]
    return scores


def interval(values: Scores) -> str:
    """Write a mean and its 95 % interval by bootstrap over the first axis."""
    generator = np.random.default_rng(1)
    picks = generator.integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():6.2f} [{low:6.2f}, {high:6.2f}]"


def report(title: str, scores: Scores) -> None:
    """Print one corpus' table."""
    print(f"\n{title:<22}" + "".join(f"{name:<26}" for name in MEASURES))
    for system, rows in zip(SYSTEMS, scores, strict=True):
        print(f"{system:<22}" + "".join(f"{interval(column):<26}" for column in rows.T))
    ours = scores[SYSTEMS.index("depesche")]
    for system in SYSTEMS[:2]:
        gain = ours - scores[SYSTEMS.index(system)]
        label = f"+ over {system}"
        print(f"{label:<22}" + "".join(f"{interval(column):<26}" for column in gain.T))


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description="ROUGE of extractive summaries.")
    parser.add_argument("corpora", nargs="+", type=Path, metavar="CORPUS.jsonl")
    parser.add_argument("--sentences", type=int, default=3, help="sentences of an extract")
    parser.add_argument("--half", choices=HALVES, default="test", help="lines to measure on")
    arguments = parser.parse_args()
    settings = load_settings()
    encoder = CTranslateEncoder(ModelStore(settings.models_dir).verify(settings.summary_model).path)
    for corpus in arguments.corpora:
        lines = corpus.read_text("utf-8").splitlines()[HALVES[arguments.half]]
        articles = [json.loads(line) for line in lines]
        title = f"{corpus.stem}, {len(articles)}"
        report(title, measure(encoder, articles, arguments.sentences))


if __name__ == "__main__":
    main()

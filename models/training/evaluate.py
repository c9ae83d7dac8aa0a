"""Evaluation: quality and rates of failure of an exported model, as a table for its card."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import sacrebleu
import sentencepiece

from models.training import data
from models.training.rates import Rates, rates
from models.training.text import clean_source

__all__ = ["Result", "evaluate", "leaderboard", "quality_lines", "table", "write_card"]

_BATCH_TOKENS = 1024
_LONGEST = 250
_MARKERS = ("<!-- evaluation -->", "<!-- /evaluation -->")


@dataclass(frozen=True, slots=True)
class Result:
    """What a model was measured to do on one set in one language.

    Attributes:
        data: name of the set.
        language: what was translated into English.
        sentences: how many were.
        bleu: BLEU.
        chrf: chrF.
        rates: shares of failures.
        signature: what sacrebleu says of its settings, for chrF.
    """

    data: str
    language: str
    sentences: int
    bleu: float
    chrf: float
    rates: Rates
    signature: str


def evaluate(model: Path, corpora: Path, every: int) -> Iterator[Result]:
    """Measure a model on every `every`-th sentence of the dev and test sets, greedily decoded."""
    generator = ctranslate2.Generator(
        str(model), compute_type="int8", inter_threads=os.cpu_count() or 1, intra_threads=1
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model / "sentencepiece.model"))
    for part in ("dev", "test"):
        pairs = list(data.read(corpora / part))
        for name, language in sorted({(pair.corpus, pair.language) for pair in pairs}):
            chosen = [pair for pair in pairs if (pair.corpus, pair.language) == (name, language)]
            sources = [pair.source for pair in chosen[::every]]
            references = [pair.target for pair in chosen[::every]]
            cleaned = [clean_source(source, language) for source in sources]
            outputs = _translate(generator, processor, cleaned)
            yield _measured(name, language, sources, outputs, references)


def _translate(
    generator: ctranslate2.Generator,
    processor: sentencepiece.SentencePieceProcessor,
    sources: Sequence[str],
) -> list[str]:
    prompts = [["<bos>", *pieces, "<start_of_turn>"] for pieces in _pieces(processor, sources)]
    results = generator.generate_batch(
        prompts,
        max_batch_size=_BATCH_TOKENS,
        batch_type="tokens",
        beam_size=1,
        sampling_topk=1,
        max_length=_LONGEST,
        include_prompt_in_result=False,
        end_token="<eos>",  # noqa: S106 - a mark of the vocabulary
    )
    return [processor.decode(result.sequences[0]).strip() for result in results]


def _pieces(
    processor: sentencepiece.SentencePieceProcessor, sources: Sequence[str]
) -> list[list[str]]:
    return [list(pieces) for pieces in processor.encode(list(sources), out_type=str)]


def _measured(
    name: str,
    language: str,
    sources: Sequence[str],
    outputs: Sequence[str],
    references: Sequence[str],
) -> Result:
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    return Result(
        data=name,
        language=language,
        sentences=len(outputs),
        bleu=bleu.corpus_score(outputs, [references]).score,
        chrf=chrf.corpus_score(outputs, [references]).score,
        rates=rates(sources, outputs, references),
        signature=f"{bleu.get_signature()}; {chrf.get_signature()}",
    )


def leaderboard(path: Path, name: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Read public models' scores on a set.

    Args:
        path: lines of set, `LANGUAGE-en`, model, BLEU, chrF and more, separated by tabs.
        name: the set.

    Returns:
        For each model, by language, its BLEU and chrF as they stand there.
    """
    scores: dict[str, dict[str, tuple[str, str]]] = {}
    for line in path.read_text("utf-8").splitlines():
        data_name, pair, model, bleu, chrf, *_ = line.split("\t")
        if data_name == name:
            scores.setdefault(model, {})[pair.removesuffix("-en")] = bleu, chrf
    return scores


def table(results: Sequence[Result], public: Mapping[str, Mapping[str, tuple[str, str]]]) -> str:
    """Return results, and beside them public models' scores on the test set, in Markdown."""
    rows = [
        "| set | language | sentences | BLEU | chrF | loops | leftovers | lost numbers | empty |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        shares = (result.rates.loops, result.rates.leftovers, result.rates.numbers)
        failures = " | ".join(f"{share:.1%}" for share in (*shares, result.rates.empty))
        rows.append(
            f"| {result.data} | {result.language} | {result.sentences} "
            f"| {result.bleu:.1f} | {result.chrf:.1f} | {failures} |"
        )
    signatures = sorted({result.signature for result in results})
    parts = ["\n".join(rows), "\n".join(f"sacrebleu: `{text}`" for text in signatures)]
    if public:
        parts.append(_public_table(public))
    return "\n\n".join(parts) + "\n"


def _public_table(public: Mapping[str, Mapping[str, tuple[str, str]]]) -> str:
    languages = data.LANGUAGES
    rows = [
        f"| public model (BLEU / chrF) | {' | '.join(languages)} |",
        f"| --- | {' | '.join(['---:'] * len(languages))} |",
    ]
    for model, scores in public.items():
        cells = (_scores(scores.get(language)) for language in languages)
        rows.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _scores(found: tuple[str, str] | None) -> str:
    if not found:
        return ""
    return " / ".join(f"{float(score):.1f}" if score else "–" for score in found)


def quality_lines(results: Sequence[Result]) -> str:
    """Return what was measured on the last set, as models/manifest.toml wants it."""
    method = f"sacrebleu {sacrebleu.__version__}, greedy"
    lines = ["quality = ["]
    for result in results:
        if result.data == results[-1].data:
            for metric, value in (("BLEU", result.bleu), ("chrF", result.chrf)):
                lines.append(
                    f'  {{ language = "{result.language}", data = "{result.data}", '
                    f'metric = "{metric}", value = {value:.1f}, method = "{method}" }},'
                )
    return "\n".join([*lines, "]"])


def write_card(card: Path, content: str) -> None:
    """Put content between the markers of a model card.

    Raises:
        SystemExit: the card lacks the markers.
    """
    text = card.read_text("utf-8")
    start, end = _MARKERS
    between = re.compile(f"(?<={re.escape(start)}\n).*(?={re.escape(end)})", re.DOTALL)
    if not between.search(text):
        raise SystemExit(f"{card} has no lines {start} and {end}")
    card.write_text(between.sub(lambda _: content, text), "utf-8")

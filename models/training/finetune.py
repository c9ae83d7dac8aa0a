"""Fine-tuning: a run that can be stopped at any step and goes on where it was."""

import json
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import sentencepiece
import torch
from torch import Tensor

from models.training import checkpoint, data
from models.training.schedule import Example, Progress, Settings, batches, rate, stream
from models.training.text import Pair, clean_source, clean_target
from models.training.trainer import Trainer, find_device

__all__ = ["Run", "encode"]

_NAMES = {"de": "German", "km": "Khmer", "ru": "Russian"}
_STEPS = 1_000_003
"""More than a run will make, so that no two seeds share a step's."""

_VALIDATION_LINES = 96
_VALIDATION_STRIDE = 10
_REPORT_STEPS = 10
_WINDOW = 50
"""Steps over which the loss and the speed that are printed are averaged."""


def encode(pairs: Sequence[Pair], model: Path, *, reverse: bool = False) -> list[Example]:
    """Turn pairs into the tokens that the model reads and is to write.

    Args:
        pairs: the pairs; a source that a model has written is marked by a `<pad>` before it.
        model: the SentencePiece model.
        reverse: whether the model reads English, after the name of the language it is to write.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    first, last, mark = processor.bos_id(), processor.eos_id(), processor.pad_id()
    turn = processor.piece_to_id("<start_of_turn>")
    sources = processor.encode([pair.source for pair in pairs])
    if reverse:
        asked = processor.encode([f"{_NAMES[pair.language]}: {pair.target}" for pair in pairs])
        return [
            Example([first, *english, turn], [*source, last])
            for english, source in zip(asked, sources, strict=True)
        ]
    marks = [[mark] if pair.corpus == data.BACKTRANSLATED else [] for pair in pairs]
    targets = processor.encode([pair.target for pair in pairs])
    return [
        Example([first, *marked, *source, turn], [*target, last])
        for marked, source, target in zip(marks, sources, targets, strict=True)
    ]


@dataclass(slots=True)
class Run:
    """A run of fine-tuning in a folder of its own.

    Attributes:
        folder: where its checkpoints, log and results are.
        work: the folder of the earlier steps' results.
        corpora: the corpora, for validation.
        settings: what decides the run.
        start: another run's checkpoint, or its folder for the newest, to begin from; ignored once
            this run has checkpoints of its own.
        begin: weights to begin from in place of the base's, with a new optimiser.
        decay: steps in which to bring the learning rate to zero and end; 0 to go on.
        validate_every: steps between validations.
        save_minutes: minutes between checkpoints.
        patience: validations without improvement after which to stop.
        pairs: files of what to learn from, in place of `pairs.jsonl` in `work`.
        reverse: whether to learn to translate English, for `backtranslate`.
        fast: whether to compile the layers.
    """

    folder: Path
    work: Path
    corpora: Path
    settings: Settings
    start: Path | None = None
    begin: Mapping[str, Tensor] = field(default_factory=dict)
    decay: int = 0
    validate_every: int = 200
    save_minutes: float = 8.0
    patience: int = 30
    pairs: Sequence[Path] = ()
    reverse: bool = False
    fast: bool = True
    _stopped: bool = False
    _recent: deque[tuple[float, int, float]] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def run(self) -> None:
        """Train until a signal, the end of the decay, or no more improvement."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        trainer = self._trainer()
        progress = self._resume(trainer)
        examples, pairs = self._examples()
        validation = self._validation()
        self._log({"settings": asdict(self.settings), **asdict(progress)})
        if progress.step == 0:
            self._validate(trainer, progress, validation)
        saved = time.monotonic()
        lengths = [len(example) for example in examples]
        for positions in stream(pairs, lengths, self.settings, progress):
            self._step(trainer, progress, [[examples[i] for i in batch] for batch in positions])
            if progress.step % self.validate_every == 0:
                self._validate(trainer, progress, validation)
            ended = self._is_over(progress)
            if ended or time.monotonic() - saved > self.save_minutes * 60:
                checkpoint.save(self.folder, progress, trainer)
                saved = time.monotonic()
            if ended:
                break
        self._finish(trainer, progress, validation)

    def _trainer(self) -> Trainer:
        weights = checkpoint.load_weights(self.work / "start.safetensors")
        return Trainer(weights | self.begin, self.settings, find_device(), fast=self.fast)

    def _resume(self, trainer: Trainer) -> Progress:
        start = self.start
        if start is not None and start.is_dir():
            start = checkpoint.latest(start)
        path = checkpoint.latest(self.folder) or start
        progress = checkpoint.load(path, trainer) if path else Progress()
        if self.decay and progress.decay_start is None:
            progress.decay_start = progress.step
        return progress

    def _examples(self) -> tuple[list[Example], list[Pair]]:
        files = self.pairs or [self.work / "pairs.jsonl"]
        pairs = [pair for path in files for pair in data.load(path)]
        examples = self._encode(pairs)
        short = [len(example) <= self.settings.longest for example in examples]
        return (
            [example for example, fits in zip(examples, short, strict=True) if fits],
            [pair for pair, fits in zip(pairs, short, strict=True) if fits],
        )

    def _encode(self, pairs: Sequence[Pair]) -> list[Example]:
        return encode(pairs, self.work / "sentencepiece.model", reverse=self.reverse)

    def _validation(self) -> dict[str, list[list[Example]]]:
        """Return a fixed part of the dev sets, in batches by language."""
        pairs = list(data.read(self.corpora / "dev"))
        result = {}
        for language in data.LANGUAGES:
            chosen = [pair for pair in pairs if pair.language == language]
            chosen = chosen[::_VALIDATION_STRIDE][:_VALIDATION_LINES]
            cleaned = [
                Pair(clean_source(p.source, language), clean_target(p.target), language, p.corpus)
                for p in chosen
            ]
            examples = self._encode(cleaned)
            lengths = [len(example) for example in examples]
            order = range(len(examples))
            cut = batches(lengths, order, self.settings.tokens, "validation")
            result[language] = [[examples[i] for i in batch] for batch in cut]
        return result

    def _step(self, trainer: Trainer, progress: Progress, group: list[list[Example]]) -> None:
        began = time.monotonic()
        # What is dropped must not depend on where the run was stopped.
        torch.manual_seed(self.settings.seed * _STEPS + progress.step)
        current = rate(progress.step, self.settings, progress.decay_start, self.decay)
        loss, norm = trainer.step(group, current)
        progress.step += 1
        progress.pairs += sum(map(len, group))
        self._recent.append((loss, sum(map(len, group)), time.monotonic() - began))
        if progress.step % _REPORT_STEPS == 0:
            losses, seen, seconds = zip(*self._recent, strict=True)
            self._log(
                {
                    "step": progress.step,
                    "epoch": progress.epoch,
                    "pairs": progress.pairs,
                    "loss": round(sum(losses) / len(losses), 4),
                    "norm": round(norm, 3),
                    "rate": current,
                    "pairs_per_second": round(sum(seen) / sum(seconds), 2),
                }
            )

    def _validate(
        self, trainer: Trainer, progress: Progress, validation: dict[str, list[list[Example]]]
    ) -> None:
        """Log the loss of each language; keep the averaged weights if they are the best so far."""
        losses = {
            name: {
                language: round(trainer.loss(parts, averaged=averaged), 4)
                for language, parts in validation.items()
            }
            for name, averaged in (("last", False), ("averaged", True))
        }
        self._log({"step": progress.step, "pairs": progress.pairs, "validation": losses})
        mean = sum(losses["averaged"].values()) / len(validation)
        progress.worse += 1
        if mean < progress.best:
            progress.best, progress.worse = mean, 0
            checkpoint.save_weights(trainer.average, self.folder / "best.safetensors")

    def _is_over(self, progress: Progress) -> bool:
        return self._stopped or self._has_decayed(progress) or progress.worse >= self.patience

    def _has_decayed(self, progress: Progress) -> bool:
        start = progress.decay_start
        return start is not None and progress.step >= start + self.decay

    def _finish(
        self, trainer: Trainer, progress: Progress, validation: dict[str, list[list[Example]]]
    ) -> None:
        if self._has_decayed(progress):
            self._validate(trainer, progress, validation)
            checkpoint.save_weights(trainer.master, self.folder / "final.safetensors")
            checkpoint.save_weights(trainer.average, self.folder / "averaged.safetensors")
        self._log({"step": progress.step, "ended": "stopped" if self._stopped else "done"})

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopped = True

    def _log(self, record: dict[str, object]) -> None:
        line = json.dumps({"time": time.strftime("%FT%TZ", time.gmtime()), **record})
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        print(line)
        sys.stdout.flush()

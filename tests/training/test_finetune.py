import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="only the training environment has it")

import torch
from sentencepiece import SentencePieceProcessor

from models.training import checkpoint, data
from models.training.finetune import Run, encode
from models.training.schedule import Settings
from models.training.text import Pair
from models.training.vocabulary import write_model
from tests.training.test_trainer import weights
from tests.training.test_vocabulary import BYTES, MARKS, Pieces

STEPS = 4


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder as the earlier steps leave it, with corpora in it; signals are put back."""
    texts = [*MARKS, *BYTES, "a", "b"]
    kinds = [3] * len(MARKS) + [6] * len(BYTES) + [1, 1]
    pieces = Pieces(texts, [0.0] * len(texts), kinds)
    write_model(pieces, range(len(texts)), tmp_path / "sentencepiece.model")
    checkpoint.save_weights(weights(len(texts)), tmp_path / "start.safetensors")
    pairs = [Pair("ab" * n, "ba" * n, "de", "pud") for n in range(1, 9)]
    data.save([*pairs, Pair("a" * 400, "b" * 400, "de", "pud")], tmp_path / "pairs.jsonl")
    for language in data.LANGUAGES:
        folder = tmp_path / "dev" / "set" / f"{language}-en"
        folder.mkdir(parents=True)
        folder.joinpath("src.txt").write_text("ab\n", "utf-8")
        folder.joinpath("ref.txt").write_text("ba\n", "utf-8")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


def new(work: Path, name: str, decay: int = STEPS, dropout: float = 0.2) -> Run:
    settings = Settings(rate=1e-3, warmup=1, tokens=60, dropout=dropout)
    return Run(work / name, work, work, settings, decay=decay, fast=False)


def log(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in folder.joinpath("log.jsonl").read_text().splitlines()]


def test_prompts_are_the_services(work: Path) -> None:
    """A prompt is what the service sends: `<bos>`, the source, `<start_of_turn>`."""
    [example] = encode([Pair("ab", "b", "de", "pud")], work / "sentencepiece.model")
    a, b = len(MARKS) + len(BYTES), len(MARKS) + len(BYTES) + 1
    assert (example.prompt, example.answer) == ([2, a, b, 4], [b, 1])


def test_a_source_that_a_model_has_written_is_marked(work: Path) -> None:
    """The model is told, so that it doesn't take such sources for the language."""
    pair = Pair("ab", "b", "km", data.BACKTRANSLATED)
    [example] = encode([pair], work / "sentencepiece.model")
    assert example.prompt == [2, 0, len(MARKS) + len(BYTES), len(MARKS) + len(BYTES) + 1, 4]


def test_a_reversed_model_is_told_which_language_to_write(work: Path) -> None:
    """It reads the language's name and the English, and writes the source."""
    vocabulary = SentencePieceProcessor(model_file=str(work / "sentencepiece.model"))
    [example] = encode([Pair("ab", "b", "km", "pud")], work / "sentencepiece.model", reverse=True)
    assert vocabulary.decode(example.prompt[1:-1]).replace("\u2581", " ") == "Khmer: b"
    assert example.answer == [*vocabulary.encode("ab"), vocabulary.eos_id()]


def test_several_files_are_learnt_from(work: Path) -> None:
    """Pairs that were made beside those of the corpora come into the same epoch."""
    data.save([Pair("b" * 9, "a" * 9, "km", data.BACKTRANSLATED)] * 50, work / "made.jsonl")
    run = new(work, "run")
    run.pairs = [work / "pairs.jsonl", work / "made.jsonl"]
    examples, pairs = run._examples()
    assert len(examples) == len(pairs) == 58
    assert {pair.corpus for pair in pairs} == {"pud", data.BACKTRANSLATED}


def test_a_run_ends_when_its_rate_is_zero(work: Path) -> None:
    """A run that is to end makes its steps, validates each language and leaves its weights."""
    new(work, "run").run()
    first, *_, validation, end = log(work / "run")
    assert first["decay_start"] == 0
    assert set(validation["validation"]["last"]) == set(data.LANGUAGES)  # type: ignore[index]  # JSON
    assert (end["step"], end["ended"]) == (STEPS, "done")
    final = checkpoint.load_weights(work / "run" / "final.safetensors")
    assert all(torch.isfinite(weight).all() for weight in final.values())


def test_stopping_at_every_step_changes_nothing(work: Path) -> None:
    """A run that is stopped after each step and resumed ends with the very same weights."""
    new(work, "whole").run()
    for _ in range(STEPS):
        stopped = new(work, "parts")
        stopped._stop(signal.SIGTERM, None)
        stopped.run()
    whole, parts = (
        checkpoint.load_weights(work / name / "final.safetensors") for name in ("whole", "parts")
    )
    assert all(torch.equal(weight, parts[name]) for name, weight in whole.items())


def test_a_run_can_begin_from_anothers_checkpoint(work: Path) -> None:
    """A second run brings the first to its end, and the first's folder stays as it was."""
    first = new(work, "first", decay=0)
    first._stop(signal.SIGTERM, None)
    first.run()
    names = sorted(path.name for path in (work / "first").iterdir())
    second = new(work, "second")
    second.start = work / "first"
    second.run()
    assert log(work / "second")[0]["step"] == 1
    assert log(work / "second")[-1]["step"] == 1 + STEPS
    assert sorted(path.name for path in (work / "first").iterdir()) == names


def test_a_run_can_begin_from_anothers_weights(work: Path) -> None:
    """It has a new optimiser then, and counts its steps from 0; resumed, it has its own weights."""
    new(work, "first").run()
    trained = checkpoint.load_weights(work / "first" / "final.safetensors")
    second = new(work, "second")
    second.begin = trained
    trainer = second._trainer()
    assert all(torch.equal(weight, trained[name]) for name, weight in trainer.master.items())
    second.run()
    assert log(work / "second")[0]["step"] == 0
    again = new(work, "second")
    again.begin = trained
    resumed = again._trainer()
    again._resume(resumed)
    own = checkpoint.load_weights(work / "second" / "final.safetensors")
    assert all(torch.equal(weight, own[name]) for name, weight in resumed.master.items())


def _send_when_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_stops_a_run_with_a_checkpoint(work: Path) -> None:
    """The signal lets the step end and leaves a checkpoint to go on from."""
    run = new(work, "run", decay=0)

    sender = threading.Thread(target=_send_when_there, args=[work / "run" / "best.safetensors"])
    sender.start()
    run.run()
    sender.join()
    assert log(work / "run")[-1]["ended"] == "stopped"
    path = checkpoint.latest(work / "run")
    assert path is not None
    assert int(path.stem.removeprefix("step-")) == log(work / "run")[-1]["step"]

"""What a brief costs a replica, measured: the numbers that `bench/replica_model.py` runs on.

    python bench/replica_profile.py FILE [--seconds S]

Writes JSON. Of each paragraph of the bundled examples it holds the tokens that are decoded, first
and again, and no text. Then clients that wait for each other's replies load the engine for S
seconds, and a line is fitted to the times of the batches that this makes.
"""

import argparse
import asyncio
import json
import random
import resource
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from server_process import server_process

from depesche.config import Settings
from depesche.engine import Engine
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.loading import LoadedModels, load_models, worker_count
from depesche.models.store import ModelStore
from depesche.types import BriefOptions, Language, Release

__all__ = ["EXAMPLES", "LANGUAGES", "Batches", "Part", "Profile", "Work", "paragraphs"]

EXAMPLES = Path(__file__).parents[1] / "examples"
LANGUAGES = (Language.GERMAN, Language.RUSSIAN)
_CLIENTS = 16
_STARTS = 3


class Part(NamedTuple):
    """A segment: the tokens that the model reads, and those that it writes."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a sentence costs.

    Attributes:
        first: its segments, decoded greedily.
        again: the attempts to decode it again by beam search, one after another.
    """

    first: tuple[Part, ...]
    again: tuple[tuple[Part, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Batches:
    """How long a batch takes: a line in its steps, and in those of all its rows.

    Attributes:
        base: seconds that any batch takes.
        step: seconds of a decoding step.
        row: seconds that each row, times the beam, adds to a step.
        token: seconds that each source token adds.
        spread: standard deviation of the logarithm of what the line doesn't explain.
    """

    base: float
    step: float
    row: float
    token: float
    spread: float

    def seconds(self, parts: Sequence[Part], beam_size: int) -> float:
        """Tell how long a batch of these segments takes."""
        steps = max(part.target for part in parts)
        rows = len(parts) * beam_size
        sources = sum(part.source for part in parts)
        return self.base + steps * (self.step + rows * self.row) + sources * self.token


@dataclass(frozen=True, slots=True)
class Profile:
    """The measured numbers.

    Attributes:
        examples: for each example, for each of its paragraphs, its sentences.
        batches: how long a batch takes.
        overhead: seconds of a brief beside the decoding: reading, checks, key sentences.
        cpu: CPU seconds for each second that a worker is busy.
        ready: seconds from the start of the process until the server is ready.
    """

    examples: tuple[tuple[tuple[Work, ...], ...], ...]
    batches: Batches
    overhead: float
    cpu: float
    ready: float

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a profile that `main` wrote."""
        data = json.loads(file.read_text("utf-8"))
        data["examples"] = tuple(
            tuple(tuple(_work(sentence) for sentence in p) for p in example)
            for example in data["examples"]
        )
        data["batches"] = Batches(**data["batches"])
        return cls(**data)

    def save(self, file: Path) -> None:
        """Write it."""
        file.write_text(json.dumps(asdict(self)) + "\n", "utf-8")


def _work(sentence: dict[str, list[list[int]]]) -> Work:
    first = tuple(Part(*part) for part in sentence["first"])
    return Work(first, tuple(tuple(Part(*p) for p in attempt) for attempt in sentence["again"]))


def paragraphs(language: Language) -> list[str]:
    """Give the paragraphs of an example."""
    text = (EXAMPLES / f"release.{language}.txt").read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


class _Batch(NamedTuple):
    parts: tuple[Part, ...]
    beam_size: int
    seconds: float


class _Recorder:
    """A backend that notes what it is asked."""

    def __init__(self, backend: TranslationBackend) -> None:
        self._backend = backend
        self.batches: list[_Batch] = []

    @property
    def max_source_tokens(self) -> int:
        return self._backend.max_source_tokens

    @property
    def quantisation(self) -> str:
        return self._backend.quantisation

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:
        return self._backend.tokenize(text, language)

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        started = time.monotonic()
        hypotheses = self._backend.translate(batch, beam_size=beam_size)
        seconds = time.monotonic() - started
        parts = tuple(
            Part(len(source), h.tokens) for source, h in zip(batch, hypotheses, strict=True)
        )
        self.batches.append(_Batch(parts, beam_size, seconds))
        return hypotheses

    def taken(self) -> list[_Batch]:
        batches, self.batches = self.batches, []
        return batches

    def close(self) -> None:
        self._backend.close()


async def measure(seconds: float) -> Profile:
    """Measure all of it, on the CPUs that this process may use."""
    recorders: list[_Recorder] = []

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        models = load_models(settings, store)
        name = settings.translation_model
        recorder = _Recorder(models.translators[name].backend)
        recorders.append(recorder)
        return replace(
            models, translators={name: replace(models.translators[name], backend=recorder)}
        )

    ready = await _ready_seconds()
    settings = Settings()
    engine = await Engine.load(settings, loader=load)
    (recorder,) = recorders
    try:
        examples, overhead = await _examples(engine, recorder)
        batches, cpu = await _loaded(engine, recorder, seconds, worker_count(settings))
    finally:
        await engine.aclose()
    return Profile(examples, batches, overhead, cpu, ready)


async def _ready_seconds() -> float:
    times = []
    for _ in range(_STARTS):
        started = time.monotonic()
        async with server_process():
            times.append(time.monotonic() - started)
    return sorted(times)[_STARTS // 2]


async def _examples(
    engine: Engine, recorder: _Recorder
) -> tuple[tuple[tuple[tuple[Work, ...], ...], ...], float]:
    """Decode each sentence alone, so that what is decoded again can be told apart."""
    recorder.taken()
    examples, overheads = [], []
    for language in LANGUAGES:
        example = []
        for paragraph in paragraphs(language):
            brief = await engine.brief(Release(paragraph, language=language), BriefOptions())
            recorder.taken()
            works = []
            for translation in brief.translations:
                started = time.monotonic()
                alone = Release(translation.sentence.text, language=language)
                await engine.brief(alone, BriefOptions())
                batches = recorder.taken()
                took = time.monotonic() - started
                overheads.append(took - sum(batch.seconds for batch in batches))
                works.append(_attempts(batches))
            example.append(tuple(works))
        examples.append(tuple(example))
    # Where two batches of a sentence ran at once the difference is too small, if not negative.
    return tuple(examples), float(np.median(overheads))


def _attempts(batches: Sequence[_Batch]) -> Work:
    """Tell the attempts apart: the first beam reads what the greedy pass read, the second parts."""
    first = tuple(p for batch in batches if batch.beam_size == 1 for p in batch.parts)
    beams = [p for batch in batches if batch.beam_size > 1 for p in batch.parts]
    attempts = (tuple(beams[: len(first)]), tuple(beams[len(first) :]))
    return Work(first, tuple(attempt for attempt in attempts if attempt))


async def _loaded(
    engine: Engine, recorder: _Recorder, seconds: float, workers: int
) -> tuple[Batches, float]:
    """Fit the times of the batches under load, and the CPU that they take."""
    chance = random.Random(1)  # noqa: S311 - reproducible, not secret
    end = time.monotonic() + seconds
    texts = [(p, language) for language in LANGUAGES for p in paragraphs(language)]

    async def client(number: int) -> None:
        # Some at first and all in the end, for batches of every size.
        await asyncio.sleep(seconds * number / _CLIENTS / 2)
        while time.monotonic() < end:
            text, language = chance.choice(texts)
            await engine.brief(Release(text, language=language), BriefOptions())

    recorder.taken()
    before = _cpu_seconds()
    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
    used = _cpu_seconds() - before
    batches = recorder.taken()
    busy = sum(batch.seconds for batch in batches)
    print(f"{len(batches)} batches, {busy:.0f} s of {workers} workers")
    return _fit(batches), used / busy


def _fit(batches: Sequence[_Batch]) -> Batches:
    """Fit by least squares of the relative error, so that small batches count as large ones do."""
    rows = np.array(
        [
            (
                1.0,
                max(p.target for p in b.parts),
                max(p.target for p in b.parts) * len(b.parts) * b.beam_size,
                sum(p.source for p in b.parts),
            )
            for b in batches
        ]
    )
    times = np.array([b.seconds for b in batches])
    known = list(range(rows.shape[1]))
    while True:
        weights, *_ = np.linalg.lstsq(rows[:, known] / times[:, None], np.ones(len(times)))
        if weights.min() >= 0:
            break
        del known[int(weights.argmin())]  # nothing takes less than no time
    line = np.zeros(rows.shape[1])
    line[known] = weights
    spread = float(np.log(times / (rows @ line)).std())
    return Batches(*map(float, line), spread)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="where the profile goes")
    parser.add_argument("--seconds", type=float, default=60.0, help="of load")
    arguments = parser.parse_args()
    profile = asyncio.run(measure(arguments.seconds))
    profile.save(arguments.file)
    print(profile.batches)
    print(f"overhead {profile.overhead:.3f} s, CPU {profile.cpu:.2f}, ready {profile.ready:.1f} s")


if __name__ == "__main__":
    main()

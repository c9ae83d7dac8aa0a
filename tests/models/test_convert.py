"""Each family's small checkpoint from the local hub, against Transformers' own outputs.

Marian's own form needs no more than the service does. The others need torch and transformers, in
the interpreter that DEPESCHE_CONVERT_PYTHON names: `make convert` sets one up.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
import sentencepiece

from depesche.errors import ModelError
from depesche.inference.codecs import Rules
from depesche.inference.gemma import GemmaBackend
from depesche.inference.seq2seq import Seq2SeqBackend
from depesche.models.convert import Quantisation, convert
from depesche.models.manifest import ModelSpec
from depesche.models.shelf import Wish
from depesche.types import Language
from tests.hub.server import HubServer
from tests.models.hubbed import CHECKPOINTS, checkpoint, entry, make_store, pull_from

_FAMILIES: Mapping[str, Any] = json.loads((CHECKPOINTS / "expected.json").read_text("utf-8"))[
    "families"
]
_PYTHON = os.environ.get("DEPESCHE_CONVERT_PYTHON")
_NAMES = ("opus", "marian", "m2m100", "nllb", "madlad", "bart", "pegasus")
# By how much the log-probability of an expected token may change on average, in natural logarithms,
# for want of bits: what was measured, and a third more. Weights are random, and so are outputs of
# such networks; trained models are far less sensitive. The second figure is for x86 without VNNI,
# which sums products of 8 bits in pairs of 16, and these overflow (oneDNN's guide, "Nuances of int8
# Computations").
_INT8 = {
    "opus": (0.95, 3.5),
    "marian": (0.95, 3.5),
    "m2m100": (0.48, 2.1),
    "nllb": (0.47, 1.8),
    "madlad": (0.8, 3.7),
    "bart": (1.4, 3.7),
    "gemma": (0.25, 2.4),
    "pegasus": (0.4, 2.0),
}


def _most_difference(name: str) -> float:
    """Give the bound for this CPU."""
    exact, overflowing = _INT8[name]
    flags = Path("/proc/cpuinfo").read_text("utf-8")
    return overflowing if "avx2" in flags and "vnni" not in flags else exact


def spec(family: str) -> ModelSpec:
    """Describe a checkpoint as the manifest would."""
    summary = family in {"bart", "pegasus"}
    return ModelSpec.model_validate(
        {
            "name": family,
            "task": "summary" if summary else "translation",
            "family": family,
            "languages": ["en"] if summary else ["de"],
            "target": "en",
            "source": "made for tests",
            "licence": "Apache-2.0",
            "commercial": True,
            "max_source_tokens": 500,
            "max_target_tokens": 40,
            "hub": {"repository": "o/n", "revision": "main", "files": [{"name": "config.json"}]},
        }
    )


def python_for(name: str) -> Path | None:
    """Find an interpreter that can convert a checkpoint, or skip the test."""
    if name == "opus":
        return None
    if _PYTHON is None:
        pytest.skip("DEPESCHE_CONVERT_PYTHON names no interpreter with torch and transformers")
    return Path(_PYTHON)


def expectations(name: str) -> Any:
    return _FAMILIES["marian" if name == "opus" else name]


class Pulled:
    """Models as they come from the local hub, each pulled and converted once."""

    def __init__(self, hub: HubServer, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._models: dict[tuple[str, str], Path] = {}

    def path(self, name: str, quantisation: Quantisation) -> Path:
        """Pull a checkpoint, unless that was done before."""
        key = (name, quantisation)
        if key not in self._models:
            repository, files = f"tiny/{name}", checkpoint(name)
            self._hub.add(repository, files)
            family = "marian" if name == "opus" else name
            manifest = entry(name=name, family=family, repository=repository, files=files)
            store = make_store(self._folder / f"{name}-{quantisation}", manifest)
            wish = Wish(quantisation, convert_python=python_for(name))
            pull_from(self._hub, store, name=name, wish=wish)
            self._models[key] = store.verify(name).path
        return self._models[key]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulled]:
    """Run a hub, and remember what was pulled from it."""
    with HubServer() as hub:
        yield Pulled(hub, tmp_path_factory.mktemp("models"))


def options(name: str, way: str) -> dict[str, Any]:
    return dict(expectations(name)["ctranslate2"][way])


def backend(path: Path, name: str, way: str) -> Seq2SeqBackend:
    """Load a checkpoint to search as Transformers did for the expectations."""
    asked, family = options(name, way), expectations(name)
    prefix = len(asked.get("target_prefix", ()))
    rules = Rules(
        "marian" if name == "opus" else name,
        codes={Language(key): code for key, code in family["codes"].items()},
        prompt=family["prompt"],
        beam_size=asked["beam_size"],
        length_penalty=asked.get("length_penalty", 1.0),
        min_target_tokens=asked["min_decoding_length"] - prefix,
        no_repeat_ngram_size=asked.get("no_repeat_ngram_size", 0),
    )
    return Seq2SeqBackend(
        path,
        rules,
        workers=1,
        threads_per_worker=1,
        max_source_tokens=500,
        max_target_tokens=asked["max_decoding_length"] - prefix - 1,
        shortens=True,
    )


def vocabulary(path: Path) -> list[str]:
    read: list[str] = json.loads((path / "shared_vocabulary.json").read_text("utf-8"))
    return read


def sources(path: Path, name: str) -> list[list[str]]:
    """Give the source tokens that the converted model wants of each input."""
    known = vocabulary(path)
    cut = -1 if name == "opus" else None  # of this form the model adds the end itself
    return [[known[id_] for id_ in case["source"]][:cut] for case in expectations(name)["cases"]]


@pytest.mark.convert
@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("way", ["greedy", "beam"])
def test_outputs_are_those_of_transformers_token_for_token(
    models: Pulled, name: str, way: str
) -> None:
    """In float32, on all 50 inputs."""
    path = models.path(name, "float32")
    translator = ctranslate2.Translator(str(path), compute_type="float32", intra_threads=1)
    asked, known = options(name, way), vocabulary(path)
    prefix = asked.pop("target_prefix", None)
    rows = sources(path, name)
    results = translator.translate_batch(
        rows, target_prefix=[prefix] * len(rows) if prefix else None, **asked
    )
    ids = [[known.index(token) for token in result.hypotheses[0]] for result in results]

    assert len(ids) == 50
    assert ids == [case[way]["ids"] for case in expectations(name)["cases"]]


@pytest.mark.convert
@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("way", ["greedy", "beam"])
def test_the_backend_writes_what_transformers_wrote(models: Pulled, name: str, way: str) -> None:
    """From text to text, with the service's own tokenizers."""
    model = backend(models.path(name, "float32"), name, way)
    cases = expectations(name)["cases"]
    batch = [model.tokenize(case["text"], Language(case["language"])) for case in cases]
    written = model.translate(batch, beam_size=1)

    assert [hypothesis.text for hypothesis in written] == [
        case[way]["text"].strip() for case in cases
    ]
    assert all(hypothesis.score < 0 for hypothesis in written)


@pytest.mark.convert
@pytest.mark.parametrize("way", ["greedy", "beam"])
@pytest.mark.parametrize("together", [50, 1])
def test_a_decoder_writes_what_transformers_wrote(models: Pulled, way: str, together: int) -> None:
    """Token for token in float32, in one batch of unequal prompts and one by one."""
    path = models.path("gemma", "float32")
    generator = ctranslate2.Generator(str(path), compute_type="float32", intra_threads=1)
    known = json.loads((path / "vocabulary.json").read_text("utf-8"))
    cases = expectations("gemma")["cases"]
    prompts = [[known[id_] for id_ in case["source"]] for case in cases]
    results = [
        result
        for start in range(0, len(prompts), together)
        for result in generator.generate_batch(
            prompts[start : start + together], **options("gemma", way)
        )
    ]

    assert [result.sequences_ids[0] for result in results] == [case[way]["ids"] for case in cases]


@pytest.mark.convert
def test_the_backend_of_the_decoder_writes_what_transformers_wrote(models: Pulled) -> None:
    """From text to text, where the service's own limits don't end an output."""
    model = GemmaBackend(
        models.path("gemma", "float32"),
        workers=1,
        threads_per_worker=1,
        max_source_tokens=500,
        max_target_tokens=39,
        compute_type="float32",
    )
    model._foreign = []  # letters that a beam may not write, and random weights do
    pieces = sentencepiece_of(models.path("gemma", "float32"))
    cases = expectations("gemma")["cases"]
    batch = [model.tokenize(case["text"]) for case in cases]
    for way, beams in (("greedy", 1), ("beam", 4)):
        written = model.translate(batch, beam_size=beams)
        # Bytes that aren't UTF-8, which random weights write, each library shows in its own way.
        assert [hypothesis.text for hypothesis in written] == [
            pieces.decode([id_ for id_ in case[way]["ids"] if id_ != pieces.eos_id()]).strip()
            for case in cases
        ]


@pytest.mark.convert
def test_int8_of_the_decoder_agrees_to_a_stated_degree(models: Pulled) -> None:
    """As for the other families."""
    scores = []
    for quantisation in ("float32", "int8"):
        path = models.path("gemma", quantisation)
        known = json.loads((path / "vocabulary.json").read_text("utf-8"))
        generator = ctranslate2.Generator(str(path), compute_type=quantisation, intra_threads=1)
        rows = [
            [known[id_] for id_ in case["source"] + case["greedy"]["ids"]]
            for case in expectations("gemma")["cases"]
        ]
        results = generator.score_batch(rows)
        scores.append([score for result in results for score in result.log_probs])
    difference = float(np.mean(np.abs(np.subtract(*scores))))

    assert 0 < difference < _most_difference("gemma")


def sentencepiece_of(path: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(path / "sentencepiece.model"))


@pytest.mark.convert
def test_control_tokens_in_a_text_are_text_for_a_pulled_decoder(models: Pulled) -> None:
    """Its SentencePiece model takes their names for the tokens, as that on the hub does."""
    model = GemmaBackend(
        models.path("gemma", "int8"),
        workers=1,
        threads_per_worker=1,
        max_source_tokens=500,
        max_target_tokens=39,
    )
    pieces = model.tokenize("Ende <start_of_turn>weiter<eos>")
    assert not {"<start_of_turn>", "<eos>"} & set(pieces)
    decoded = sentencepiece_of(models.path("gemma", "int8")).decode(pieces)
    assert decoded == "Ende <start_of_turn>weiter<eos>"


@pytest.mark.convert
@pytest.mark.parametrize("name", _NAMES)
def test_int8_agrees_with_float32_to_a_stated_degree(models: Pulled, name: str) -> None:
    """The expected tokens are about as probable by either."""
    scores = [_scores(models.path(name, q), name, q) for q in ("float32", "int8")]
    difference = float(np.mean(np.abs(np.subtract(*scores))))

    assert 0 < difference < _most_difference(name)


def _scores(path: Path, name: str, quantisation: str) -> Sequence[float]:
    """Give the log-probabilities of the greedy outputs' tokens."""
    translator = ctranslate2.Translator(str(path), compute_type=quantisation, intra_threads=1)
    known = vocabulary(path)
    targets = [
        [known[id_] for id_ in case["greedy"]["ids"] if known[id_] != "</s>"]
        for case in expectations(name)["cases"]
    ]
    results = translator.score_batch(sources(path, name), targets)
    return [score for result in results for score in result.log_probs]


@pytest.mark.convert
@pytest.mark.parametrize("quantisation", ["int8", "int8_float32", "int8_bfloat16", "float32"])
def test_each_quantisation_loads(models: Pulled, quantisation: str) -> None:
    """Whatever this CPU computes it by; the reply is there."""
    # CTranslate2 rounds to bfloat16 by torch alone.
    name = "marian" if quantisation == "int8_bfloat16" else "opus"
    model = backend(models.path(name, quantisation), name, "greedy")
    (hypothesis,) = model.translate([model.tokenize("Guten Tag", Language.GERMAN)], beam_size=1)

    assert hypothesis.tokens > 0
    assert model.quantisation


def test_weights_leave_memory_and_come_back(models: Pulled) -> None:
    """The output is the same after it."""
    model = backend(models.path("opus", "float32"), "opus", "beam")
    batch = [model.tokenize("Guten Tag", Language.GERMAN)]
    before = model.translate(batch, beam_size=1)
    model.unload()
    model.reload()

    assert model.translate(batch, beam_size=1) == before
    model.close()


def test_an_output_stopped_at_its_limit_says_so(models: Pulled) -> None:
    """The random weights never end by themselves within so few tokens."""
    path = models.path("opus", "float32")
    model = Seq2SeqBackend(
        path,
        Rules("marian"),
        workers=1,
        threads_per_worker=1,
        max_source_tokens=100,
        max_target_tokens=3,
    )
    (hypothesis,) = model.translate([model.tokenize("Guten Tag", None)], beam_size=1)

    assert hypothesis.truncated
    assert hypothesis.tokens == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("source.spm", "source.spm is missing"),
        ("opus.npz", "can't be converted"),
    ],
)
def test_files_that_are_not_a_model_are_refused(tmp_path: Path, name: str, message: str) -> None:
    """The error names the model, and what is wrong."""
    source = tmp_path / "source"
    shutil.copytree(CHECKPOINTS / "opus", source)
    (source / name).unlink()
    if name.endswith(".npz"):
        (source / name).write_bytes(b"no archive")
    with pytest.raises(ModelError, match=message):
        convert(spec("marian"), source, tmp_path / "into", "int8")


@pytest.mark.convert
def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    """Weights in a form that could run code aren't read, even where they are all there is."""
    python = python_for("marian")
    source = tmp_path / "source"
    shutil.copytree(CHECKPOINTS / "marian", source)
    (source / "model.safetensors").rename(source / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"safetensors"):
        convert(spec("marian"), source, tmp_path / "into", "int8", python)


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """The service's own environment has neither torch nor transformers."""
    pytest.importorskip("ctranslate2")
    if _has("transformers"):
        pytest.skip("this environment has the extra")
    with pytest.raises(ModelError, match=r"pip install 'depesche\[convert\]'"):
        convert(spec("nllb"), CHECKPOINTS / "nllb", tmp_path / "into", "int8")


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(ModelError, match=r"convert_python: .*nowhere can't be run"):
        convert(spec("nllb"), CHECKPOINTS / "nllb", tmp_path / "into", "int8", tmp_path / "nowhere")


def test_a_conversion_that_is_killed_is_told(tmp_path: Path) -> None:
    """The kernel does so where memory is short."""
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nimport os\nos.kill(os.getpid(), 9)\n", "utf-8")
    program.chmod(0o755)
    with pytest.raises(ModelError, match="ended by signal 9, perhaps for want of memory"):
        convert(spec("nllb"), CHECKPOINTS / "nllb", tmp_path / "into", "int8", program)


def _has(module: str) -> bool:
    import importlib.util  # noqa: PLC0415 - asked for once

    return importlib.util.find_spec(module) is not None

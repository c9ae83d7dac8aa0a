"""The models that the shipped manifest lists."""

import re
from pathlib import Path

import pytest

from depesche.inference.codecs import Rules
from depesche.models.converter import FAMILIES, Marian
from depesche.models.manifest import Manifest, ModelSpec, is_abstractive
from depesche.models.safety import name_fault
from depesche.types import Language

MODELS = {
    spec.name: spec
    for spec in Manifest.read(Path(__file__).parents[2] / "models" / "manifest.toml").models
}
ON_HUB = [spec for spec in MODELS.values() if spec.hub is not None]
TOLD = {"m2m100", "nllb"}
# https://spdx.org/licenses/; those without commerce have NC in their names.
LICENCES = {"Apache-2.0", "CC-BY-4.0", "CC-BY-NC-4.0", "MIT", "LicenseRef-Gemma"}


@pytest.mark.parametrize(
    ("name", "family", "languages"),
    [
        ("embedded", "gemma", "de km ru"),
        ("minilm", "bert", "en"),
        ("opus-mt-de-en", "marian", "de"),
        ("opus-mt-ru-en", "marian", "ru"),
        ("opus-mt-tc-big-gmw-gmw", "marian", "de"),
        ("opus-mt-tc-big-zle-en", "marian", "ru"),
        ("nllb-200-distilled-600m", "nllb", "de km ru"),
        ("nllb-200-distilled-1.3b", "nllb", "de km ru"),
        ("m2m100-418m", "m2m100", "de km ru"),
        ("madlad400-3b", "madlad", "de km ru"),
        ("tatoeba-mt-aav-aav", "marian", "km"),
        ("distilbart-cnn-12-6", "bart", "en"),
        ("bart-large-cnn", "bart", "en"),
        ("pegasus-cnn-dailymail", "pegasus", "en"),
    ],
)
def test_listed(name: str, family: str, languages: str) -> None:
    """With their families and what they read; English is what they write."""
    spec = MODELS[name]
    assert spec.family == family
    assert sorted(spec.languages) == languages.split()
    assert spec.target in (None, Language.ENGLISH)


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_licences(spec: ModelSpec) -> None:
    """Are known ones, and say of themselves whether they allow commerce."""
    assert spec.licence in LICENCES
    assert spec.commercial == ("-NC-" not in spec.licence)


@pytest.mark.parametrize("spec", ON_HUB, ids=lambda spec: spec.name)
def test_what_is_fetched_can_be_converted(spec: ModelSpec) -> None:
    """The tokenizer's files and weights in a safe form are among it."""
    assert spec.hub is not None
    names = {file.name for file in spec.hub.files if not file.optional}
    family = FAMILIES[spec.family]

    assert set(family.tokenizer.values()) <= names
    if spec.hub.archive:
        assert isinstance(family, Marian)
        assert {"decoder.yml", "*.npz", "*.vocab.yml"} <= names
    else:
        assert {"config.json", "model.safetensors"} <= names
    assert not [file.name for file in spec.hub.files if name_fault(file.name.replace("*", "x"))]


@pytest.mark.parametrize("spec", ON_HUB, ids=lambda spec: spec.name)
def test_nothing_is_invented(spec: ModelSpec) -> None:
    """Whoever adds a commit or a digest has seen the hub, and changes this test."""
    assert spec.hub is not None
    assert not re.fullmatch(r"[0-9a-f]{40}", spec.hub.revision)
    assert not [file for file in spec.hub.files if file.sha256 or file.size]


@pytest.mark.parametrize("spec", ON_HUB, ids=lambda spec: spec.name)
def test_a_model_is_told_what_its_family_wants(spec: ModelSpec) -> None:
    """Codes of languages, a prompt that names English, or neither."""
    if spec.family in TOLD:
        assert set(spec.codes) == {*spec.languages, Language.ENGLISH}
    else:
        assert not spec.codes
    if spec.family == "madlad":
        assert spec.prompt == "<2en> "
    if spec.family == "marian":  # those that write more than English must be told
        several = spec.name.endswith(("gmw-gmw", "aav-aav"))
        assert spec.prompt == (">>eng<<" if several else "")
    Rules(spec.family, codes=spec.codes, prompt=spec.prompt, **spec.decoding.model_dump())


@pytest.mark.parametrize(
    "spec", [s for s in ON_HUB if is_abstractive(s)], ids=lambda spec: spec.name
)
def test_summaries_are_written_as_published(spec: ModelSpec) -> None:
    """By a beam, of a least length, within what the positions allow."""
    assert spec.decoding.beam_size > 1
    assert 0 < spec.decoding.min_target_tokens < spec.max_target_tokens
    assert spec.max_source_tokens <= 1024
    assert (spec.memory_bytes("float32") or 0) == 4 * (spec.memory_bytes("int8") or 0) > 0


def test_quality_has_its_source() -> None:
    """Each figure says what it was measured on and by whom, of a language that the model reads."""
    figures = [(spec, q) for spec in MODELS.values() for q in spec.quality]
    assert len(figures) > 30
    for spec, q in figures:
        assert q.language in spec.languages
        assert q.method
        assert q.data
        assert 0 < q.value < 100

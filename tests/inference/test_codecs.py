"""Tokenizers of each family against what Transformers' own gave; see tests/checkpoints."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from depesche.inference.codecs import Codec, Rules, make_codec
from depesche.types import Language

_CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
_FAMILIES: Mapping[str, Any] = json.loads((_CHECKPOINTS / "expected.json").read_text("utf-8"))[
    "families"
]


def rules(family: str) -> Rules:
    """Give the rules of a family's small checkpoint."""
    known = _FAMILIES[family]
    codes = {Language(language): code for language, code in known["codes"].items()}
    return Rules(family, codes=codes, prompt=known["prompt"])


def codec(family: str) -> Codec:
    return make_codec(_CHECKPOINTS / family, rules(family))


def vocabulary(family: str) -> Mapping[str, int]:
    """Give the ids of a checkpoint's tokens, where a file of it has them."""
    return json.loads((_CHECKPOINTS / family / "vocab.json").read_text("utf-8"))  # type: ignore[no-any-return]


def ids(tokens: Sequence[str], known: Mapping[str, int]) -> list[int]:
    return [known.get(token, known["<unk>"]) for token in tokens]


@pytest.mark.parametrize("family", ["bart", "marian"])
def test_source_tokens_are_those_of_transformers(family: str) -> None:
    """All 50 inputs give the ids that the model was trained to read."""
    made, known = codec(family), vocabulary(family)
    cases = _FAMILIES[family]["cases"]

    assert len(cases) == 50
    for case in cases:
        assert ids(made.encode(case["text"], case["language"]), known) == case["source"]


@pytest.mark.parametrize("family", ["bart", "marian"])
@pytest.mark.parametrize("way", ["greedy", "beam"])
def test_outputs_are_written_as_by_transformers(family: str, way: str) -> None:
    """Marks are left out, and pieces joined."""
    made = codec(family)
    tokens = {id_: token for token, id_ in vocabulary(family).items()}
    for case in _FAMILIES[family]["cases"]:
        written = [tokens[id_] for id_ in case[way]["ids"]]
        assert made.decode(written) == case[way]["text"].strip()


@pytest.mark.parametrize(
    ("family", "first", "prefix"),
    [("m2m100", "__km__", ["__en__"]), ("nllb", "khm_Khmr", ["eng_Latn"])],
)
def test_models_of_many_languages_are_told_both(family: str, first: str, prefix: list[str]) -> None:
    """The source begins with its language, and the output with English."""
    made = codec(family)
    tokens = made.encode("សួស្តី", Language.KHMER)

    assert (tokens[0], tokens[-1]) == (first, "</s>")
    assert list(made.prefix) == prefix
    with pytest.raises(ValueError, match="must be told the language"):
        made.encode("ja", None)


def test_a_prompt_of_words_is_part_of_the_text() -> None:
    """MADLAD's mark for the target language is cut into pieces with the source."""
    tokens = codec("madlad").encode("Guten Tag", Language.GERMAN)

    assert "".join(tokens).replace("▁", " ").strip().startswith("<2en>")
    assert tokens[-1] == "</s>"


def test_a_marian_model_for_several_targets_is_told_by_a_token() -> None:
    """It goes first, and isn't cut into pieces."""
    made = make_codec(_CHECKPOINTS / "marian", Rules("marian", prompt=">>eng<<"))
    assert made.encode("Guten Tag", Language.GERMAN)[0] == ">>eng<<"


def test_a_line_break_of_a_summary_is_a_space() -> None:
    """PEGASUS writes one between its sentences."""
    made = codec("pegasus")
    assert made.decode(["▁One", ".", "<n>", "▁Two", "."]) == "One. Two."

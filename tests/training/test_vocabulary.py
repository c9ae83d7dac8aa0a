from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import sentencepiece

from models.training.text import Pair
from models.training.vocabulary import close, count, prune, report, write_model

MARKS = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>"]
BYTES = [f"<0x{number:02X}>" for number in range(256)]
MERGES = ["ab", "abc", "cd", "abcd", "\u2581a", "xy", "xyz"]
LETTERS = ["a", "b", "c", "d", "x", "y", "z", "\u2581", "ក"]


@dataclass(frozen=True)
class Pieces:
    texts: list[str]
    scores: list[float]
    kinds: list[int]


@pytest.fixture
def pieces() -> Pieces:
    texts = [*MARKS, *BYTES, *MERGES, *LETTERS]
    scores = [-float(number) for number in range(len(texts))]
    kinds = [3] * len(MARKS) + [6] * len(BYTES) + [1] * (len(MERGES) + len(LETTERS))
    return Pieces(texts, scores, kinds)


def test_closure_adds_what_bpe_merges_on_the_way(pieces: Pieces) -> None:
    """`abcd` is reached from `ab` and `abc`, never from `cd`, whose score is lower."""
    closed = {pieces.texts[i] for i in close(pieces, [pieces.texts.index("abcd")])}
    assert closed == {"ab", "abc", "abcd"}


def test_pruning_keeps_what_is_needed(pieces: Pieces) -> None:
    """Marks, bytes, the scripts' characters and what occurs stay, with what leads there."""
    counts = Counter({pieces.texts.index("abcd"): 3, pieces.texts.index("\u2581a"): 1})
    rare = Pieces([t if t != "xyz" else "ẍÿz" for t in pieces.texts], pieces.scores, pieces.kinds)
    kept = {rare.texts[i] for i in prune(rare, counts)}
    assert {*MARKS, *BYTES, "ab", "abc", "abcd", "a", "ក"} <= kept
    assert "ẍÿz" not in kept


def test_the_pruned_model_cuts_as_the_full_one(pieces: Pieces, tmp_path: Path) -> None:
    """A text whose pieces were kept is cut alike, although other pieces are gone."""
    full, pruned = tmp_path / "full.model", tmp_path / "pruned.model"
    write_model(pieces, range(len(pieces.texts)), full)
    kept = [i for i, text in enumerate(pieces.texts) if text not in {"cd", "xyz"}]
    write_model(pieces, kept, pruned)
    models = [sentencepiece.SentencePieceProcessor(model_file=str(m)) for m in (full, pruned)]
    first, second = (model.encode("abcd abc", out_type=str) for model in models)
    assert first == second == ["abcd", "\u2581", "abc"]


def test_any_text_can_be_written(pieces: Pieces, tmp_path: Path) -> None:
    """What no piece covers is written in bytes and comes back."""
    path = tmp_path / "full.model"
    write_model(pieces, range(len(pieces.texts)), path)
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert model.decode(model.encode("a → Я")) == "a → Я"
    assert (model.bos_id(), model.eos_id(), model.pad_id()) == (2, 1, 0)


def test_counting(pieces: Pieces, tmp_path: Path) -> None:
    """Pieces are counted over all lines."""
    path = tmp_path / "full.model"
    write_model(pieces, range(len(pieces.texts)), path)
    counts = count(path, ["abcd", "abcab"])
    named = {pieces.texts[index]: number for index, number in counts.items()}
    assert named == {"abcd": 1, "abc": 1, "ab": 1}


def test_report_compares_the_cuts(pieces: Pieces, tmp_path: Path) -> None:
    """The report tells, by language, how many lines are cut alike and into how many pieces."""
    full, pruned = tmp_path / "full.model", tmp_path / "pruned.model"
    write_model(pieces, range(len(pieces.texts)), full)
    kept = [i for i, text in enumerate(pieces.texts) if text != "xyz"]
    write_model(pieces, kept, pruned)
    rows = report(full, pruned, [Pair("abc", "xyz", "de", "dev")]).splitlines()
    assert rows[2:] == ["| de | 100.0% | 1 | 1 |", "| en | 0.0% | 1 | 2 |"]

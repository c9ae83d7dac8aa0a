"""The vocabulary: of the base's 262,144 pieces those that German, Russian, Khmer, English need."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from models.training.text import Pair, clean_source

__all__ = ["MARKS", "Vocabulary", "close", "count", "prune", "report", "write_model"]

MARKS = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>")
"""Pieces that the prompt, the padding and SentencePiece need."""

_NORMAL, _UNKNOWN, _BYTE = 1, 2, 6
_MINIMUM = 3
"""How often a piece must occur in the training text to be kept."""

_COMMON = 20_000
"""Below this id a piece of ASCII letters is common enough in English to be kept unseen."""

_BLOCKS = ((0x0000, 0x0530), (0x1780, 0x1800), (0x2000, 0x2300))
"""Code points kept as single characters: Latin, Greek, Cyrillic; Khmer; punctuation, currencies."""


class Vocabulary(Protocol):
    """The pieces of a model by id; `base.Pieces` is one."""

    @property
    def texts(self) -> list[str]:
        """The pieces, with U+2581 for a space."""

    @property
    def scores(self) -> list[float]:
        """Their scores; of two possible merges the one to the higher score is made first."""

    @property
    def kinds(self) -> list[int]:
        """Their types by SentencePiece's numbers."""


def count(model: Path, lines: Sequence[str]) -> Counter[int]:
    """Count the pieces that a SentencePiece model cuts lines into."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    counts: Counter[int] = Counter()
    for ids in processor.encode(list(lines)):
        counts.update(ids)
    return counts


def prune(pieces: Vocabulary, counts: Counter[int]) -> list[int]:
    """Choose the pieces to keep.

    Kept are: what occurs at least three times in the training text; bytes and marks, so that any
    text can still be written; single characters of the scripts; common English words; and all
    pieces through which BPE reaches these.

    Returns:
        Their ids, ascending.
    """
    keep = {index for index, number in counts.items() if number >= _MINIMUM}
    keep |= {index for index in range(len(pieces.texts)) if _is_needed(pieces, index)}
    return sorted(close(pieces, keep))


def _is_needed(pieces: Vocabulary, index: int) -> bool:
    text, kind = pieces.texts[index], pieces.kinds[index]
    if kind in (_BYTE, _UNKNOWN) or text in MARKS:
        return True
    if len(text) == 1:
        return any(first <= ord(text) < last for first, last in _BLOCKS)
    word = text.replace("\u2581", "")
    return kind == _NORMAL and index < _COMMON and word.isascii() and word.isalnum()


def close(pieces: Vocabulary, keep: Iterable[int]) -> set[int]:
    """Add the pieces through which BPE reaches those of `keep`.

    Without them SentencePiece would stop halfway and cut a text unlike the base does.
    """
    indices = {text: index for index, text in enumerate(pieces.texts)}
    closed = set(keep)
    for index in tuple(closed):
        if pieces.kinds[index] == _NORMAL:
            closed.update(_merges(pieces, indices, pieces.texts[index]))
    return closed


def _merges(pieces: Vocabulary, indices: dict[str, int], text: str) -> list[int]:
    """Return what BPE merges on its way from the characters of `text` to the whole."""
    parts, made = list(text), []
    while len(parts) > 1:
        pairs = [(indices.get(parts[i] + parts[i + 1], -1), i) for i in range(len(parts) - 1)]
        known = [(index, i) for index, i in pairs if index >= 0 and pieces.kinds[index] == _NORMAL]
        if not known:
            break
        index, i = max(known, key=lambda pair: (pieces.scores[pair[0]], -pair[1]))
        parts[i : i + 2] = [pieces.texts[index]]
        made.append(index)
    return made


def write_model(pieces: Vocabulary, ids: Sequence[int], output: Path) -> None:
    """Write a SentencePiece model of the pieces `ids`, which cuts text as the base does."""
    model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # made at run time
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = trainer.BPE
    trainer.vocab_size = len(ids)
    trainer.byte_fallback = True
    trainer.split_by_whitespace = False
    trainer.allow_whitespace_only_pieces = True
    new = {pieces.texts[index]: position for position, index in enumerate(ids)}
    for mark in ("pad", "eos", "bos", "unk"):
        setattr(trainer, f"{mark}_id", new[f"<{mark}>"])
        setattr(trainer, f"{mark}_piece", f"<{mark}>")
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = False
    normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = True
    for index in ids:
        text, score = pieces.texts[index], pieces.scores[index]
        kind = _UNKNOWN if text == "<unk>" else pieces.kinds[index]
        model.pieces.add(piece=text, score=score, type=kind)
    output.write_bytes(model.SerializeToString())


def report(full: Path, pruned: Path, pairs: Sequence[Pair]) -> str:
    """Return a table in Markdown of how the pruned model cuts text beside the full one."""
    rows = [f"| text | lines cut alike | pieces, of {_size(full):,} | of {_size(pruned):,} |"]
    rows.append("| --- | ---: | ---: | ---: |")
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        texts.setdefault(pair.language, []).append(clean_source(pair.source, pair.language))
        texts.setdefault("en", []).append(pair.target)
    for language, lines in sorted(texts.items()):
        many, few = _cut(full, lines), _cut(pruned, lines)
        alike = sum(a == b for a, b in zip(many, few, strict=True)) / len(lines)
        counts = " | ".join(f"{sum(map(len, cuts)):,}" for cuts in (many, few))
        rows.append(f"| {language} | {alike:.1%} | {counts} |")
    return "\n".join(rows)


def _size(model: Path) -> int:
    return int(sentencepiece.SentencePieceProcessor(model_file=str(model)).get_piece_size())


def _cut(model: Path, lines: Sequence[str]) -> list[list[str]]:
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return [list(pieces) for pieces in processor.encode(list(lines), out_type=str)]

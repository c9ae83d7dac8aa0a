"""From text to the tokens of a family of models and back, without Transformers.

Which marks a family wants around a source, and how its output begins, is as in Transformers' own
tokenizers; tests compare both.
"""

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import sentencepiece
from tokenizers import ByteLevelBPETokenizer

from depesche.types import Language

__all__ = ["Codec", "Rules", "make_codec"]

_END = "</s>"
_START = "<s>"
_UNKNOWN = "<unk>"
_PAD = "<pad>"
_WORD = "▁"  # stands for the space before a word
_LINE_BREAK = re.compile(r"\s*<n>\s*")
_TARGET = Language.ENGLISH


@dataclass(frozen=True, slots=True)
class Rules:
    """What a model must be told, and how it writes where nothing else is asked.

    Attributes:
        family: `marian`, `m2m100`, `nllb`, `madlad`, `bart` or `pegasus`.
        codes: the model's code for each language that it must be told, English among them.
        prompt: what goes before the source; a token of its own for Marian, text for MADLAD.
        beam_size: the narrowest beam; 1 allows greedy search.
        length_penalty: exponent of the length by which a hypothesis's score is divided.
        min_target_tokens: tokens before which an output may not end.
        no_repeat_ngram_size: length of token sequences that may not come twice; 0 for no rule.
    """

    family: str
    codes: Mapping[Language, str] = field(default_factory=dict)
    prompt: str = ""
    beam_size: int = 1
    length_penalty: float = 1.0
    min_target_tokens: int = 0
    no_repeat_ngram_size: int = 0


class Codec(Protocol):
    """What turns text into a model's source tokens, and its target tokens into text."""

    @property
    def prefix(self) -> Sequence[str]:
        """The tokens that every output begins with, because the model must be told so."""
        ...

    @abstractmethod
    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text into source tokens, with the marks that the model wants around them."""
        ...

    @abstractmethod
    def decode(self, tokens: Sequence[str]) -> str:
        """Join target tokens, without prefix and end, into text."""
        ...


def make_codec(path: Path, rules: Rules) -> Codec:
    """Read the tokenizer of a model.

    Args:
        path: folder of the converted model and its tokenizer.
        rules: the model's rules, of which family, codes and prompt count.

    Raises:
        OSError: a file can't be read.
        RuntimeError: a file isn't a tokenizer.
        KeyError: there is no such family.
    """
    return _CODECS[rules.family](path, rules)


class _Pieces:
    """SentencePiece, and what most families share."""

    prefix: Sequence[str] = ()

    def __init__(self, source: Path, target: Path | None = None) -> None:
        self._source = sentencepiece.SentencePieceProcessor(model_file=str(source))
        self._target = (
            sentencepiece.SentencePieceProcessor(model_file=str(target)) if target else self._source
        )

    def _encode(self, text: str) -> list[str]:
        pieces: list[str] = self._source.encode(text, out_type=str)
        return pieces

    def decode(self, tokens: Sequence[str]) -> str:
        """Join tokens; see `Codec`."""
        kept = [token for token in tokens if token not in {_UNKNOWN, _PAD, _START, _END}]
        text: str = self._target.decode_pieces(kept)
        # A token that isn't a piece of the tokenizer's stays as it is.
        return text.replace(_WORD, " ").strip()


class _Marian(_Pieces):
    """MarianMT and Marian's own form: two SentencePiece models, and a mark for the target."""

    def __init__(self, path: Path, rules: Rules) -> None:
        super().__init__(path / "source.spm", path / "target.spm")
        config = json.loads((path / "config.json").read_text("utf-8"))
        # Of Marian's own form the converted model adds the end itself.
        self._end = [] if config.get("add_source_eos") else [_END]
        self._start = [rules.prompt] if rules.prompt else []

    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text; see `Codec`."""
        del language
        return [*self._start, *self._encode(text), *self._end]


class _Multilingual(_Pieces):
    """A model of many languages, which must be told both."""

    mark = "{}"

    def __init__(self, path: Path, rules: Rules) -> None:
        super().__init__(path / "sentencepiece.bpe.model")
        self._marks = {language: self.mark.format(code) for language, code in rules.codes.items()}
        self.prefix = (self._marks[_TARGET],)

    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text; see `Codec`."""
        if language is None:
            raise ValueError("the model must be told the language")
        return [self._marks[language], *self._encode(text), _END]


class _M2M100(_Multilingual):
    mark = "__{}__"


class _Madlad(_Pieces):
    """MADLAD-400: T5, told the target in words."""

    def __init__(self, path: Path, rules: Rules) -> None:
        super().__init__(path / "spiece.model")
        self._prompt = rules.prompt

    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text; see `Codec`."""
        del language
        return [*self._encode(self._prompt + text), _END]


class _Pegasus(_Pieces):
    """PEGASUS, which writes a mark for a line break between its sentences."""

    def __init__(self, path: Path, _rules: Rules) -> None:
        super().__init__(path / "spiece.model")

    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text; see `Codec`."""
        del language
        return [*self._encode(text), _END]

    def decode(self, tokens: Sequence[str]) -> str:
        """Join tokens; see `Codec`."""
        return _LINE_BREAK.sub(" ", super().decode(tokens)).strip()


class _Bart:
    """BART: byte-level BPE."""

    prefix: Sequence[str] = (_START,)

    def __init__(self, path: Path, _rules: Rules) -> None:
        self._bpe = ByteLevelBPETokenizer.from_file(
            str(path / "vocab.json"), str(path / "merges.txt")
        )

    def encode(self, text: str, language: Language | None) -> list[str]:
        """Cut a text; see `Codec`."""
        del language
        return [_START, *self._bpe.encode(text).tokens, _END]

    def decode(self, tokens: Sequence[str]) -> str:
        """Join tokens; see `Codec`."""
        ids = [self._bpe.token_to_id(t) for t in tokens if t not in {_UNKNOWN, _PAD, _START, _END}]
        return str(self._bpe.decode([id_ for id_ in ids if id_ is not None])).strip()


_CODECS: Mapping[str, Callable[[Path, Rules], Codec]] = {
    "bart": _Bart,
    "m2m100": _M2M100,
    "madlad": _Madlad,
    "marian": _Marian,
    "nllb": _Multilingual,
    "pegasus": _Pegasus,
}

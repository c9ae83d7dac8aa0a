"""Convert the tiny checkpoints and count how often CTranslate2 writes what Transformers wrote.

    PYTHONPATH=. VENV/bin/python tests/checkpoints/check.py

Run as `make.py`. A row for each checkpoint and quantisation counts, of 50 inputs, those that the
plain tokenizer, without Transformers, gives the same ids; the outputs with the same tokens,
greedily and with four beams; and those that the plain tokenizer turns into the same text. At its
end is the mean difference of the log-probability of an expected token from that in float32.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2 import Translator
from ctranslate2.converters import OpusMTConverter, TransformersConverter
from sentencepiece import SentencePieceProcessor
from tokenizers import ByteLevelBPETokenizer
from transformers import T5ForConditionalGeneration

HERE = Path(__file__).parent
_QUANTIZATIONS = ("float32", "int8_float32", "int8")
_SPECIAL = ("<s>", "</s>", "<pad>", "<unk>")


class Converter(TransformersConverter):  # type: ignore[misc]  # has no types
    """CTranslate2's converter, with T5 1.1 as it is.

    It scales logits if `tie_word_embeddings` is true, which Transformers 5 says of all T5 models;
    what the checkpoint says is now in `scale_decoder_outputs`.
    """

    def load_model(self, model_class: Any, model_name_or_path: str, **options: Any) -> Any:
        """Load a model."""
        model = super().load_model(model_class, model_name_or_path, **options)
        if isinstance(model, T5ForConditionalGeneration):
            model.config.tie_word_embeddings = model.config.scale_decoder_outputs
        return model


class PlainTokenizer:
    """The tokenizer of a family as a service runs it, with SentencePiece or `tokenizers` only."""

    def __init__(self, folder: Path, family: Mapping[str, Any]) -> None:
        self._prompt: str = family["prompt"]
        self._codes: Mapping[str, str] = family["codes"]
        self._bpe = None
        if folder.joinpath("merges.txt").is_file():
            self._bpe = ByteLevelBPETokenizer.from_file(
                str(folder / "vocab.json"), str(folder / "merges.txt")
            )
        else:
            model = next(
                p for p in folder.iterdir() if p.name == "source.spm" or p.suffix == ".model"
            )
            self._pieces = SentencePieceProcessor(model_file=str(model))

    def encode(self, text: str, language: str) -> list[str]:
        """Return the tokens of a source, with all marks that the family puts around it."""
        if self._bpe:
            return ["<s>", *self._bpe.encode(text).tokens, "</s>"]
        mark = [_mark(self._codes[language])] if self._codes else []
        return [*mark, *self._pieces.encode(self._prompt + text, out_type=str), "</s>"]

    def decode(self, tokens: Iterable[str]) -> str:
        """Return the text of an output."""
        marks = {*_SPECIAL, *map(_mark, self._codes.values())}
        kept = [token for token in tokens if token not in marks]
        if self._bpe:
            return str(self._bpe.decode([self._bpe.token_to_id(token) for token in kept])).strip()
        return "".join(kept).replace("▁", " ").strip()


def _mark(code: str) -> str:
    return code if "_" in code else f"__{code}__"


def translate(
    translator: Translator, sources: Sequence[Sequence[str]], options: Mapping[str, Any]
) -> list[list[str]]:
    """Return the tokens of the best output for each source."""
    options = dict(options)
    prefix = options.pop("target_prefix", None)
    results = translator.translate_batch(
        sources, target_prefix=[prefix] * len(sources) if prefix else None, **options
    )
    return [result.hypotheses[0] for result in results]


def check(
    folder: Path, family: Mapping[str, Any], translator: Translator, vocabulary: Sequence[str]
) -> tuple[list[int], list[float]]:
    """Return the counts of a row and the log-probabilities of the expected greedy outputs."""
    known = {token: index for index, token in enumerate(vocabulary)}
    tokenizer = PlainTokenizer(folder, family)
    cases = family["cases"]
    plain = [tokenizer.encode(case["text"], case["language"]) for case in cases]
    counts = [
        _same(
            ([known.get(t, known["<unk>"]) for t in p] for p in plain), [c["source"] for c in cases]
        )
    ]
    sources = [[vocabulary[index] for index in case["source"]] for case in cases]
    if folder.name == "opus":
        sources = [source[:-1] for source in sources]  # the converted model adds </s> itself
    for way, options in family["ctranslate2"].items():
        tokens = translate(translator, sources, options)
        counts.append(
            _same(([known[t] for t in o] for o in tokens), [c[way]["ids"] for c in cases])
        )
    for way in family["ctranslate2"]:
        texts = (tokenizer.decode(vocabulary[i] for i in case[way]["ids"]) for case in cases)
        counts.append(_same(texts, [case[way]["text"].strip() for case in cases]))
    targets = [
        [vocabulary[i] for i in case["greedy"]["ids"] if i != known["</s>"]] for case in cases
    ]
    scores = translator.score_batch(sources, targets)
    return counts, [score for result in scores for score in result.log_probs]


def _same(ours: Iterable[object], theirs: Sequence[object]) -> int:
    return sum(a == b for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    """Print a table of agreement."""
    families = json.loads(HERE.joinpath("expected.json").read_text("utf-8"))["families"]
    print("checkpoint quantisation  source greedy beam text text  log-probability")  # noqa: T201
    with tempfile.TemporaryDirectory() as scratch:
        for name in (*families, "opus"):
            if name == "gemma":  # has no encoder; the tests compare it
                continue
            family = families["marian" if name == "opus" else name]
            make: Callable[[str], Any] = OpusMTConverter if name == "opus" else Converter
            reference: list[float] = []
            for quantization in _QUANTIZATIONS:
                model = Path(scratch, name, quantization)
                make(str(HERE / name)).convert(str(model), quantization=quantization)
                vocabulary = json.loads(model.joinpath("shared_vocabulary.json").read_text("utf-8"))
                translator = Translator(str(model), compute_type=quantization, intra_threads=1)
                counts, scores = check(HERE / name, family, translator, vocabulary)
                reference = reference or scores
                difference = float(np.mean(np.abs(np.subtract(scores, reference))))
                row = " ".join(f"{count:5}" for count in counts)
                print(f"{name:10} {quantization:13} {row} {difference:10.3f}")  # noqa: T201


if __name__ == "__main__":
    main()

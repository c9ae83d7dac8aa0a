"""Reopening an exported model, to train it further: its layers, dequantised, under GGUF's names.

CTranslate2 writes `model.bin` but has nothing that reads it; the layout is that of
`ctranslate2.specs.ModelSpec.save`, binary version 6. int8 rows were divided by their largest
value, so a weight comes back within a 254th of its row's largest: less than training moves it.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training import gemma

__all__ = ["reopen"]

_VERSION = 6
_TYPES = ("float32", "int8", "int16", "int32", "float16")
"""CTranslate2's data types by their number; bfloat16, the sixth, is unknown to numpy."""

_SCALE = "_scale"
_GAMMA, _RESIDUAL = "/gamma", "/layer_norm_use_residual"
"""A norm's factors, and the mark of those that are counted from 1; GGUF counts from 0."""

_NAMES: Mapping[str, str] = {
    "attn_norm": "input_layer_norm/gamma",
    "attn_output": "self_attention/linear_1/weight",
    "attn_q_norm": "self_attention/q_norm/gamma",
    "attn_k_norm": "self_attention/k_norm/gamma",
    "post_attention_norm": "post_attention_layer_norm/gamma",
    "ffn_norm": "pre_feedforward_layer_norm/gamma",
    "ffn_gate": "ffn/linear_0/weight",
    "ffn_up": "ffn/linear_0_noact/weight",
    "ffn_down": "ffn/linear_1/weight",
    "post_ffw_norm": "post_feedforward_layer_norm/gamma",
}
"""GGUF's names of a layer's weights, and CTranslate2's; queries, keys and values are one there."""

_READ = ("/weight", _GAMMA)

_QKV = "self_attention/linear_0/weight"

Array = NDArray[np.generic]


class _Variable(NamedTuple):
    name: str
    value: Array


def reopen(model: Path, *, embeddings: bool = False) -> dict[str, Tensor]:
    """Return the layers and the last norm of an exported model, in fp32.

    Args:
        model: the folder that `export` wrote.
        embeddings: whether to return its embeddings too; training has the base's own, unquantised.

    Raises:
        SystemExit: its `model.bin` is of another version or type.
    """
    with model.joinpath("model.bin").open("rb") as file:
        variables = dict(_variables(file))
    exact = {name: _exact(variables, name) for name in variables if name.endswith(_READ)}
    weights = {"output_norm.weight": exact["decoder/layer_norm/gamma"]}
    index = 0
    while f"decoder/layer_{index}/{_QKV}" in exact:
        prefix = f"decoder/layer_{index}/"
        own = {name: exact[prefix + theirs] for name, theirs in _NAMES.items()} | _split(
            exact[prefix + _QKV]
        )
        weights |= {f"blk.{index}.{name}.weight": weight for name, weight in own.items()}
        index += 1
    if embeddings:
        weights[gemma.EMBEDDINGS] = exact["decoder/embeddings/weight"]
    return {name: torch.from_numpy(weight.copy()) for name, weight in weights.items()}


def _variables(file: BinaryIO) -> list[_Variable]:
    (version,) = _unpack(file, "I")
    if version != _VERSION:
        raise SystemExit(f"{file.name}: binary version {version}, not {_VERSION}")
    _string(file)
    _revision, number = _unpack(file, "II")
    return [_variable(file) for _ in range(number)]


def _variable(file: BinaryIO) -> _Variable:
    name = _string(file)
    (rank,) = _unpack(file, "B")
    shape = _unpack(file, f"{rank}I")
    (kind,) = _unpack(file, "B")
    if kind >= len(_TYPES):
        raise SystemExit(f"{file.name}: {name} is of a type that can't be read, {kind}")
    (size,) = _unpack(file, "I")
    return _Variable(name, np.frombuffer(file.read(size), _TYPES[kind]).reshape(shape))


def _string(file: BinaryIO) -> str:
    (size,) = _unpack(file, "H")
    return file.read(size).rstrip(b"\0").decode()


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    layout = f"<{layout}"
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _exact(variables: Mapping[str, Array], name: str) -> NDArray[np.float32]:
    value = variables[name].astype(np.float32)
    scale = variables.get(name + _SCALE)
    if scale is not None:
        return value / scale[:, None]
    return value + (name.removesuffix(_GAMMA) + _RESIDUAL in variables)


def _split(joined: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Part the queries' rows from those of keys and values, of which there is one head each."""
    ends = (gemma.HEADS * gemma.HEAD_WIDTH, (gemma.HEADS + 1) * gemma.HEAD_WIDTH)
    return dict(zip(("attn_q", "attn_k", "attn_v"), np.split(joined, ends), strict=True))

"""Write an exported model as GGUF with Q8_0 weights, for llama.cpp (see bench/llama.py).

    python -m bench.export_gguf models/embedded/3 OUTPUT.gguf

Run it from the root of the repository, in the environment of models/training/README.md. The weights
are those that the service loads: dequantised, and quantised again, in blocks of 32 weights with a
scale each, where CTranslate2 has one scale a row.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2

from models.training import gemma
from models.training.reopen import reopen

_CONTEXT = 32_768
"""Tokens that Gemma 3 270M was made for."""

_EPSILON = 1e-6
"""Of all norms."""

Weights = Mapping[str, NDArray[np.float32]]


def read(model: Path) -> Weights:
    """Return all weights of an exported model under GGUF's names.

    Raises:
        SystemExit: its `model.bin` is of another version or type.
    """
    return {name: weight.numpy() for name, weight in reopen(model, embeddings=True).items()}


def write(model: Path, output: Path) -> None:
    """Write the model in the folder `model` to the file `output`."""
    weights = read(model)
    writer = gguf.GGUFWriter(output, "gemma3")
    _describe(writer, weights)
    _add_vocabulary(writer, model / "sentencepiece.model")
    for name, weight in weights.items():
        _add_tensor(writer, name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, weights: Weights) -> None:
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(_CONTEXT)
    writer.add_block_count(gemma.layers(weights))
    writer.add_embedding_length(weights[gemma.EMBEDDINGS].shape[1])
    writer.add_feed_forward_length(weights["blk.0.ffn_up.weight"].shape[0])
    writer.add_head_count(gemma.HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(gemma.HEAD_WIDTH)
    writer.add_value_length(gemma.HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(_EPSILON)
    writer.add_rope_freq_base(gemma.GLOBAL_BASE)
    writer.add_rope_freq_base_swa(gemma.LOCAL_BASE)
    writer.add_sliding_window(gemma.WINDOW)


def _add_vocabulary(writer: gguf.GGUFWriter, path: Path) -> None:
    model = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())  # type: ignore[attr-defined]
    texts = [piece.piece for piece in model.pieces]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_scores([piece.score for piece in model.pieces])
    writer.add_token_types([piece.type for piece in model.pieces])
    writer.add_bos_token_id(texts.index("<bos>"))
    writer.add_eos_token_id(texts.index("<eos>"))
    writer.add_unk_token_id(texts.index("<unk>"))
    writer.add_pad_token_id(texts.index("<pad>"))
    writer.add_add_bos_token(value=True)
    writer.add_add_space_prefix(value=False)


def _add_tensor(writer: gguf.GGUFWriter, name: str, weight: NDArray[np.float32]) -> None:
    # Norms are vectors, and llama.cpp wants those unquantised.
    kind = gguf.GGMLQuantizationType.Q8_0 if weight.ndim > 1 else gguf.GGMLQuantizationType.F32
    writer.add_tensor(name, gguf.quantize(weight, kind), raw_dtype=kind)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of the exported model")
    parser.add_argument("output", type=Path, help="the GGUF file to write")
    arguments = parser.parse_args()
    write(arguments.model, arguments.output)


if __name__ == "__main__":
    main()

"""Export: weights and vocabulary as a model of CTranslate2, and its entry for the manifest."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from ctranslate2.specs import common_spec, transformer_spec
from torch import Tensor

from models.training import gemma

__all__ = ["FILES", "export", "manifest_lines", "mean", "merge"]

FILES = ("config.json", "model.bin", "sentencepiece.model", "vocabulary.json")
"""What a model consists of."""


def mean(several: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average weights of one run at several points (Izmailov et al. 2018, arXiv:1803.05407)."""
    first = several[0]
    return {name: sum(weights[name] for weights in several) / len(several) for name in first}


def merge(start: Mapping[str, Tensor], trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put trained weights into the place of those that training started from.

    Raises:
        SystemExit: a trained weight has no counterpart of its shape.
    """
    for name, weight in trained.items():
        if name not in start or start[name].shape != weight.shape:
            raise SystemExit(f"{name} isn't one of the base's weights")
    return {**start, **trained}


def export(weights: Mapping[str, Tensor], vocabulary: Path, output: Path) -> None:
    """Write a model with int8 weights into the folder `output`.

    Args:
        weights: all weights, under GGUF's names.
        vocabulary: the SentencePiece model.
        output: a folder; files of these names are replaced, others stay.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    # Copied, because quantisation scales in place.
    spec = _spec({name: weight.float().numpy().copy() for name, weight in weights.items()})
    spec.register_vocabulary(pieces)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<bos>", "<eos>", "<unk>"
    spec.validate()
    spec.optimize(quantization="int8")
    output.mkdir(parents=True, exist_ok=True)
    spec.save(str(output))
    shutil.copyfile(vocabulary, output / "sentencepiece.model")


def _spec(weights: Mapping[str, np.ndarray]) -> transformer_spec.TransformerDecoderModelSpec:
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        gemma.layers(weights),
        gemma.HEADS,
        activation=common_spec.Activation.GELUTanh,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=gemma.HEAD_WIDTH,
        rotary_interleave=False,
        rotary_base=gemma.LOCAL_BASE,
        num_heads_kv=1,
        head_dim=gemma.HEAD_WIDTH,
        sliding_window=gemma.WINDOW,
        pre_post_layer_norm=True,
        qk_norm=True,
    )
    decoder = spec.decoder
    decoder.scale_embeddings = True
    decoder.start_from_zero_embedding = False
    decoder.embeddings.weight = weights[gemma.EMBEDDINGS]
    decoder.projection.weight = weights[gemma.EMBEDDINGS]
    decoder.layer_norm.gamma = weights["output_norm.weight"]
    for index, layer in enumerate(decoder.layer):
        _fill(layer, gemma.of_layer(weights, index), is_global=gemma.is_global(index))
    return spec


def _fill(
    layer: transformer_spec.TransformerDecoderLayerSpec,
    own: Mapping[str, np.ndarray],
    *,
    is_global: bool,
) -> None:
    attention, network = layer.self_attention, layer.ffn
    if is_global:
        attention.rotary_base = np.float32(gemma.GLOBAL_BASE)
        attention.sliding_window = np.int32(0)
    attention.linear[0].weight = np.concatenate([own[f"attn_{name}"] for name in "qkv"])
    attention.linear[1].weight = own["attn_output"]
    attention.q_norm.gamma = own["attn_q_norm"]
    attention.k_norm.gamma = own["attn_k_norm"]
    network.linear_0.weight = own["ffn_gate"]
    network.linear_0_noact.weight = own["ffn_up"]
    network.linear_1.weight = own["ffn_down"]
    layer.input_layer_norm.gamma = own["attn_norm"]
    layer.post_attention_layer_norm.gamma = own["post_attention_norm"]
    layer.pre_feedforward_layer_norm.gamma = own["ffn_norm"]
    layer.post_feedforward_layer_norm.gamma = own["post_ffw_norm"]


def manifest_lines(folder: Path) -> str:
    """Describe the files of a model as models/manifest.toml wants them."""
    lines = ["files = ["]
    for name in FILES:
        content = folder.joinpath(name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f'  {{ name = "{name}", size = {len(content)}, sha256 = "{digest}" }},')
    return "\n".join([*lines, "]"])

"""Gemma 3 as functions on a dictionary of weights under GGUF's names.

Written out, not taken from transformers, because one layer compiles to one graph that serves all
eighteen, and because right-padded batches of sentences need no masks. Follows the Gemma 3 technical
report (arXiv:2503.19786).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "EMBEDDINGS",
    "GLOBAL_BASE",
    "HEADS",
    "HEAD_WIDTH",
    "LOCAL_BASE",
    "WINDOW",
    "Layer",
    "Mix",
    "causal",
    "hidden",
    "is_global",
    "layer",
    "layers",
    "of_layer",
]

EMBEDDINGS = "token_embd.weight"
HEADS = 4
HEAD_WIDTH = 256
WINDOW = 512
"""Tokens that a local layer sees; sentences are shorter, so it makes no difference here."""

GLOBAL_EVERY = 6
GLOBAL_BASE = 1_000_000.0
LOCAL_BASE = 10_000.0
_EPSILON = 1e-6

T = TypeVar("T")
Weights = Mapping[str, Tensor]
Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attention proper: of queries of shape (batch, HEADS, length, HEAD_WIDTH), and of keys and values
with one head instead; returns the mixed values, shaped like the queries."""

Layer = Callable[[Tensor, Weights, Tensor, Tensor, Mix, float], Tensor]


def causal(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mix the values that stand at or before each query."""
    key, value = (states.expand(-1, HEADS, -1, -1) for states in (key, value))
    return functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def _rotations(places: Tensor, base: float) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of rotary positions.

    Args:
        places: positions, of shape (length) or (batch, length).
        base: of the angles.

    Returns:
        Tensors that queries and keys can be multiplied with.
    """
    powers = torch.arange(0, HEAD_WIDTH, 2, device=places.device) / HEAD_WIDTH
    half = places[..., None] * base**-powers
    angles = torch.cat((half, half), dim=-1)
    if places.ndim > 1:
        angles = angles[:, None]
    return angles.cos(), angles.sin()


def layers(weights: Mapping[str, object]) -> int:
    """Return the number of layers that weights are for; the model has 18."""
    return sum(name.endswith(".attn_q.weight") for name in weights)


def is_global(index: int) -> bool:
    """Say whether layer `index` sees the whole text instead of a window."""
    return (index + 1) % GLOBAL_EVERY == 0


def hidden(
    weights: Weights,
    ids: Tensor,
    run: Layer,
    *,
    places: Tensor | None = None,
    mixes: Sequence[Mix] | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Return the last hidden states of a right-padded batch of token ids.

    Args:
        weights: the model's.
        ids: token ids, of shape (batch, length); padding on the right needs no mask, for a token
            sees only what stands before it.
        run: `layer`, or a compiled version of it.
        places: positions of the tokens, as `_rotations` wants them; from 0 if left out.
        mixes: each layer's attention; `causal` if left out.
        dropout: share of each sublayer's output that is dropped by chance, below 1.
    """
    embedded = functional.embedding(ids, weights[EMBEDDINGS])
    states = embedded * torch.tensor(embedded.shape[-1] ** 0.5, dtype=embedded.dtype)
    if places is None:
        places = torch.arange(ids.shape[1], device=ids.device)
    local, whole = (_rotations(places, base) for base in (LOCAL_BASE, GLOBAL_BASE))
    for index in range(layers(weights)):
        mix = mixes[index] if mixes else causal
        angles = whole if is_global(index) else local
        states = run(states, of_layer(weights, index), *angles, mix, dropout)
    return _norm(states, weights["output_norm.weight"])


def of_layer(weights: Mapping[str, T], index: int) -> dict[str, T]:
    """Return the weights of one layer, under their names within it."""
    prefix = f"blk.{index}."
    return {
        name.removeprefix(prefix).removesuffix(".weight"): weight
        for name, weight in weights.items()
        if name.startswith(prefix)
    }


def layer(
    states: Tensor, weights: Weights, cosines: Tensor, sines: Tensor, mix: Mix, dropout: float
) -> Tensor:
    """Run one layer: attention, then a gated feed-forward network, each between two norms.

    What either adds is dropped in part while training (Vaswani et al. 2017, section 5.4).
    """
    attended = _attention(_norm(states, weights["attn_norm"]), weights, cosines, sines, mix)
    states = states + _dropped(_norm(attended, weights["post_attention_norm"]), dropout)
    fed = _feed_forward(_norm(states, weights["ffn_norm"]), weights)
    return states + _dropped(_norm(fed, weights["post_ffw_norm"]), dropout)


def _dropped(states: Tensor, share: float) -> Tensor:
    return functional.dropout(states, share) if share else states


def _attention(
    states: Tensor, weights: Weights, cosines: Tensor, sines: Tensor, mix: Mix
) -> Tensor:
    batch, length, _ = states.shape
    split = partial(torch.reshape, shape=(batch, length, -1, HEAD_WIDTH))
    query, key, value = (
        split(functional.linear(states, weights[f"attn_{name}"])).transpose(1, 2) for name in "qkv"
    )
    query = _rotated(_norm(query, weights["attn_q_norm"]), cosines, sines)
    key = _rotated(_norm(key, weights["attn_k_norm"]), cosines, sines)
    joined = mix(query, key, value).transpose(1, 2).reshape(batch, length, -1)
    return functional.linear(joined, weights["attn_output"])


def _rotated(states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    first, second = states.float().chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (states * cosines + turned * sines).to(states.dtype)


def _feed_forward(states: Tensor, weights: Weights) -> Tensor:
    gate = functional.gelu(functional.linear(states, weights["ffn_gate"]), approximate="tanh")
    return functional.linear(
        gate * functional.linear(states, weights["ffn_up"]), weights["ffn_down"]
    )


def _norm(states: Tensor, weight: Tensor) -> Tensor:
    scaled = functional.rms_norm(states.float(), states.shape[-1:], weight.float(), _EPSILON)
    return scaled.to(states.dtype)

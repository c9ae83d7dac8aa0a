"""A model of OPUS-MT's shape and size whose random weights end a reply in due time.

What it writes means nothing, but takes as long to write as a translation; with weights that are
random throughout, a reply would go on to its limit. Here one component of the hidden states counts.
The encoder holds each token's place in it, the decoder its own place less the mean place in the
source, and what is left decides how likely the end is. So a reply has some nine tokens for ten of
its source.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from ctranslate2.specs import attention_spec, common_spec, transformer_spec
from numpy.typing import NDArray

__all__ = ["write_model"]

_LAYERS = 6
_WIDTH = 512
_INNER = 2048
_HEADS = 8
_POSITIONS = 512
_VOCABULARY = 58_100
"""As of opus-mt-de-en, whose vocabulary holds some 58,000 pieces."""

_END, _UNKNOWN = "</s>", "<unk>"

_GAIN = 0.3
"""Of what a sublayer adds to the states: little, so that the count isn't lost among it."""

_COUNT = 0
"""The component that counts."""

_STEP = 0.1
"""What a token adds to the count."""

_SOURCE = 2.2
"""Weight of the mean place in the source, which is half of its length; found by trying."""

_EAGERNESS = 300.0
"""How the end's likelihood depends on the count: a token late, it is certain."""

_SELF_ATTENTION = ((3 * _WIDTH, _WIDTH), (_WIDTH, _WIDTH))
_CROSS_ATTENTION = ((_WIDTH, _WIDTH), (2 * _WIDTH, _WIDTH), (_WIDTH, _WIDTH))
_FEED_FORWARD = ((_INNER, _WIDTH), (_WIDTH, _INNER))
"""The shapes of each sublayer's linear layers."""

_Weights = NDArray[np.float32]


def write_model(folder: Path, pieces: Path) -> None:
    """Write the model into a new folder, with int8 weights.

    Args:
        folder: where to.
        pieces: a SentencePiece model; its first pieces are the vocabulary.
    """
    tokens = _tokens(pieces)
    spec = transformer_spec.TransformerSpec.from_config(
        (_LAYERS, _LAYERS), _HEADS, pre_norm=False, activation=common_spec.Activation.SWISH
    )
    random = np.random.default_rng(1)
    embeddings = _random(random, len(tokens), _WIDTH)
    embeddings[:, _COUNT] = 0
    embeddings[0] = _EAGERNESS * _unit(_COUNT)
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = embeddings
    spec.decoder.projection.bias = np.zeros(len(tokens), np.float32)
    spec.decoder.start_from_zero_embedding = True
    for part in (spec.encoder, spec.decoder):
        part.position_encodings.encodings = _places()
        for layer in part.layer:
            _fill(layer, random)
    _count_source(spec.decoder.layer[0].attention)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.eos_token = spec.config.decoder_start_token = _END
    spec.config.unk_token = _UNKNOWN
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True)
    spec.save(str(folder))


def _tokens(pieces: Path) -> list[str]:
    """List the vocabulary: the end, and pieces that are nothing but text."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    every = range(processor.get_piece_size())
    marks = (processor.is_control, processor.is_unknown, processor.is_unused, processor.is_byte)
    texts = [processor.id_to_piece(i) for i in every if not any(is_mark(i) for is_mark in marks)]
    return [_END, _UNKNOWN, *(text for text in texts if text.isprintable())][:_VOCABULARY]


def _fill(layer: transformer_spec.TransformerDecoderLayerSpec, random: np.random.Generator) -> None:
    """Fill a layer of the encoder or the decoder."""
    attention = layer.self_attention
    _fill_sublayer(attention, attention.linear, _SELF_ATTENTION, random)
    if hasattr(layer, "attention"):
        _fill_sublayer(layer.attention, layer.attention.linear, _CROSS_ATTENTION, random)
    feed = layer.ffn
    _fill_sublayer(feed, (feed.linear_0, feed.linear_1), _FEED_FORWARD, random)


def _fill_sublayer(
    sublayer: attention_spec.MultiHeadAttentionSpec | transformer_spec.FeedForwardSpec,
    linears: Sequence[common_spec.LinearSpec],
    shapes: Sequence[tuple[int, int]],
    random: np.random.Generator,
) -> None:
    """Fill linear layers, of which the last one doesn't write to the count, and the norm."""
    for linear, (height, width) in zip(linears, shapes, strict=True):
        linear.weight = _random(random, height, width)
        linear.bias = np.zeros(height, np.float32)
    last = linears[-1]
    last.weight *= _GAIN
    last.weight[_COUNT] = 0
    sublayer.layer_norm.gamma = np.ones(_WIDTH, np.float32)
    sublayer.layer_norm.beta = np.zeros(_WIDTH, np.float32)


def _count_source(attention: attention_spec.MultiHeadAttentionSpec) -> None:
    """Let the first head look at all of the source alike, and take its mean place off the count."""
    query, both, output = attention.linear
    query.weight[: _WIDTH // _HEADS] = 0
    both.weight[_WIDTH] = _unit(_COUNT)  # keys come first, then values
    output.weight[_COUNT] = -_SOURCE * _unit(0)


def _places() -> _Weights:
    """Return sinusoidal encodings of positions, with the position itself as the count."""
    places = np.arange(_POSITIONS)[:, None]
    angles = places / 10_000 ** (np.arange(0, _WIDTH, 2) / _WIDTH)
    encodings = np.concatenate((np.sin(angles), np.cos(angles)), axis=1)
    encodings[:, _COUNT] = _STEP * places[:, 0]
    return encodings.astype(np.float32)


def _random(random: np.random.Generator, height: int, width: int) -> _Weights:
    """Return weights that keep the variance of what they are multiplied with."""
    return random.normal(0, width**-0.5, (height, width)).astype(np.float32)


def _unit(place: int) -> _Weights:
    unit = np.zeros(_WIDTH, np.float32)
    unit[place] = 1
    return unit

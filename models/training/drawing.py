"""Translations of many prompts: group after group, so that whoever was stopped can go on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from sentencepiece import SentencePieceProcessor

from models.training import nearest
from models.training.sample import Sampler
from models.training.schedule import Example

__all__ = ["Group", "draw"]

_ROWS = {"cpu": 384, "cuda": 3072}
"""Translations that are written at once, by kind of device."""

_SPARE_TOKENS = 20
"""Tokens that a translation may be longer than the longest prompt of its group, times `stretch`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Some examples, and what was drawn for them.

    Attributes:
        positions: of the examples.
        texts: of each, its translations.
    """

    positions: list[int]
    texts: list[list[str]]


def draw(
    sampler: Sampler,
    processor: SentencePieceProcessor,
    examples: Sequence[Example],
    device: torch.device,
    *,
    each: int = 1,
    stretch: float = 1.0,
    seed: int = 1,
    reached: int = 0,
) -> Iterator[Group]:
    """Yield the translations of all examples, like lengths together, the groups by chance.

    Args:
        sampler: what draws them.
        processor: the vocabulary.
        examples: whose prompts are translated.
        device: where; it decides how many are at once.
        each: translations of each.
        stretch: how many tokens of the target may stand for one of the prompt.
        seed: of groups and draws.
        reached: examples that were yielded before, in a run that was stopped.
    """
    lengths = [len(example.prompt) for example in examples]
    passed = 0
    cut = nearest.groups(lengths, max(1, _ROWS[device.type] // each), seed)
    for number, positions in enumerate(cut):
        passed += len(positions)
        if passed <= reached:
            continue
        prompts = [examples[position].prompt for position in positions]
        longest = int(max(map(len, prompts)) * stretch) + _SPARE_TOKENS
        drawn = sampler.sample(prompts, each, longest, seed=number)
        texts = [text.strip() for text in processor.decode(drawn)]
        rows = range(0, len(texts), each)
        yield Group(positions, [texts[row : row + each] for row in rows])

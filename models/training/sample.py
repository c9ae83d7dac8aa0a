"""Several translations of each source, drawn by chance: torch on large batches, with a cache.

In torch, not in CTranslate2, so that it draws from the trained weights as they are, and on the
accelerator where there is one. On two cores it is about as fast as CTranslate2 in int8.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from models.training import gemma

__all__ = ["Sampler"]

_SPARSE = 0.7
"""Share of unfinished rows below which the finished ones are taken out."""


@dataclass(slots=True)
class _Cache:
    """What the layers remember of the tokens read, and which tokens a row may see.

    Attributes:
        keys: shape (layers, rows, places, HEAD_WIDTH).
        values: likewise.
        seen: shape (rows, places): whether a place holds a token of this row.
        filled: places in use; prompts are padded to the first ones.
    """

    keys: Tensor
    values: Tensor
    seen: Tensor
    filled: int = 0

    def keep(self, rows: Tensor) -> None:
        """Keep the rows given, in this order; one may be given several times."""
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]
        self.seen = self.seen[rows]

    def mix(self, index: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Remember one token a row, and mix the values of all that the row has."""
        place = self.filled - 1
        self.keys[index, :, place], self.values[index, :, place] = key[:, 0, 0], value[:, 0, 0]
        keys, values = (kept[index, :, None, : self.filled] for kept in (self.keys, self.values))
        # The heads share their keys, so they can stand where positions would.
        mixed = functional.scaled_dot_product_attention(
            query.transpose(1, 2), keys, values, attn_mask=self.seen[:, None, None, : self.filled]
        )
        return mixed.transpose(1, 2)

    def read(self, index: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Remember the prompts, and mix as training does."""
        length = key.shape[2]
        self.keys[index, :, :length], self.values[index, :, :length] = key[:, 0], value[:, 0]
        return gemma.causal(query, key, value)


class Sampler:
    """Draws translations from a model.

    Args:
        weights: the model's.
        last: id of the token that ends a translation.
        temperature: what scores are divided by before one draws from them; 0 takes the best token.
        device: where to compute.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        *,
        last: int,
        temperature: float,
        device: torch.device,
    ) -> None:
        self._weights = {
            name: weight.to(device, torch.bfloat16 if weight.ndim > 1 else torch.float32)
            for name, weight in weights.items()
        }
        self._layers = gemma.layers(self._weights)
        self._last = last
        self._temperature = temperature
        self._device = device
        self._chance = torch.Generator(device)

    @torch.inference_mode()
    def sample(
        self, prompts: Sequence[Sequence[int]], each: int, longest: int, *, seed: int
    ) -> list[list[int]]:
        """Draw translations of some prompts.

        Args:
            prompts: token ids, best of like lengths.
            each: translations of each prompt.
            longest: most tokens of a translation; a longer one is cut there.
            seed: of the draws.

        Returns:
            Token ids without the last one, `each` of them in a row for every prompt.
        """
        self._chance.manual_seed(seed)
        cache, state = self._read(prompts, longest)
        copies = torch.arange(len(prompts), device=self._device).repeat_interleave(each)
        cache.keep(copies)
        written: list[list[int]] = [[] for _ in copies]
        for rows, tokens in self._draw(cache, state[copies]):
            for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
                written[row].append(token)
        return written

    def _read(self, prompts: Sequence[Sequence[int]], longest: int) -> tuple[_Cache, Tensor]:
        """Return a cache with the prompts and room for answers, and each prompt's last state."""
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=self._device)
        width = int(lengths.max())
        ids = torch.zeros(len(prompts), width, dtype=torch.long, device=self._device)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt, device=self._device)
        shape = self._layers, len(prompts), width + longest, gemma.HEAD_WIDTH
        keys, values = (
            torch.zeros(shape, dtype=torch.bfloat16, device=self._device) for _ in range(2)
        )
        places = torch.arange(width + longest, device=self._device)
        cache = _Cache(keys, values, places < lengths[:, None], width)
        mixes = [partial(cache.read, index) for index in range(self._layers)]
        states = gemma.hidden(self._weights, ids, gemma.layer, mixes=mixes)
        return cache, states[torch.arange(len(prompts), device=self._device), lengths - 1]

    def _draw(self, cache: _Cache, state: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, token after token, the unfinished rows and what was drawn for them."""
        rows = torch.arange(len(state), device=self._device)
        unfinished = torch.ones_like(rows, dtype=torch.bool)
        longest = cache.keys.shape[2] - cache.filled
        for number in range(longest):
            drawn = self._chosen(state)
            unfinished &= drawn.ne(self._last)
            if not unfinished.any():
                return
            yield rows[unfinished], drawn[unfinished]
            if number == longest - 1:
                return
            if unfinished.float().mean() < _SPARSE:
                kept = unfinished.nonzero().squeeze(1)
                cache.keep(kept)
                rows, drawn, unfinished = rows[kept], drawn[kept], unfinished[kept]
            state = self._next(cache, drawn)

    def _chosen(self, state: Tensor) -> Tensor:
        """Draw a token for each row."""
        scores = functional.linear(state, self._weights[gemma.EMBEDDINGS]).float()
        if not self._temperature:
            return scores.argmax(-1)
        summed = (scores / self._temperature).softmax(-1).cumsum(-1)
        shape = (len(state), 1)
        chance = torch.rand(shape, generator=self._chance, device=self._device) * summed[:, -1:]
        return torch.searchsorted(summed, chance).squeeze(1).clamp_(max=scores.shape[1] - 1)

    def _next(self, cache: _Cache, drawn: Tensor) -> Tensor:
        """Read one token a row; return the states from which the next ones are told."""
        places = cache.seen[:, : cache.filled].sum(1, keepdim=True)
        cache.seen[:, cache.filled] = True
        cache.filled += 1
        mixes = [partial(cache.mix, index) for index in range(self._layers)]
        states = gemma.hidden(
            self._weights, drawn[:, None], gemma.layer, places=places, mixes=mixes
        )
        return states[:, 0]

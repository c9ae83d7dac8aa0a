"""One step of training: master weights in fp32, computation in bf16."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.training import gemma
from models.training.schedule import Example, Settings

__all__ = ["Trainer", "find_device"]

_CHUNKS = {"cpu": 512, "cuda": 8192}
"""Positions whose scores over the whole vocabulary are in memory at once, by kind of device."""

_IGNORED = -100


def find_device() -> torch.device:
    """Return the accelerator if there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Trainer:
    """The weights, their running average and the optimiser.

    The norms are frozen: they are few, and their gradients cost a fifth of a step. So are the
    embeddings unless the settings say otherwise: most pieces hardly occur in the training text, and
    the scores of the rest would only fall.

    Attributes:
        master: the trained weights, in fp32.
        average: their exponential moving average, in fp32.
        optimiser: AdamW over `master`.
    """

    def __init__(
        self, weights: dict[str, Tensor], settings: Settings, device: torch.device, *, fast: bool
    ) -> None:
        self._settings = settings
        self._device = device
        self._chunk = _CHUNKS[device.type]
        self._run = torch.compile(gemma.layer, dynamic=True) if fast else gemma.layer
        self._tell = torch.compile(_tell, dynamic=True) if fast else _tell
        self.master = {
            name: weight.to(device, torch.float32)
            for name, weight in weights.items()
            if weight.ndim > 1 and (name != gemma.EMBEDDINGS or settings.embeddings)
        }
        self.average = {name: weight.clone() for name, weight in self.master.items()}
        self._weights = {name: _working(weight.to(device)) for name, weight in weights.items()}
        for name, master in self.master.items():
            self._weights[name].requires_grad_()
            master.grad = torch.zeros_like(master)
        self.optimiser = torch.optim.AdamW(
            self.master.values(), betas=(0.9, 0.98), weight_decay=settings.decay, fused=True
        )

    def step(self, batches: Sequence[Sequence[Example]], rate: float) -> tuple[float, float]:
        """Learn from some batches at once.

        Returns:
            The mean loss per English token in nats, and the gradient's norm before clipping.

        Raises:
            SystemExit: the loss isn't a finite number.
        """
        total = sum(len(example.answer) for batch in batches for example in batch)
        loss = sum(self._backward(batch, total) for batch in batches).item()
        if not math.isfinite(loss):
            raise SystemExit("the loss isn't finite any more")
        norm = torch.nn.utils.clip_grad_norm_(self.master.values(), self._settings.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=False)
        self._publish()
        return loss, norm.item()

    def _backward(self, batch: Sequence[Example], total: int) -> Tensor:
        """Add the gradients of a batch to the masters'; return its share of the mean loss."""
        copies = 2 if self._settings.consistency else 1
        states, answers = self._answer_states([*batch] * copies, self._settings.dropout)
        states = states.view(copies, -1, states.shape[-1])
        answers = answers[: states.shape[1]]
        with torch.no_grad():
            parts = zip(states.split(self._chunk, 1), answers.split(self._chunk), strict=True)
            losses, gradients = zip(*(self._told(*part, total) for part in parts), strict=True)
        states.backward(torch.cat(gradients, 1))
        for name, master in self.master.items():
            master.grad.add_(self._weights[name].grad)
            self._weights[name].grad = None
        return torch.stack(losses).sum()

    def _told(self, states: Tensor, answers: Tensor, total: int) -> tuple[Tensor, Tensor]:
        """Return the loss of telling `answers` from `states`, and its gradient to the states.

        Written out, since autograd would keep the scores of the whole vocabulary several times.
        """
        embeddings = self._weights[gemma.EMBEDDINGS]
        scores = functional.linear(states, embeddings)
        losses, delta = self._tell(scores, answers, 1 / total, self._settings.consistency)
        if gemma.EMBEDDINGS in self.master:
            self.master[gemma.EMBEDDINGS].grad.add_(delta.flatten(0, 1).T @ states.flatten(0, 1))
        return losses.sum() / total, delta @ embeddings

    def _answer_states(
        self, batch: Sequence[Example], dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return the states from which the answers' tokens are told, and these tokens."""
        ids, answers = _padded(batch)
        states = gemma.hidden(self._weights, ids.to(self._device), self._run, dropout=dropout)
        told = answers.ne(_IGNORED)
        return states[told.to(self._device)], answers[told].to(self._device)

    def _publish(self) -> None:
        """Move the average on and copy the masters to the weights that compute."""
        for name, master in self.master.items():
            self.average[name].lerp_(master, 1 - self._settings.averaging)
        self._use(self.master)

    def _use(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in weights.items():
                self._weights[name].copy_(weight)

    def loss(self, batches: Sequence[Sequence[Example]], *, averaged: bool) -> float:
        """Return the mean loss per English token, of the last or of the averaged weights."""
        self._use(self.average if averaged else self.master)
        total = sum(self._batch_loss(batch) for batch in batches)
        self._use(self.master)
        return total / sum(len(example.answer) for batch in batches for example in batch)

    def _batch_loss(self, batch: Sequence[Example]) -> float:
        # With gradients, though unused: compiled without them after a step, the layers give NaN on
        # a CPU (torch 2.13).
        states, answers = self._answer_states(batch)
        loss = 0.0
        parts = (tensor.split(self._chunk) for tensor in (states.detach(), answers))
        for rows, wanted in zip(*parts, strict=True):
            scores = functional.linear(rows, self._weights[gemma.EMBEDDINGS].detach())
            loss += functional.cross_entropy(scores.float(), wanted, reduction="sum").item()
        return loss

    def state(self) -> dict[str, object]:
        """Return all that changes in training."""
        return {
            "master": self.master,
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` returned."""
        for name, weight in self.master.items():
            weight.copy_(state["master"][name])
            self.average[name].copy_(state["average"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self._use(self.master)


def _tell(
    scores: Tensor, answers: Tensor, scale: float, consistency: float
) -> tuple[Tensor, Tensor]:
    """Return the losses of some positions, and the gradient to the scores times `scale`.

    Args:
        scores: shape (copies, positions, pieces), of one copy or of two.
        answers: shape (positions).
        scale: of the gradient.
        consistency: weight of the distance between two copies, in the gradient alone: the mean of
            the divergences (Kullback and Leibler) either way.
    """
    copies, _, pieces = scores.shape
    exact = scores.float()
    logs = exact - exact.logsumexp(-1, keepdim=True)
    chances = logs.exp()
    wanted = torch.arange(pieces, device=scores.device) == answers[:, None]
    losses = -logs.gather(2, answers.expand(copies, -1)[..., None]).mean((0, 2))
    delta = (chances - wanted.float()) / copies
    if copies > 1:
        gaps = logs - logs.flip(0)
        apart = chances * (gaps - (chances * gaps).sum(-1, keepdim=True))
        delta = delta + (apart + chances - chances.flip(0)) * (consistency / 2)
    return losses, (delta * scale).to(scores.dtype)


def _working(weight: Tensor) -> Tensor:
    """Return a copy to compute with: matrices in bf16, the norms' few factors in fp32."""
    return weight.to(torch.bfloat16 if weight.ndim > 1 else torch.float32, copy=True)


def _padded(batch: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Return token ids padded on the right, and at each position the answer's token to tell."""
    length = max(map(len, batch))
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    answers = torch.full((len(batch), length), _IGNORED)
    for row, example in enumerate(batch):
        ids[row, : len(example)] = torch.tensor(example.prompt + example.answer)
        start = len(example.prompt) - 1
        answers[row, start : len(example) - 1] = torch.tensor(example.answer)
    return ids, answers

"""Checkpoints: written whole or not at all, the last few kept."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.schedule import Progress
from models.training.trainer import Trainer

__all__ = ["latest", "load", "load_weights", "save", "save_weights"]

_KEPT = 3


def save(folder: Path, progress: Progress, trainer: Trainer) -> None:
    """Write a checkpoint and remove all but the last three."""
    path = folder / f"step-{progress.step:07}.pt"
    content = {"progress": asdict(progress), **trainer.state()}
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    for old in sorted(folder.glob("step-*.pt"))[:-_KEPT]:
        old.unlink()


def latest(folder: Path) -> Path | None:
    """Return the newest checkpoint of a run, if it has one."""
    return max(folder.glob("step-*.pt"), default=None)


def load(path: Path, trainer: Trainer) -> Progress:
    """Bring a trainer to where a checkpoint stands and return the progress then."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    trainer.restore(content)
    return Progress(**content["progress"])


def save_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights alone, for export."""
    temporary = path.with_suffix(".tmp")
    save_file({name: weight.cpu().contiguous() for name, weight in weights.items()}, temporary)
    temporary.replace(path)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read what `save_weights` wrote."""
    return dict(load_file(path))

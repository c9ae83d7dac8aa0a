"""A quick look at weights: chrF and BLEU on dev, greedily decoded by torch as they are.

For choosing among weights while a run goes on, on an accelerator above all; what is published is
measured by `evaluate`, on the exported model.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import sacrebleu
import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from models.training import data
from models.training.drawing import draw
from models.training.finetune import encode
from models.training.sample import Sampler
from models.training.text import Pair, clean_source

__all__ = ["Score", "compare"]


class Score(NamedTuple):
    """What weights were measured to do in one language.

    Attributes:
        language: what was translated into English.
        chrf: chrF.
        bleu: BLEU.
    """

    language: str
    chrf: float
    bleu: float


def compare(
    weights: Mapping[str, Tensor],
    vocabulary: Path,
    corpora: Path,
    device: torch.device,
    every: int = 1,
) -> Iterator[Score]:
    """Measure weights on every `every`-th sentence of dev, language by language."""
    processor = SentencePieceProcessor(model_file=str(vocabulary))
    sampler = Sampler(weights, last=processor.eos_id(), temperature=0, device=device)
    pairs = list(data.read(corpora / "dev"))
    for language in data.LANGUAGES:
        chosen = [pair for pair in pairs if pair.language == language][::every]
        cleaned = [Pair(clean_source(p.source, language), p.target, language, "") for p in chosen]
        outputs = [""] * len(chosen)
        for group in draw(sampler, processor, encode(cleaned, vocabulary), device):
            for position, [text] in zip(group.positions, group.texts, strict=True):
                outputs[position] = text
        references = [[pair.target for pair in chosen]]
        yield Score(
            language,
            sacrebleu.corpus_chrf(outputs, references).score,
            sacrebleu.corpus_bleu(outputs, references).score,
        )

import itertools
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="only the training environment has it")

import torch

from models.training import checkpoint, data, gemma
from models.training.__main__ import main
from models.training.nearest import groups
from models.training.sample import Sampler
from models.training.text import Pair
from models.training.vocabulary import write_model
from tests.training.test_trainer import weights
from tests.training.test_vocabulary import BYTES, MARKS, Pieces

LAST = 1
PROMPTS = [[2, 9, 10, 4], [2, 13, 4], [2, 20, 21, 22, 23, 4]]
COLD = 1e-4
"""A temperature at which the likeliest token is drawn always."""


def sampler(temperature: float) -> Sampler:
    return Sampler(weights(), last=LAST, temperature=temperature, device=torch.device("cpu"))


def greedy(prompt: list[int], longest: int) -> list[int]:
    """Decode without a cache, in the precision of the sampler."""
    own = {
        name: weight.to(torch.bfloat16) if weight.ndim > 1 else weight
        for name, weight in weights().items()
    }
    ids = list(prompt)
    for _ in range(longest):
        states = gemma.hidden(own, torch.tensor([ids]), gemma.layer)
        token = int((states[0, -1] @ own[gemma.EMBEDDINGS].T).argmax())
        if token == LAST:
            break
        ids.append(token)
    return ids[len(prompt) :]


def test_the_cache_tells_what_the_whole_text_does() -> None:
    """Cold draws from padded prompts are greedy decoding of each prompt alone."""
    drawn = sampler(COLD).sample(PROMPTS, 2, 6, seed=1)
    expected = [greedy(prompt, 6) for prompt in PROMPTS]
    assert drawn == [tokens for tokens in expected for _ in range(2)]


def test_draws_differ_and_can_be_repeated() -> None:
    """Several translations of a prompt are different ones; a seed gives the same again."""
    own = sampler(1.0)
    drawn = own.sample(PROMPTS, 4, 6, seed=1)
    assert len({tuple(tokens) for tokens in drawn[:4]}) > 1
    assert drawn == own.sample(PROMPTS, 4, 6, seed=1)
    assert drawn != own.sample(PROMPTS, 4, 6, seed=2)


def test_a_translation_ends_at_its_last_token_or_at_the_limit() -> None:
    """Finished rows are taken out without disturbing the others."""
    drawn = sampler(3.0).sample(PROMPTS, 40, 30, seed=1)
    lengths = {len(tokens) for tokens in drawn}
    assert len(drawn) == 120
    assert all(LAST not in tokens for tokens in drawn)
    assert len(lengths) > 3
    assert max(lengths) <= 30


def test_a_stopped_run_goes_on_with_the_group_it_was_at(tmp_path: Path) -> None:
    """Begun anew after any group, also after one that isn't full, the step keeps the same pairs."""
    texts = [*MARKS, *BYTES, "a", "b"]
    kinds = [3] * len(MARKS) + [6] * len(BYTES) + [1, 1]
    pieces = Pieces(texts, [0.0] * len(texts), kinds)
    write_model(pieces, range(len(texts)), tmp_path / "sentencepiece.model")
    checkpoint.save_weights(weights(len(texts)), tmp_path / "start.safetensors")
    pairs = [Pair("ab" * (n % 9 + 1), "a b " * 3 + "a" * n, "de", "pud") for n in range(1, 131)]
    data.save(pairs, tmp_path / "pairs.jsonl")
    step = ["sample", "--work", str(tmp_path), "--corpora", str(tmp_path), "--each", "1"]
    step += ["--sources", "de=130"]
    main(step)
    sampled = tmp_path / "sampled.jsonl"
    whole = data.load(sampled)
    assert len(whole) == 130
    order = groups([len(pair.source) for pair in whole], 64, 1)
    for reached in itertools.accumulate(map(len, order)):
        data.save(whole[:reached], sampled)
        main(step)
        assert data.load(sampled) == whole

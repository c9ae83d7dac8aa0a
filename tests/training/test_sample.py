import pytest

pytest.importorskip("torch", reason="only the training environment has it")

import torch

from models.training import gemma
from models.training.sample import Sampler
from tests.training.test_trainer import weights

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

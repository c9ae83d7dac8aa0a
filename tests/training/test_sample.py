import itertools
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="only the training environment has it")

import torch

from models.training import backtranslate, checkpoint, data, drawing, gemma
from models.training.__main__ import main
from models.training.compare import compare
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


def test_the_best_token_is_taken_at_no_temperature() -> None:
    """Nothing is left to chance then."""
    assert sampler(0).sample(PROMPTS, 1, 6, seed=1) == [greedy(prompt, 6) for prompt in PROMPTS]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder as the earlier steps leave it; groups are of 64."""
    monkeypatch.setitem(drawing._ROWS, "cpu", 64)
    texts = [*MARKS, *BYTES, "a", "b"]
    kinds = [3] * len(MARKS) + [6] * len(BYTES) + [1, 1]
    pieces = Pieces(texts, [0.0] * len(texts), kinds)
    write_model(pieces, range(len(texts)), tmp_path / "sentencepiece.model")
    checkpoint.save_weights(weights(len(texts)), tmp_path / "start.safetensors")
    pairs = [Pair("ab" * (n % 9 + 1), "a b " * 3 + "a" * n, "de", "pud") for n in range(1, 131)]
    data.save(pairs, tmp_path / "pairs.jsonl")
    trained = {name: weight for name, weight in weights(len(texts)).items() if weight.ndim > 1}
    (tmp_path / "runs" / "main").mkdir(parents=True)
    checkpoint.save_weights(trained, tmp_path / "runs" / "main" / "best.safetensors")
    return tmp_path


def test_a_stopped_run_goes_on_with_the_group_it_was_at(work: Path) -> None:
    """Begun anew after any group, also after one that isn't full, the step keeps the same pairs."""
    step = ["sample", "--work", str(work), "--corpora", str(work), "--each", "1"]
    step += ["--sources", "de=130"]
    main(step)
    sampled = work / "sampled.jsonl"
    whole = data.load(sampled)
    assert len(whole) == 130
    order = groups([len(pair.source) for pair in whole], 64, 1)
    for reached in itertools.accumulate(map(len, order)):
        data.save(whole[:reached], sampled)
        main(step)
        assert data.load(sampled) == whole


def test_back_translation_is_kept_where_it_could_be_the_language(work: Path) -> None:
    """What a reversed model writes is saved as drawn, and learnt from where it passes for text."""
    step = ["backtranslate", "--work", str(work), "--corpora", str(work), "--weights", "main/best"]
    main([*step, "--sources", "ru=8", "--temperature", "1"])
    drawn = data.load(work / "drawn.jsonl")
    assert len(drawn) == 8
    assert {(pair.language, pair.corpus) for pair in drawn} == {("ru", data.BACKTRANSLATED)}
    assert data.load(work / "backtranslated.jsonl") == backtranslate.cleaned(drawn)


@pytest.mark.parametrize("step", ["sample", "backtranslate"])
def test_steps_that_draw_want_to_know_how_much(work: Path, step: str) -> None:
    """Without a number of sources they say so."""
    with pytest.raises(SystemExit, match="--sources"):
        main([step, "--work", str(work), "--corpora", str(work)])


def test_weights_are_compared_on_dev(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each translation is measured by its own reference, whatever order they are made in."""
    references = ["a first sentence", "no other", "and a third one"]
    for language in data.LANGUAGES:
        folder = work / "dev" / "set" / f"{language}-en"
        folder.mkdir(parents=True)
        folder.joinpath("src.txt").write_text("ab\nba\nab\n", "utf-8")
        folder.joinpath("ref.txt").write_text("\n".join(references), "utf-8")
    own = checkpoint.load_weights(work / "start.safetensors")
    vocabulary, cpu = work / "sentencepiece.model", torch.device("cpu")
    found = list(compare(own, vocabulary, work, cpu))
    assert [score.language for score in found] == list(data.LANGUAGES)
    assert all(score.chrf < 20 for score in found)
    turned = [drawing.Group([1], [[references[2]]]), drawing.Group([0], [[references[0]]])]
    monkeypatch.setattr("models.training.compare.draw", lambda *_: turned)
    found = list(compare(own, vocabulary, work, cpu, every=2))
    assert {(round(score.chrf), round(score.bleu)) for score in found} == {(100, 100)}


def test_an_exported_model_is_reopened_as_a_run(work: Path) -> None:
    """Its matrices can then be named, trained on from or averaged with others."""
    step = ["--work", str(work), "--corpora", str(work)]
    main(["export", *step, "--weights", "best"])
    with pytest.raises(SystemExit, match="--model"):
        main(["reopen", *step])
    main(["reopen", *step, "--model", str(work / "runs" / "main" / "model")])
    opened = checkpoint.load_weights(work / "runs" / "reopened" / "final.safetensors")
    exported = checkpoint.load_weights(work / "runs" / "main" / "best.safetensors")
    assert opened.keys() == exported.keys() - {gemma.EMBEDDINGS}
    for name, weight in opened.items():
        torch.testing.assert_close(weight, exported[name], atol=0.02, rtol=0)
    main(["export", *step, "--run", "both", "--weights", "reopened/final", "reopened/final"])
    assert (work / "runs" / "both" / "model" / "model.bin").exists()

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="only the training environment has it")

import torch
from torch.nn import functional

from models.training import checkpoint, export, gemma, reopen, trainer
from models.training.schedule import Example, Progress, Settings
from models.training.vocabulary import write_model
from tests.training.test_vocabulary import BYTES, MARKS, Pieces

WIDTH, INNER, WORDS = 16, 32, 40
LAYERS = 6  # the sixth is the first to see the whole text
BATCH = [Example([2, 9, 10, 4], [11, 12, 1]), Example([2, 13, 4], [14, 1])]


def weights(words: int = WORDS) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(3)
    attention, head = gemma.HEADS * gemma.HEAD_WIDTH, gemma.HEAD_WIDTH
    shapes = {
        "attn_q": (attention, WIDTH),
        "attn_k": (head, WIDTH),
        "attn_v": (head, WIDTH),
        "attn_output": (WIDTH, attention),
        "ffn_gate": (INNER, WIDTH),
        "ffn_up": (INNER, WIDTH),
        "ffn_down": (WIDTH, INNER),
        "attn_q_norm": (head,),
        "attn_k_norm": (head,),
    }
    norms = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
    shapes |= dict.fromkeys(norms, (WIDTH,))
    result = {
        f"blk.{index}.{name}.weight": torch.rand(shape, generator=chance) - (len(shape) > 1) * 0.5
        for index in range(LAYERS)
        for name, shape in shapes.items()
    }
    result["output_norm.weight"] = torch.ones(WIDTH)
    result[gemma.EMBEDDINGS] = torch.rand(words, WIDTH, generator=chance) - 0.5
    return result


def new(**changes: float) -> trainer.Trainer:
    settings = Settings(**changes)  # type: ignore[arg-type]  # a test's few changes
    return trainer.Trainer(weights(), settings, torch.device("cpu"), fast=False)


def test_a_token_sees_nothing_after_it() -> None:
    """Padding and later tokens don't change a state, so that batches need no mask."""
    own = weights()
    short = gemma.hidden(own, torch.tensor([[2, 9, 10]]), gemma.layer)
    long = gemma.hidden(own, torch.tensor([[2, 9, 10, 30, 31]]), gemma.layer)
    torch.testing.assert_close(short, long[:, :3])


@pytest.mark.parametrize("consistency", [0.0, 0.7])
def test_the_written_out_gradient_is_autograds(consistency: float) -> None:
    """Loss and gradient are those of cross-entropy, and of the distance of two copies."""
    copies = 2 if consistency else 1
    scores = torch.randn(copies, 7, 50, requires_grad=True)
    answers = torch.arange(7)
    logs = scores.log_softmax(-1)
    losses = torch.stack(
        [functional.nll_loss(copy, answers, reduction="none") for copy in logs]
    ).mean(0)
    ways = [
        functional.kl_div(logs[-1 - i], logs[i], log_target=True, reduction="none").sum()
        for i in range(copies)
    ]
    ((losses.sum() + consistency * sum(ways) / 2) / 3).backward()
    own, delta = trainer._tell(scores.detach(), answers, 1 / 3, consistency)
    torch.testing.assert_close(own, losses.detach())
    torch.testing.assert_close(delta, scores.grad)


def test_two_copies_that_agree_teach_as_one_does() -> None:
    """Where nothing is dropped, consistency changes no weight; where something is, it does."""
    plain, doubled, dropped = (
        new(consistency=weight, dropout=share) for weight, share in ((0, 0), (3.0, 0), (3.0, 0.3))
    )
    losses = [own.step([BATCH], 1e-3)[0] for own in (plain, doubled, dropped)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[2] != pytest.approx(losses[0], rel=1e-3)
    for name, weight in plain.master.items():
        torch.testing.assert_close(doubled.master[name].grad, weight.grad)
        torch.testing.assert_close(doubled.master[name], weight, atol=2.1e-3, rtol=0)


def test_nothing_is_dropped_where_a_loss_is_measured() -> None:
    """Validation is of the whole model, and the same each time."""
    own, whole = new(dropout=0.5), new()
    assert own.loss([BATCH], averaged=False) == whole.loss([BATCH], averaged=False)


@pytest.mark.parametrize("embeddings", [False, True])
def test_training_lowers_the_loss(embeddings: bool) -> None:
    """Repeating a batch teaches it; the embeddings move only if they are to."""
    own = new(embeddings=embeddings)
    before = own.loss([BATCH], averaged=False)
    for _ in range(10):
        own.step([BATCH], 1e-2)
    assert own.loss([BATCH], averaged=False) < before - 0.2
    assert (gemma.EMBEDDINGS in own.master) is embeddings


@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_compiled_model_tells_the_loss_that_a_plain_one_does() -> None:
    """Compiling changes no loss, before or after a step."""
    plain, fast = new(), trainer.Trainer(weights(), Settings(), torch.device("cpu"), fast=True)
    for _ in range(2):
        losses = [own.loss([BATCH], averaged=False) for own in (plain, fast)]
        assert losses[0] == pytest.approx(losses[1], abs=0.05)
        for own in (plain, fast):
            own.step([BATCH], 1e-3)


def test_accumulated_batches_are_one_batch() -> None:
    """A step on two batches is, but for rounding, the step on both together."""
    one, two = new(), new()
    one.step([BATCH], 1e-3)
    two.step([BATCH[:1], BATCH[1:]], 1e-3)
    for name, weight in one.master.items():
        torch.testing.assert_close(weight, two.master[name], atol=2e-3, rtol=0)


def test_the_average_follows_slowly() -> None:
    """The averaged weights go a small part of the way at each step."""
    own = new(averaging=0.9)
    name = next(iter(own.master))
    before = own.master[name].clone()
    own.step([BATCH], 1e-2)
    torch.testing.assert_close(own.average[name], before.lerp(own.master[name], 0.1))


def test_a_resumed_run_is_the_same_run(tmp_path: Path) -> None:
    """Going on from a checkpoint gives bit for bit the weights of a run never stopped."""
    whole, begun, resumed = new(), new(), new()
    for own, steps in ((whole, 4), (begun, 2)):
        for _ in range(steps):
            own.step([BATCH], 1e-3)
    checkpoint.save(tmp_path, Progress(step=2, pairs=4), begun)
    path = checkpoint.latest(tmp_path)
    assert path is not None
    assert checkpoint.load(path, resumed) == Progress(step=2, pairs=4)
    for _ in range(2):
        resumed.step([BATCH], 1e-3)
    for name, weight in whole.master.items():
        assert torch.equal(weight, resumed.master[name])
        assert torch.equal(whole.average[name], resumed.average[name])


def test_old_checkpoints_are_removed(tmp_path: Path) -> None:
    """The last three stay, and no half-written file."""
    own = new()
    for step in range(1, 6):
        checkpoint.save(tmp_path, Progress(step=step), own)
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["step-0000003.pt", "step-0000004.pt", "step-0000005.pt"]


def test_the_mean_of_weights() -> None:
    """Several points of a run are averaged weight by weight."""
    mean = export.mean([{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 6.0])}])
    torch.testing.assert_close(mean, {"a": torch.tensor([2.0, 4.0])})


def test_weights_of_another_shape_are_not_merged() -> None:
    """Trained weights must fit what training started from."""
    start = weights()
    assert export.merge(start, {})[gemma.EMBEDDINGS] is start[gemma.EMBEDDINGS]
    with pytest.raises(SystemExit, match="token_embd"):
        export.merge(start, {gemma.EMBEDDINGS: torch.zeros(3, 3)})


def exported(folder: Path, texts: list[str]) -> dict[str, torch.Tensor]:
    """Export a small model of some pieces; gives its weights."""
    kinds = [3] * len(MARKS) + [6] * len(BYTES) + [1, 1]
    model = folder / "sentencepiece.model"
    write_model(Pieces(texts, [0.0] * len(texts), kinds), range(len(texts)), model)
    own = weights(len(texts))
    export.export(own, model, folder / "model")
    return own


TEXTS = [*MARKS, *BYTES, "a", "b"]


def test_an_exported_model_can_be_reopened(tmp_path: Path) -> None:
    """Every weight but the embeddings comes back, but for the rounding of its row."""
    own = exported(tmp_path, TEXTS)
    opened = reopen.reopen(tmp_path / "model")
    assert opened.keys() == own.keys() - {gemma.EMBEDDINGS}
    for name, weight in own.items():
        if name in opened:
            largest = weight.abs().amax(-1, keepdim=True) if weight.ndim > 1 else torch.zeros(1)
            assert ((opened[name] - weight).abs() <= largest / 254 + 1e-5).all(), name


def test_a_norm_counted_from_one_is_reopened_as_counted_from_zero() -> None:
    """CTranslate2's converter of Gemma writes norms less by one, and marks them."""
    variables = {
        "norm/gamma": np.array([0.5], "float32"),
        "norm/layer_norm_use_residual": np.array(1, "int8"),
    }
    assert reopen._exact(variables, "norm/gamma") == pytest.approx([1.5])


def test_another_version_of_the_format_is_not_reopened(tmp_path: Path) -> None:
    """What can't be understood is refused by its version."""
    (tmp_path / "model.bin").write_bytes(b"\x05\0\0\0")
    with pytest.raises(SystemExit, match="version 5"):
        reopen.reopen(tmp_path)


def test_the_exported_model_tells_what_the_trained_one_does(tmp_path: Path) -> None:
    """CTranslate2 gives the tokens of a text the probabilities that the recipe's model does."""
    ctranslate2 = pytest.importorskip("ctranslate2")
    texts = TEXTS
    own = exported(tmp_path, texts)
    ids = [2, len(texts) - 2, len(texts) - 1, 4, len(texts) - 1]
    generator = ctranslate2.Generator(str(tmp_path / "model"), compute_type="float32")
    told = generator.score_batch([[texts[index] for index in ids]])[0].log_probs
    states = gemma.hidden(own, torch.tensor([ids]), gemma.layer)
    scores = (states[0, :-1] @ own[gemma.EMBEDDINGS].T).log_softmax(-1)
    expected = scores.gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)
    torch.testing.assert_close(torch.tensor(told), expected, atol=0.1, rtol=0)

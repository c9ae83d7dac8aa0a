"""Compare the service with Transformers generating from the same weights in batches.

    python -m venv RIVAL
    RIVAL/bin/pip install -r requirements/run.txt
    RIVAL/bin/pip install --no-deps -e .
    RIVAL/bin/pip install -r bench/requirements-transformers.in
    PYTHONPATH=. RIVAL/bin/python bench/against_transformers.py FILE

Run it from the root of the repository; the service runs as a process of its own in the same
environment. FILE holds source sentences, one a line, each of which is translated once in each
measurement. Transformers gets all at once, sorted by length and padded on the left, as many threads
as there are CPUs, and the embedded model's int8 weights dequantised to fp32 or bf16. The service
gets a line at a time from each of its clients. Both decode greedily, once, and all is measured
twice, in turns. Reported are lines a second, the service's over the best of Transformers', and how
far their English is the same.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from sentencepiece import SentencePieceProcessor
from server_process import server_process
from torch import Tensor
from transformers import Gemma3ForCausalLM, Gemma3TextConfig
from transformers.utils import logging

from depesche.client import Client
from depesche.config import Settings
from depesche.evaluate import score
from depesche.inference.cpu import available_cpus
from depesche.models.store import ModelStore
from depesche.text.normalize import normalize
from depesche.types import ContentFormat, Language, Release
from models.training import gemma
from models.training.reopen import reopen

_DTYPES = (torch.float32, torch.bfloat16)
_BATCHES = (8, 16, 32)
_CONTEXT = 32_768

_EXPANSION = 2
_SHORT_REPLY = 20
"""How long a reply may be beside its source, as `GemmaBackend` has it."""

_NORMS = {
    "attn_norm": "input_layernorm",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_LINEARS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""GGUF's names of a layer's weights, and those of Transformers."""


class Run(NamedTuple):
    """All lines, translated once.

    Attributes:
        english: the English of each.
        seconds: how long it took.
    """

    english: list[str]
    seconds: float

    @property
    def rate(self) -> float:
        """Lines a second."""
        return len(self.english) / self.seconds


class Rival:
    """The embedded model in Transformers."""

    def __init__(self, folder: Path, max_target_tokens: int) -> None:
        """Read the model in a folder, whose replies are cut off after so many tokens."""
        self._max_target_tokens = max_target_tokens
        self._pieces = SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
        self._model = _open(folder, self._pieces)
        self._padding = self._pieces.piece_to_id("<pad>")
        self._before = [self._pieces.piece_to_id("<bos>")]
        self._after = [self._pieces.piece_to_id("<start_of_turn>")]

    def convert(self, dtype: torch.dtype) -> None:
        """Compute in another type from now on."""
        self._model.to(dtype)

    def translate(self, lines: Sequence[str], size: int) -> Run:
        """Translate lines in batches of `size`, the shortest first."""
        started = time.monotonic()
        rows = [self._pieces.encode(normalize(line).text) for line in lines]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        english = [""] * len(rows)
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            for index, text in zip(batch, self._generate([rows[i] for i in batch]), strict=True):
                english[index] = text
        return Run(english, time.monotonic() - started)

    def _generate(self, rows: Sequence[list[int]]) -> list[str]:
        longest = max(map(len, rows))
        prompts = torch.tensor(
            [
                [self._padding] * (longest - len(row)) + self._before + row + self._after
                for row in rows
            ]
        )
        with torch.inference_mode():
            replies = self._model.generate(
                prompts,
                attention_mask=(prompts != self._padding).long(),
                max_new_tokens=min(self._max_target_tokens, _EXPANSION * longest + _SHORT_REPLY),
                do_sample=False,
            )
        # Decoding leaves out the end and the padding after it, which are control tokens.
        return [self._pieces.decode(ids).strip() for ids in replies[:, prompts.shape[1] :].tolist()]


def _open(folder: Path, pieces: SentencePieceProcessor) -> Gemma3ForCausalLM:
    weights = reopen(folder, embeddings=True)
    model = Gemma3ForCausalLM(_config(weights, pieces))
    missing, unexpected = model.load_state_dict(dict(_renamed(weights)), strict=False)
    if unexpected or missing != ["lm_head.weight"]:  # it is tied to the embeddings
        raise SystemExit(f"Transformers: {missing} missing, {unexpected} unexpected")
    model.tie_weights()
    return model.eval()


def _config(weights: Mapping[str, Tensor], pieces: SentencePieceProcessor) -> Gemma3TextConfig:
    vocabulary, width = weights[gemma.EMBEDDINGS].shape
    count = gemma.layers(weights)
    kinds = ["full_attention" if gemma.is_global(i) else "sliding_attention" for i in range(count)]
    return Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=len(weights["blk.0.ffn_up.weight"]),
        num_hidden_layers=count,
        num_attention_heads=gemma.HEADS,
        num_key_value_heads=1,
        head_dim=gemma.HEAD_WIDTH,
        query_pre_attn_scalar=gemma.HEAD_WIDTH,
        max_position_embeddings=_CONTEXT,
        sliding_window=gemma.WINDOW,
        layer_types=kinds,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": gemma.GLOBAL_BASE},
            "sliding_attention": {"rope_type": "default", "rope_theta": gemma.LOCAL_BASE},
        },
        pad_token_id=pieces.piece_to_id("<pad>"),
        bos_token_id=pieces.piece_to_id("<bos>"),
        eos_token_id=pieces.piece_to_id("<eos>"),
    )


def _renamed(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Give weights under Transformers' names; it counts a norm's factors from 1."""
    yield "model.embed_tokens.weight", weights[gemma.EMBEDDINGS]
    yield "model.norm.weight", weights["output_norm.weight"] - 1
    for index in range(gemma.layers(weights)):
        for name, weight in gemma.of_layer(weights, index).items():
            prefix = f"model.layers.{index}"
            if name in _NORMS:
                yield f"{prefix}.{_NORMS[name]}.weight", weight - 1
            else:
                yield f"{prefix}.{_LINEARS[name]}.weight", weight


async def served(lines: Sequence[str], language: Language, clients: int) -> Run:
    """Translate lines by a server of its own, each client one after another."""
    english = [""] * len(lines)
    waiting = iter(range(len(lines)))
    async with server_process(decode_again="false") as server, Client(server.listen) as client:

        async def work() -> None:
            for index in waiting:
                release = Release(lines[index], ContentFormat.LINES, language=language)
                reply = await client.translate(release)
                english[index] = " ".join(sentence.text for sentence in reply.translation)

        started = time.monotonic()
        await asyncio.gather(*(work() for _ in range(clients)))
        return Run(english, time.monotonic() - started)


def compare(
    rival: Rival, lines: Sequence[str], language: Language, clients: int, rounds: int
) -> None:
    """Measure both, in turns, and print the table."""
    runs: dict[str, list[Run]] = {}

    def note(name: str, run: Run) -> None:
        runs.setdefault(name, []).append(run)
        print(f"{name:<34} {run.rate:>8.2f} lines/s", flush=True)

    ours = f"service, {clients} clients"
    for _ in range(rounds):
        note(ours, asyncio.run(served(lines, language, clients)))
        for dtype in _DTYPES:
            rival.convert(dtype)
            rival.translate(lines[:1], 1)  # the first call sets up what the others find
            for size in _BATCHES:
                name = f"Transformers, {str(dtype).removeprefix('torch.')}, batches of {size}"
                note(name, rival.translate(lines, size))
    rates = {name: statistics.mean(run.rate for run in each) for name, each in runs.items()}
    service = rates.pop(ours)
    best = max(rates, key=rates.__getitem__)
    print(f"{service / rates[best]:.2f} times {best}")
    _print_likeness(runs[ours][0].english, next(iter(rates)), runs)


def _print_likeness(english: Sequence[str], name: str, runs: Mapping[str, Sequence[Run]]) -> None:
    other = runs[name][0].english
    same = sum(map(str.__eq__, english, other))
    chrf = score(english, other)[0].value
    print(f"{same} of {len(english)} lines in the same English as {name}; chrF {chrf:.1f}")


def main() -> None:
    """Read the sentences, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="source sentences, one a line")
    parser.add_argument("--language", type=Language, default=Language.GERMAN, help="of FILE")
    parser.add_argument("--clients", type=int, default=32, help="of the service, at once")
    parser.add_argument("--rounds", type=int, default=2, help="of all measurements")
    arguments = parser.parse_args()
    torch.set_num_threads(available_cpus())
    logging.set_verbosity_error()
    settings = Settings()
    store = ModelStore(settings.models_dir)
    spec = store.spec(settings.translation_model)
    rival = Rival(store.verify(spec.name).path, spec.max_target_tokens)
    lines = arguments.file.read_text("utf-8").splitlines()
    compare(rival, lines, arguments.language, arguments.clients, arguments.rounds)


if __name__ == "__main__":
    main()

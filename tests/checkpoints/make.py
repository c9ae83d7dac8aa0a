"""Make tiny checkpoints in the formats of the hub, and what Transformers writes with them.

    python -m venv VENV
    VENV/bin/pip install -r requirements/convert.in
    PYTHONPATH=. VENV/bin/python tests/checkpoints/make.py
    PYTHONPATH=. VENV/bin/python tests/checkpoints/check.py

Run from the root of the repository, by hand, when a family is added or a library changes its mind;
no test imports it. Every checkpoint has the files, names and configuration of its family on the
hub, tokenizers trained on the example releases (English ones on `english.txt`) and random weights,
scaled so that outputs vary and end by themselves. `expected.json` holds, for 50 inputs per family,
the token ids and text that Transformers decodes in float32, greedily and with four beams, and the
options under which CTranslate2 writes the same; `check.py` proves it. Two runs write the same
bytes with the same versions of the libraries.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from sentencepiece import SentencePieceNormalizer, SentencePieceTrainer
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer
from transformers.models.m2m_100.tokenization_m2m_100 import (
    FAIRSEQ_LANGUAGE_CODES as M2M_LANGUAGES,
)
from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB_LANGUAGES

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
CASES = 50
LONGEST_INPUT = 40
"""Words of the longest input; Khmer, which has no spaces between words, is cut at signs."""
LONGEST_KHMER_INPUT = 120
MAX_LENGTH = 40
"""Tokens of the longest output as Transformers counts them, with the decoder's start token."""
BEAMS = 4
_MARGIN = 1e-4
"""Least difference between the best and the second best token, in natural logarithms."""
_SENTENCE_END = re.compile(r"(?<=[.!?។»:;])\s+")

_QUERIES = re.compile(r"\b([qk]|[qk]_proj)\.weight$")
_EMBEDDINGS = re.compile(r"\b(shared|lm_head|embed_tokens)\.weight$")

Weights = dict[str, torch.Tensor]


class Size(NamedTuple):
    """Dimensions shared by all checkpoints."""

    width: int = 32
    hidden: int = 64
    heads: int = 4
    encoder_layers: int = 2
    decoder_layers: int = 1


SIZE = Size()


class Case(NamedTuple):
    """An input with the language it is written in."""

    language: str
    text: str


def sentences(language: str) -> list[str]:
    """Return the sentences of the example releases, or of `english.txt`, short enough to use."""
    files = [HERE / "english.txt"] if language == "en" else _releases(language)
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    if language == "en":
        return lines
    found = [sentence.strip() for line in lines for sentence in _SENTENCE_END.split(line)]
    return list(dict.fromkeys(_cut(sentence) for sentence in found if len(sentence) > 1))


def _releases(language: str) -> list[Path]:
    return sorted(EXAMPLES.glob(f"release*.{language}.txt"))


def _cut(sentence: str) -> str:
    words = sentence.split()[:LONGEST_INPUT]
    return " ".join(words)[:LONGEST_KHMER_INPUT] if _is_khmer(sentence) else " ".join(words)


def _is_khmer(text: str) -> bool:
    return any("\u1780" <= sign <= "\u17ff" for sign in text)


def german_cases() -> list[Case]:
    """Return inputs for a model of German only."""
    return [Case("de", text) for text in sentences("de")[:CASES]]


def english_cases() -> list[Case]:
    """Return inputs for the summarisers."""
    return [Case("en", text) for text in sentences("en")[:CASES]]


def mixed_cases() -> list[Case]:
    """Return inputs in all three source languages."""
    counts = {"de": 18, "ru": 16, "km": 16}
    return [Case(code, text) for code, n in counts.items() for text in sentences(code)[:n]]


def train_sentencepiece(
    path: Path, languages: Sequence[str], *, normalised: bool = True, **options: Any
) -> list[str]:
    """Train a model that normalises as real ones do, write it, and return its pieces by id."""
    corpus = [sentence for language in languages for sentence in sentences(language)]
    if not normalised:
        return _train(path, corpus, "identity", normalization_rule_name="identity", **options)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv") as rules:
        rules.write(_normalization(corpus))
        rules.flush()
        return _train(path, corpus, "nmt_nfkc", normalization_rule_tsv=rules.name, **options)


def _train(path: Path, corpus: Sequence[str], rules: str, **options: Any) -> list[str]:
    written = BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_writer=written,
        character_coverage=1.0,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    model = ModelProto.FromString(written.getvalue())
    model.normalizer_spec.name = rules
    model.normalizer_spec.ClearField("normalization_rule_tsv")  # a path that differs between runs
    path.write_bytes(model.SerializeToString(deterministic=True))
    return [piece.piece for piece in model.pieces]


def _normalization(corpus: Iterable[str]) -> str:
    """Return the rules of nmt_nfkc for the signs at hand; all of them would take 250 KB a file."""
    full = SentencePieceNormalizer(
        rule_name="nmt_nfkc",
        add_dummy_prefix=False,
        escape_whitespaces=False,
        remove_extra_whitespaces=False,
    )
    signs = {sign for text in corpus for sign in text}
    signs |= {
        chr(code) for start, end in ((0xA0, 0x180), (0x2000, 0x2070)) for code in range(start, end)
    }
    signs |= set("ﬁﬂ№™ ㎡Ω０１２３")
    rules = [(sign, str(full.normalize(sign))) for sign in sorted(signs)]
    return "".join(f"{_codes(a)}\t{_codes(b)}\n" for a, b in rules if a != b)


def _codes(text: str) -> str:
    return " ".join(f"{ord(sign):X}" for sign in text)


class Scale(NamedTuple):
    """How random weights are drawn, so that outputs vary and end by themselves."""

    seed: int
    embeddings: float
    linears: float
    queries: float
    """Of the queries and keys: sharp attention keeps a decoder from repeating one token."""
    sharpness: float
    """Of the decoder's last normalisation, and so of the logits."""
    ending: float
    """Length of the end token's vector, which wins now and then if it is long."""


def random_weights(
    model: torch.nn.Module, scale: Scale, *, pad: int, eos: int, rare: Sequence[int]
) -> None:
    """Draw the parameters of a model.

    The pad token's vector is zero, as training leaves it; those of rare tokens, which real models
    read but do not write, are short.
    """
    draw = np.random.default_rng(scale.seed)
    last_norm = [n for n, _ in model.named_parameters() if n.endswith("norm.weight")][-1]
    for name, parameter in sorted(model.named_parameters()):
        if not parameter.requires_grad:
            continue
        value = draw.standard_normal(parameter.shape).astype(np.float32)
        if name.endswith("bias"):
            value *= 0.1
        elif parameter.ndim == 1:
            value = (1 + 0.1 * value) * (scale.sharpness if name == last_norm else 1)
        elif _QUERIES.search(name):
            value *= scale.queries
        elif _EMBEDDINGS.search(name):
            value *= scale.embeddings
            value[list(rare)] *= 0.2
            value[eos] *= scale.ending
            value[pad] = 0
        else:
            value *= scale.linears
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(value))
    if isinstance(model, transformers.MarianMTModel):  # the others leave this at zero
        bias = 0.1 * draw.standard_normal(model.final_logits_bias.shape).astype(np.float32)
        bias[:, pad] = 0
        model.final_logits_bias.copy_(torch.from_numpy(bias))


def write_model(
    folder: Path,
    architecture: str,
    config: Mapping[str, Any],
    scale: Scale,
    rare: Sequence[int] = (),
) -> Weights:
    """Write a model's configuration and random weights; return the weights."""
    write_json(folder / "config.json", {"architectures": [architecture], **config})
    model_class = getattr(transformers, architecture)
    model = model_class(model_class.config_class.from_pretrained(folder)).eval()
    if config["tie_word_embeddings"] is False:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    pad, eos = config["pad_token_id"], config["eos_token_id"]
    random_weights(model, scale, pad=pad, eos=eos, rare=rare)
    weights: Weights = {}
    seen = set()
    left_out = model._keys_to_ignore_on_save or ()  # as `save_pretrained` does
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen and name not in left_out:
            weights[name] = tensor.clone()
        seen.add(tensor.data_ptr())
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return weights


def write_json(path: Path, value: object) -> None:
    """Write JSON as the hub's files have it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _special_tokens(**tokens: Any) -> dict[str, Any]:
    return {f"{name}_token": token for name, token in tokens.items()}


def _write_tokenizer_config(folder: Path, tokenizer_class: str, **settings: Any) -> None:
    config = {**settings, "tokenizer_class": tokenizer_class}
    write_json(folder / "tokenizer_config.json", config)
    names = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
    tokens = {name: config[name] for name in (f"{n}_token" for n in names) if name in config}
    if "additional_special_tokens" in config:
        tokens["additional_special_tokens"] = config["additional_special_tokens"]
    write_json(folder / "special_tokens_map.json", tokens)


def _bart_like(**settings: Any) -> dict[str, Any]:
    return {
        "d_model": SIZE.width,
        "encoder_layers": SIZE.encoder_layers,
        "decoder_layers": SIZE.decoder_layers,
        "encoder_attention_heads": SIZE.heads,
        "decoder_attention_heads": SIZE.heads,
        "encoder_ffn_dim": SIZE.hidden,
        "decoder_ffn_dim": SIZE.hidden,
        "is_encoder_decoder": True,
        "tie_word_embeddings": True,
        "use_cache": True,
        **settings,
    }


def make_marian(folder: Path) -> None:
    """Make a MarianMT checkpoint, as OPUS-MT's, and the same model as Marian writes it."""
    source = train_sentencepiece(folder / "source.spm", ["de"], vocab_size=400)
    target = train_sentencepiece(folder / "target.spm", ["en"], vocab_size=300)
    pieces = dict.fromkeys([*source, *target])
    for special in ("<unk>", "<s>", "</s>"):
        pieces.pop(special)
    tokens = ["</s>", "<unk>", *pieces, "<pad>"]
    pad = len(tokens) - 1
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    _write_tokenizer_config(
        folder,
        "MarianTokenizer",
        source_lang="de",
        target_lang="en",
        separate_vocabs=False,
        sp_model_kwargs={},
        model_max_length=512,
        **_special_tokens(eos="</s>", unk="<unk>", pad="<pad>"),
    )
    weights = write_model(
        folder,
        "MarianMTModel",
        _bart_like(
            model_type="marian",
            activation_function="swish",
            normalize_before=False,
            normalize_embedding=False,
            add_final_layer_norm=False,
            scale_embedding=True,
            static_position_embeddings=True,
            share_encoder_decoder_embeddings=True,
            max_position_embeddings=512,
            vocab_size=len(tokens),
            decoder_vocab_size=len(tokens),
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=pad,
            decoder_start_token_id=pad,
            forced_eos_token_id=0,
        ),
        Scale(14, 0.2, 0.5, 1.5, 2.0, 2.4),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bad_words_ids": [[pad]],
            "bos_token_id": 0,
            "decoder_start_token_id": pad,
            "eos_token_id": 0,
            "forced_eos_token_id": 0,
            "max_length": 512,
            "num_beams": 6,
            "pad_token_id": pad,
            "renormalize_logits": True,
        },
    )
    _write_opus(folder, HERE / "opus", tokens[:-1], weights)


_MARIAN_ATTENTIONS = {"self": "self_attn", "context": "encoder_attn"}


def _write_opus(marian: Path, folder: Path, tokens: Sequence[str], weights: Weights) -> None:
    """Write a model as an OPUS-MT archive holds it: Marian's npz, its settings and vocabulary."""
    _empty(folder)
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(marian / name, folder / name)
    lines = [f"{json.dumps(token, ensure_ascii=False)}: {n}\n" for n, token in enumerate(tokens)]
    folder.joinpath("opus.spm.vocab.yml").write_text("".join(lines), "utf-8")
    folder.joinpath("decoder.yml").write_text(
        "relative-paths: true\nmodels:\n  - opus.npz\nvocabs:\n"
        "  - opus.spm.vocab.yml\n  - opus.spm.vocab.yml\n"
        "beam-size: 6\nnormalize: 1\nword-penalty: 0\nmini-batch: 1\n",
        "utf-8",
    )
    arrays = _marian_arrays(weights)
    settings = {
        "version": "v1.9.0",
        "type": "transformer",
        "enc-depth": SIZE.encoder_layers,
        "dec-depth": SIZE.decoder_layers,
        "dim-emb": SIZE.width,
        "dim-vocabs": [len(tokens), len(tokens)],
        "tied-embeddings-all": True,
        "transformer-heads": SIZE.heads,
        "transformer-dim-ffn": SIZE.hidden,
        "transformer-ffn-activation": "swish",
        "transformer-decoder-autoreg": "self-attention",
        "transformer-no-projection": False,
        "transformer-preprocess": "",
        "transformer-postprocess": "dan",
        "transformer-postprocess-emb": "d",
        "transformer-postprocess-top": "",
        "transformer-guided-alignment-layer": "last",
        "layer-normalization": False,
        "skip": False,
    }
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
    arrays["special:model.yml"] = np.frombuffer(text.encode() + b"\0", dtype=np.int8)
    np.savez(folder / "opus.npz", **arrays)  # type: ignore[arg-type]  # names, not keywords


def _marian_arrays(weights: Weights) -> dict[str, np.ndarray[Any, Any]]:
    """Rename weights to Marian's names; its matrices are transposed and its vectors are rows."""
    pad = -1  # Marian starts decoding from a zero vector and has no pad token
    arrays = {
        "Wemb": weights["model.shared.weight"][:pad].numpy(),
        "decoder_ff_logit_out_b": weights["final_logits_bias"][:, :pad].numpy(),
    }

    def linear(theirs: str, ours: str, suffix: str) -> None:
        arrays[f"{theirs}_W{suffix}"] = weights[f"{ours}.weight"].T.contiguous().numpy()
        arrays[f"{theirs}_b{suffix}"] = weights[f"{ours}.bias"][None].numpy()

    def norm(theirs: str, ours: str) -> None:
        arrays[f"{theirs}_ln_scale"] = weights[f"{ours}.weight"][None].numpy()
        arrays[f"{theirs}_ln_bias"] = weights[f"{ours}.bias"][None].numpy()

    for side, depth in (("encoder", SIZE.encoder_layers), ("decoder", SIZE.decoder_layers)):
        for layer in range(depth):
            theirs, ours = f"{side}_l{layer + 1}", f"model.{side}.layers.{layer}"
            for block, attention in _MARIAN_ATTENTIONS.items():
                if side == "encoder" and block == "context":
                    continue
                for suffix, part in (
                    ("q", "q_proj"),
                    ("k", "k_proj"),
                    ("v", "v_proj"),
                    ("o", "out_proj"),
                ):
                    linear(f"{theirs}_{block}", f"{ours}.{attention}.{part}", suffix)
                norm(f"{theirs}_{block}_Wo", f"{ours}.{attention}_layer_norm")
            linear(f"{theirs}_ffn", f"{ours}.fc1", "1")
            linear(f"{theirs}_ffn", f"{ours}.fc2", "2")
            norm(f"{theirs}_ffn_ffn", f"{ours}.final_layer_norm")
    return arrays


def make_m2m100(folder: Path) -> None:
    """Make an M2M-100 checkpoint: eight made-up words fill the vocabulary, as in the real one."""
    pieces = train_sentencepiece(
        folder / "sentencepiece.bpe.model", ["de", "ru", "km"], vocab_size=600, model_type="bpe"
    )
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *pieces[3:]]
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    _write_tokenizer_config(
        folder,
        "M2M100Tokenizer",
        src_lang=None,
        tgt_lang=None,
        language_codes="m2m100",
        num_madeup_words=8,
        sp_model_kwargs={},
        model_max_length=1024,
        additional_special_tokens=[f"__{code}__" for code in M2M_LANGUAGES["m2m100"]],
        **_special_tokens(bos="<s>", eos="</s>", unk="<unk>", sep="</s>", pad="<pad>"),
    )
    config = _m2m100_config(len(tokens) + len(M2M_LANGUAGES["m2m100"]) + 8)
    write_model(
        folder,
        "M2M100ForConditionalGeneration",
        {**config, "max_position_embeddings": 1024},
        Scale(4, 0.2, 0.5, 1.0, 2.0, 2.2),
        rare=range(len(tokens), config["vocab_size"]),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": 0,
            "decoder_start_token_id": 2,
            "early_stopping": True,
            "eos_token_id": 2,
            "max_length": 200,
            "num_beams": 5,
            "pad_token_id": 1,
        },
    )


def _m2m100_config(vocabulary: int) -> dict[str, Any]:
    return _bart_like(
        model_type="m2m_100",
        activation_function="relu",
        scale_embedding=True,
        vocab_size=vocabulary,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )


def make_nllb(folder: Path) -> None:
    """Make an NLLB checkpoint: all languages, and two vectors more than tokens, as the real one."""
    pieces = train_sentencepiece(
        folder / "sentencepiece.bpe.model", ["de", "ru", "km"], vocab_size=600, model_type="bpe"
    )
    _write_tokenizer_config(
        folder,
        "NllbTokenizer",
        src_lang=None,
        tgt_lang=None,
        sp_model_kwargs={},
        model_max_length=1024,
        additional_special_tokens=list(NLLB_LANGUAGES),
        **_special_tokens(
            bos="<s>", eos="</s>", unk="<unk>", sep="</s>", pad="<pad>", cls="<s>", mask="<mask>"
        ),
    )
    config = _m2m100_config(len(pieces) + 1 + len(NLLB_LANGUAGES) + 1 + 2)
    write_model(
        folder,
        "M2M100ForConditionalGeneration",
        {**config, "max_position_embeddings": 1024, "tokenizer_class": "NllbTokenizer"},
        Scale(5, 0.2, 0.5, 1.0, 2.0, 2.2),
        rare=range(len(pieces) + 1, config["vocab_size"]),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": 0,
            "decoder_start_token_id": 2,
            "eos_token_id": 2,
            "max_length": 200,
            "pad_token_id": 1,
        },
    )


def make_madlad(folder: Path) -> None:
    """Make a T5 v1.1 checkpoint as MADLAD-400 is: own output matrix, decoding starts at <unk>."""
    pieces = train_sentencepiece(
        folder / "spiece.model",
        ["de", "ru", "km"],
        vocab_size=500,
        user_defined_symbols=["<2de>", "<2en>", "<2km>", "<2ru>"],
    )
    _write_tokenizer_config(
        folder,
        "T5Tokenizer",
        extra_ids=0,
        sp_model_kwargs={},
        model_max_length=1000000000000000019884624838656,
        additional_special_tokens=[],
        **_special_tokens(bos="<s>", eos="</s>", unk="<unk>", pad="<s>"),
    )
    write_model(
        folder,
        "T5ForConditionalGeneration",
        {
            "model_type": "t5",
            "d_model": SIZE.width,
            "d_ff": SIZE.hidden,
            "d_kv": SIZE.width // SIZE.heads,
            "num_heads": SIZE.heads,
            "num_layers": SIZE.encoder_layers,
            "num_decoder_layers": SIZE.decoder_layers,
            "feed_forward_proj": "gated-gelu",
            "is_encoder_decoder": True,
            "layer_norm_epsilon": 1e-06,
            "n_positions": 512,
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "tie_word_embeddings": False,
            "use_cache": True,
            "vocab_size": len(pieces),
            "decoder_start_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
        },
        Scale(1, 0.2, 0.5, 0.5, 2.0, 2.6),
        rare=range(3, 7),
    )
    write_json(
        folder / "generation_config.json",
        {"decoder_start_token_id": 0, "eos_token_id": 2, "pad_token_id": 1},
    )


def make_bart(folder: Path) -> None:
    """Make a BART checkpoint as DistilBART-CNN is, whose last token, <mask>, has no vector."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        sentences("en"),
        vocab_size=500,
        min_frequency=2,
        show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
    )
    tokenizer.save_model(str(folder))
    vocabulary = tokenizer.get_vocab()
    write_json(
        folder / "vocab.json",
        {**dict(sorted(vocabulary.items(), key=lambda item: item[1])), "<mask>": len(vocabulary)},
    )
    _write_tokenizer_config(
        folder,
        "BartTokenizer",
        add_prefix_space=False,
        model_max_length=1024,
        **_special_tokens(
            bos="<s>", eos="</s>", unk="<unk>", sep="</s>", pad="<pad>", cls="<s>", mask="<mask>"
        ),
    )
    write_model(
        folder,
        "BartForConditionalGeneration",
        _bart_like(
            model_type="bart",
            activation_function="gelu",
            add_bias_logits=False,
            add_final_layer_norm=False,
            normalize_before=False,
            normalize_embedding=True,
            scale_embedding=False,
            max_position_embeddings=128,
            vocab_size=len(vocabulary),
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_bos_token_id=0,
            forced_eos_token_id=2,
        ),
        Scale(1, 0.2, 0.5, 1.0, 2.0, 2.0),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": 0,
            "decoder_start_token_id": 2,
            "early_stopping": True,
            "eos_token_id": 2,
            "forced_bos_token_id": 0,
            "forced_eos_token_id": 2,
            "length_penalty": 2.0,
            "max_length": 142,
            "min_length": 56,
            "no_repeat_ngram_size": 3,
            "num_beams": 4,
            "pad_token_id": 1,
        },
    )


def make_pegasus(folder: Path) -> None:
    """Make a PEGASUS checkpoint: its token ids are its pieces' plus 103, kept for pretraining."""
    offset = 103
    pieces = train_sentencepiece(
        folder / "spiece.model", ["en"], vocab_size=400, pad_id=0, eos_id=1, unk_id=2, bos_id=-1
    )
    _write_tokenizer_config(
        folder,
        "PegasusTokenizer",
        offset=offset,
        sp_model_kwargs={},
        model_max_length=1024,
        mask_token_sent="<mask_1>",  # noqa: S106  # a token of text
        additional_special_tokens=["<mask_1>", *(f"<unk_{n}>" for n in range(2, offset))],
        **_special_tokens(eos="</s>", unk="<unk>", pad="<pad>", mask="<mask_2>"),
    )
    write_model(
        folder,
        "PegasusForConditionalGeneration",
        _bart_like(
            model_type="pegasus",
            activation_function="relu",
            add_bias_logits=False,
            add_final_layer_norm=True,
            normalize_before=True,
            normalize_embedding=False,
            scale_embedding=True,
            static_position_embeddings=True,
            max_position_embeddings=128,
            vocab_size=len(pieces) + offset,
            bos_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
            forced_eos_token_id=1,
        ),
        Scale(2, 0.2, 0.8, 1.0, 2.0, 2.2),
        rare=range(2, 2 + offset),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": 0,
            "decoder_start_token_id": 0,
            "eos_token_id": 1,
            "forced_eos_token_id": 1,
            "length_penalty": 0.8,
            "max_length": 128,
            "min_length": 32,
            "num_beams": 8,
            "pad_token_id": 0,
        },
    )


def make_gemma(folder: Path) -> None:
    """Make a checkpoint of Gemma 3, with the pieces that the service's prompt needs."""
    pieces = train_sentencepiece(
        folder / "tokenizer.model",
        ["de", "ru", "km", "en"],
        normalised=False,
        model_type="bpe",
        vocab_size=900,
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_digits=True,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
        user_defined_symbols=["<start_of_turn>", "<end_of_turn>"],
    )
    _write_tokenizer_config(
        folder,
        "GemmaTokenizer",
        add_bos_token=True,
        add_eos_token=False,
        sp_model_kwargs={},
        model_max_length=1000000000000000019884624838656,
        additional_special_tokens=["<start_of_turn>", "<end_of_turn>"],
        **_special_tokens(bos="<bos>", eos="<eos>", unk="<unk>", pad="<pad>"),
    )
    write_model(
        folder,
        "Gemma3ForCausalLM",
        {
            "model_type": "gemma3_text",
            "hidden_size": SIZE.width,
            "intermediate_size": SIZE.hidden,
            "num_hidden_layers": 3,
            "num_attention_heads": SIZE.heads,
            "num_key_value_heads": 1,
            "head_dim": SIZE.width // SIZE.heads,
            "hidden_activation": "gelu_pytorch_tanh",
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
            "max_position_embeddings": 512,
            "query_pre_attn_scalar": SIZE.width // SIZE.heads,
            "rms_norm_eps": 1e-06,
            "rope_theta": 1_000_000.0,
            "rope_local_base_freq": 10_000.0,
            "sliding_window": 512,
            "tie_word_embeddings": True,
            "use_cache": True,
            "vocab_size": len(pieces),
            "pad_token_id": 0,
            "eos_token_id": 1,
            "bos_token_id": 2,
        },
        Scale(1, 0.2, 0.5, 1.0, 2.0, 2.2),
        rare=range(4, 6),
    )
    write_json(
        folder / "generation_config.json",
        {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0},
    )


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


class Family(NamedTuple):
    """A checkpoint and how its text is generated.

    `greedy` and `beam` are options of Transformers' `generate`, beside those of the checkpoint's
    own `generation_config.json`; `ctranslate2` holds those of `Translator.translate_batch` which
    give the same tokens.
    """

    name: str
    make: Callable[[Path], None]
    cases: Callable[[], list[Case]]
    beam: Mapping[str, Any]
    ctranslate2: Mapping[str, Any]
    common: Mapping[str, Any] = MappingProxyType({})
    prompt: str = ""
    codes: Mapping[str, str] = MappingProxyType({})
    """The tokenizer's names of languages by ISO 639-1 code, where it writes them itself."""
    suffix: str = ""
    """What ends the prompt of a model without an encoder, which goes on from there."""


FAMILIES = (
    Family(
        "marian",
        make_marian,
        german_cases,
        beam={"length_penalty": 1.0},
        common={"forced_eos_token_id": None},
        ctranslate2={"max_decoding_length": MAX_LENGTH - 1, "min_decoding_length": 0},
    ),
    Family(
        "m2m100",
        make_m2m100,
        mixed_cases,
        beam={"length_penalty": 1.0},
        common={"min_length": 3, "renormalize_logits": True},
        ctranslate2={
            "max_decoding_length": MAX_LENGTH - 1,
            "min_decoding_length": 2,
            "target_prefix": ["__en__"],
        },
        codes={"de": "de", "en": "en", "km": "km", "ru": "ru"},
    ),
    Family(
        "nllb",
        make_nllb,
        mixed_cases,
        beam={"length_penalty": 1.0},
        common={"min_length": 3, "renormalize_logits": True},
        ctranslate2={
            "max_decoding_length": MAX_LENGTH - 1,
            "min_decoding_length": 2,
            "target_prefix": ["eng_Latn"],
        },
        codes={"de": "deu_Latn", "en": "eng_Latn", "km": "khm_Khmr", "ru": "rus_Cyrl"},
    ),
    Family(
        "madlad",
        make_madlad,
        mixed_cases,
        beam={"length_penalty": 1.0},
        ctranslate2={"max_decoding_length": MAX_LENGTH - 1, "min_decoding_length": 0},
        prompt="<2en> ",
    ),
    Family(
        "bart",
        make_bart,
        english_cases,
        beam={"length_penalty": 2.0},
        common={"min_length": 12, "forced_eos_token_id": None, "renormalize_logits": True},
        ctranslate2={
            "max_decoding_length": MAX_LENGTH - 1,
            "min_decoding_length": 11,
            "no_repeat_ngram_size": 3,
            "target_prefix": ["<s>"],
        },
    ),
    Family(
        "pegasus",
        make_pegasus,
        english_cases,
        beam={"length_penalty": 0.8},
        common={"min_length": 8, "forced_eos_token_id": None, "renormalize_logits": True},
        ctranslate2={"max_decoding_length": MAX_LENGTH - 1, "min_decoding_length": 7},
    ),
    Family(
        "gemma",
        make_gemma,
        mixed_cases,
        beam={"length_penalty": 1.0},
        common={"max_length": None, "max_new_tokens": MAX_LENGTH - 1},
        ctranslate2={
            "end_token": "<eos>",
            "include_prompt_in_result": False,
            "max_length": MAX_LENGTH - 1,
            "sampling_topk": 1,
        },
        suffix="<start_of_turn>",
    ),
)


def generation(family: Family) -> dict[str, dict[str, Any]]:
    """Return the options of Transformers for both ways of decoding."""
    common = {"do_sample": False, "max_length": MAX_LENGTH, **family.common}
    return {
        "greedy": {**common, "num_beams": 1},
        "beam": {**common, "num_beams": BEAMS, "early_stopping": True, **family.beam},
    }


def ctranslate2_options(family: Family) -> dict[str, dict[str, Any]]:
    """Return the options of CTranslate2 for both ways of decoding."""
    common = {"return_end_token": True, **family.ctranslate2}
    return {
        "greedy": {**common, "beam_size": 1},
        "beam": {**common, "beam_size": BEAMS, "patience": 1.0, **family.beam},
    }


def expect(family: Family) -> dict[str, Any]:
    """Return the inputs of a family with what Transformers writes for them."""
    folder = HERE / family.name
    tokenizer = AutoTokenizer.from_pretrained(folder)
    auto = AutoModelForCausalLM if family.suffix else AutoModelForSeq2SeqLM
    model = auto.from_pretrained(folder, dtype=torch.float32).eval()
    options = generation(family)
    cases = []
    for case in family.cases():
        if family.codes:
            tokenizer.src_lang = family.codes[case.language]
        inputs = tokenizer(family.prompt + case.text + family.suffix, return_tensors="pt")
        outputs = {
            name: generate(model, tokenizer, inputs, {**chosen, **_target(family, tokenizer)})
            for name, chosen in options.items()
        }
        cases.append({**case._asdict(), "source": inputs["input_ids"][0].tolist(), **outputs})
    return {
        "prompt": family.prompt,
        "codes": dict(family.codes),
        "generate": options,
        "ctranslate2": ctranslate2_options(family),
        "cases": cases,
    }


def _target(family: Family, tokenizer: Any) -> dict[str, int]:
    if not family.codes:
        return {}
    token = family.ctranslate2["target_prefix"][0]
    return {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(token)}


def generate(
    model: Any, tokenizer: Any, inputs: Mapping[str, torch.Tensor], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the ids after the prompt or start token, with the end token if there is one, as text.

    Raises:
        ValueError: two tokens are as good as each other, so that rounding would choose.
    """
    with torch.inference_mode():
        output = model.generate(
            **inputs, **options, output_scores=True, return_dict_in_generate=True
        )
    prompt = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    ids = output.sequences[0].tolist()[prompt:]
    best = torch.stack([scores[0].topk(2).values for scores in output.scores])
    if options["num_beams"] == 1 and (best[:, 0] - best[:, 1]).min() < _MARGIN:
        raise ValueError(f"a tie in {tokenizer.decode(ids)!r}: take another seed")
    return {"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True)}


def write_expected(path: Path, families: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what is expected, a line for each case."""
    lines = [f'{{"transformers": {json.dumps(transformers.__version__)}, "families": {{']
    for number, (name, family) in enumerate(families.items()):
        *head, (_, cases) = family.items()
        lines.append(f"{',' if number else ''}{json.dumps(name)}: {{")
        lines += [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head]
        written = (json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
        lines += ['"cases": [', ",\n".join(written), "]}"]
    path.write_text("\n".join([*lines, "}}"]) + "\n", "utf-8")


def main() -> None:
    """Make everything anew."""
    torch.set_num_threads(1)
    for family in FAMILIES:
        _empty(HERE / family.name)
        family.make(HERE / family.name)
    write_expected(HERE / "expected.json", {family.name: expect(family) for family in FAMILIES})


if __name__ == "__main__":
    main()

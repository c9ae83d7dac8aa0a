"""Translation and summaries by encoder-decoder models, through CTranslate2."""

from collections.abc import Sequence
from pathlib import Path

import ctranslate2

from depesche.errors import ModelError
from depesche.inference.backend import Hypothesis
from depesche.inference.codecs import Rules, make_codec
from depesche.types import Language

__all__ = ["Seq2SeqBackend"]

_END = "</s>"

# As for the embedded model; see gemma.py.
_EXPANSION = 2
_SHORT_REPLY = 20


class Seq2SeqBackend:
    """One model of the families MarianMT, M2M-100, NLLB, MADLAD, BART or PEGASUS.

    Search means what it does in Transformers: a beam stops when it has as many finished hypotheses
    as it is wide (`early_stopping=True`), and scores are divided by length to the power of the
    penalty. A beam narrower than the model's own, as its authors set it, isn't used.
    """

    def __init__(
        self,
        path: Path,
        rules: Rules,
        *,
        workers: int,
        threads_per_worker: int,
        max_source_tokens: int,
        max_target_tokens: int,
        shortens: bool = False,
        compute_type: str = "default",
    ) -> None:
        """Load the model.

        Args:
            path: folder of the converted model and its tokenizer.
            rules: what it must be told, and how it writes.
            workers: batches that run at once.
            threads_per_worker: CPU threads of each.
            max_source_tokens: longest segment, marks included.
            max_target_tokens: tokens after which an output is cut off.
            shortens: whether its output is shorter than its source by its nature, so that the
                source's length says nothing of loops.
            compute_type: as CTranslate2 names them; `default` computes as the weights are stored,
                or by the nearest that this CPU can.

        Raises:
            ModelError: the files can't be loaded.
        """
        self.max_source_tokens = max_source_tokens
        self._max_target_tokens = max_target_tokens
        self._shortens = shortens
        self._rules = rules
        self._path = path
        try:
            self._codec = make_codec(path, rules)
            self._translator = ctranslate2.Translator(
                str(path),
                device="cpu",
                compute_type=compute_type,
                inter_threads=workers,
                intra_threads=threads_per_worker,
            )
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"the model in {path} can't be loaded: {error}") from error

    @property
    def quantisation(self) -> str:
        """The compute type that CTranslate2 chose for this CPU."""
        return str(self._translator.compute_type)

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:
        """Cut one segment into source tokens, with the marks that the model wants."""
        return self._codec.encode(text, language)

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate or shorten a batch; see `TranslationBackend`."""
        rules, prefix = self._rules, list(self._codec.prefix)
        limit = self._limit(batch)
        # An end right after the prefix is what CTranslate2 and Transformers differ in.
        least = max(rules.min_target_tokens, 1 if prefix else 0)
        results = self._translator.translate_batch(
            [list(tokens) for tokens in batch],
            target_prefix=[prefix] * len(batch) if prefix else None,
            max_input_length=0,
            max_decoding_length=len(prefix) + limit + 1,
            min_decoding_length=len(prefix) + least,
            beam_size=max(beam_size, rules.beam_size),
            patience=1.0,
            length_penalty=rules.length_penalty,
            no_repeat_ngram_size=rules.no_repeat_ngram_size,
            return_scores=True,
            return_end_token=True,
        )
        return [self._hypothesis(r.hypotheses[0], float(r.scores[0])) for r in results]

    def unload(self) -> None:
        """Free the weights' memory; see `ReloadableBackend`."""
        self._translator.unload_model()

    def reload(self) -> None:
        """Read the weights again; see `ReloadableBackend`."""
        try:
            self._translator.load_model()
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"the model in {self._path} can't be loaded: {error}") from error

    def close(self) -> None:
        """Free the model's memory."""
        self._translator.unload_model()

    def _limit(self, batch: Sequence[Sequence[str]]) -> int:
        """Tell after how many tokens an output is cut off, so that no loop holds others up."""
        if self._shortens:
            return self._max_target_tokens
        longest = max(len(tokens) for tokens in batch)
        return min(self._max_target_tokens, _EXPANSION * longest + _SHORT_REPLY)

    def _hypothesis(self, tokens: Sequence[str], score: float) -> Hypothesis:
        ended = tokens[-1:] == [_END]
        written = tokens[len(self._codec.prefix) : len(tokens) - ended]
        length = max(1, len(tokens))
        return Hypothesis(
            text=self._codec.decode(written),
            score=score * length ** (self._rules.length_penalty - 1),
            tokens=len(written),
            truncated=not ended,
        )

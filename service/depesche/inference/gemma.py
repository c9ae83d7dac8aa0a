"""Translation by a Gemma decoder fine-tuned on sentence pairs, through CTranslate2."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import ctranslate2
import sentencepiece

from depesche.errors import ModelError
from depesche.inference.backend import Hypothesis
from depesche.types import Language

__all__ = ["GemmaBackend"]

_BOS = "<bos>"
_EOS = "<eos>"
_TURN = "<start_of_turn>"
_CONTROL = frozenset({_BOS, _EOS, _TURN})

# English takes fewer tokens than its source as a rule, twice as many hardly ever; a very short
# source may need some more.
_EXPANSION = 2
_SHORT_REPLY = 20

_SOURCE_LETTER = re.compile(r"[\u0400-\u052f\u1780-\u17ff]")
"""Cyrillic or Khmer, which no English sentence holds."""


class GemmaBackend:
    """One decoder for all languages; prompt `<bos> source <start_of_turn>`, reply `English <eos>`.

    A batch of prompts of unequal length costs a step for each token by which they differ, since
    CTranslate2 takes in at once only what the shortest prompt holds. Batches should therefore be
    cut from segments of like length, and a beam is best run on one segment at a time.
    """

    def __init__(
        self,
        path: Path,
        *,
        workers: int,
        threads_per_worker: int,
        max_source_tokens: int,
        max_target_tokens: int,
        compute_type: str = "int8",
    ) -> None:
        """Load the model.

        Args:
            path: folder of the converted model and its `sentencepiece.model`.
            workers: batches that run at once.
            threads_per_worker: CPU threads of each.
            max_source_tokens: longest segment, in pieces.
            max_target_tokens: tokens after which a reply is cut off.
            compute_type: as CTranslate2 names them.

        Raises:
            ModelError: the files can't be loaded.
        """
        self.max_source_tokens = max_source_tokens
        self._max_target_tokens = max_target_tokens
        self._path = path
        try:
            self._pieces = sentencepiece.SentencePieceProcessor(
                model_file=str(path / "sentencepiece.model")
            )
            self._generator = ctranslate2.Generator(
                str(path),
                device="cpu",
                compute_type=compute_type,
                inter_threads=workers,
                intra_threads=threads_per_worker,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"the model in {path} can't be loaded: {error}") from error
        self._foreign = [[piece] for piece in self._all_pieces() if _SOURCE_LETTER.search(piece)]

    def _all_pieces(self) -> Iterator[str]:
        return map(self._pieces.id_to_piece, range(self._pieces.get_piece_size()))

    @property
    def quantisation(self) -> str:
        """The compute type that CTranslate2 chose for this CPU."""
        return str(self._generator.compute_type)

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:  # noqa: ARG002
        """Cut one segment into SentencePiece pieces."""
        return list(self._cut(text))

    def _cut(self, text: str) -> Iterator[str]:
        """Give the pieces, with names of control tokens in the text as text."""
        for piece in self._pieces.encode(text, out_type=str):
            if piece in _CONTROL:
                yield from self._pieces.encode(piece[:1], out_type=str)
                yield from self._pieces.encode(piece[1:], out_type=str)
            else:
                yield piece

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch; see `TranslationBackend`."""
        limit = self._limit(batch)
        # Letters of the source in the English are a reason to search anew by a beam, which must not
        # leave them there again.
        foreign = self._foreign if beam_size > 1 else None
        results = self._generator.generate_batch(
            [[_BOS, *tokens, _TURN] for tokens in batch],
            beam_size=beam_size,
            sampling_topk=1,
            max_length=limit,
            include_prompt_in_result=False,
            end_token=_EOS,
            suppress_sequences=foreign,
            return_scores=True,
        )
        return [self._hypothesis(result, limit) for result in results]

    def _limit(self, batch: Sequence[Sequence[str]]) -> int:
        """Tell after how many tokens a reply is cut off, so that no loop holds others up."""
        longest = max(len(tokens) for tokens in batch)
        return min(self._max_target_tokens, _EXPANSION * longest + _SHORT_REPLY)

    def _hypothesis(self, result: ctranslate2.GenerationResult, limit: int) -> Hypothesis:
        ids = result.sequences_ids[0]
        return Hypothesis(
            text=self._pieces.decode(ids).strip(),
            score=float(result.scores[0]),
            tokens=len(ids),
            # The end token is never among the ids, so a full reply is one that was cut off.
            truncated=len(ids) >= limit,
        )

    def unload(self) -> None:
        """Free the weights' memory; see `ReloadableBackend`."""
        self._generator.unload_model()

    def reload(self) -> None:
        """Read the weights again; see `ReloadableBackend`."""
        try:
            self._generator.load_model()
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"the model in {self._path} can't be loaded: {error}") from error

    def close(self) -> None:
        """Free the model's memory."""
        self._generator.unload_model()

"""The service with a model of OPUS-MT's shape in place of the embedded one.

    python bench/marian_server.py MODEL PIECES

Run by bench/against_libretranslate.py. MODEL is a folder of CTranslate2, PIECES a SentencePiece
model. All is searched as Argos Translate searches, so that only the serving differs.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import sentencepiece

from depesche.config import Settings, load_settings
from depesche.inference.backend import Hypothesis
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModels, worker_count
from depesche.models.store import ModelStore
from depesche.server.app import serve
from depesche.types import ModelIdentity

_BEAM = 4
"""`ARGOS_BEAM_SIZE` by default."""

_LENGTH_PENALTY = 0.2
"""As in `argostranslate.translate.apply_packaged_translation`, and so is `replace_unknowns`."""

_MAX_SOURCE_TOKENS = 500
"""The model has 512 positions; lines are decoded whole, as Argos Translate does."""

_MAX_TARGET_TOKENS = 256
"""CTranslate2's own limit, which Argos Translate leaves as it is."""


class MarianBackend:
    """An encoder and decoder that searches by a beam whatever is asked for."""

    max_source_tokens = _MAX_SOURCE_TOKENS

    def __init__(self, model: Path, pieces: Path, *, workers: int, threads: int) -> None:
        """Load the model.

        Args:
            model: folder of the converted model.
            pieces: its SentencePiece model.
            workers: batches that run at once.
            threads: CPU threads of each.
        """
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
        self._translator = ctranslate2.Translator(
            str(model), device="cpu", inter_threads=workers, intra_threads=threads
        )

    @property
    def quantisation(self) -> str:
        """The compute type that CTranslate2 chose for this CPU."""
        return str(self._translator.compute_type)

    def tokenize(self, text: str) -> list[str]:
        """Cut one segment into SentencePiece pieces."""
        pieces: list[str] = self._pieces.encode(text, out_type=str)
        return pieces

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch; see `TranslationBackend`."""
        del beam_size
        results = self._translator.translate_batch(
            batch,
            beam_size=_BEAM,
            length_penalty=_LENGTH_PENALTY,
            max_decoding_length=_MAX_TARGET_TOKENS,
            replace_unknowns=True,
            return_scores=True,
        )
        return [self._hypothesis(result) for result in results]

    def _hypothesis(self, result: ctranslate2.TranslationResult) -> Hypothesis:
        tokens = result.hypotheses[0]
        return Hypothesis(
            text=self._pieces.decode_pieces(tokens).strip(),
            score=float(result.scores[0]),
            tokens=len(tokens),
            truncated=len(tokens) >= _MAX_TARGET_TOKENS,
        )

    def close(self) -> None:
        """Free the model's memory."""
        self._translator.unload_model()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("pieces", type=Path, help="its SentencePiece model")
    arguments = parser.parse_args()

    def load(settings: Settings, _store: ModelStore) -> LoadedModels:
        backend = MarianBackend(
            arguments.model,
            arguments.pieces,
            workers=worker_count(settings),
            threads=settings.threads_per_worker,
        )
        identity = ModelIdentity("translation", "marian", "0", "", backend.quantisation, "")
        return LoadedModels.of(backend, FakeEncoder(), identity, identity)

    asyncio.run(serve(load_settings(), loader=load))


if __name__ == "__main__":
    main()

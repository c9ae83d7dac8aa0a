"""One generation of loaded models, with their queues and the pipeline on them."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from depesche.abstract import Abstractor, Abstractors
from depesche.brief import Briefer
from depesche.config import Settings
from depesche.errors import ModelError, QueueFull
from depesche.inference.encoder_queue import EncoderQueue
from depesche.inference.memory import release_free_memory
from depesche.inference.observer import Observer, QueueStatistics
from depesche.inference.queue import Ask, SegmentQueue
from depesche.inference.resident import Resident
from depesche.inference.slots import Slots
from depesche.key_sentences import KeySentences
from depesche.loading import LoadedModel, LoadedModels
from depesche.summarise import Summariser
from depesche.text import language
from depesche.translate import Translator, Translators
from depesche.types import BriefOptions, Language, Release, SummaryStrategy

__all__ = ["Generation"]

_TOKENS_PER_CHARACTER = 0.3
"""Source tokens a character, about: German and Russian have 0.23, Khmer 0.5."""

# Of some 40 tokens each, so that batches are full with a few of them.
_WARM_UP = {
    Language.GERMAN: "Die Stadtverwaltung teilte am Montag mit, dass die neue Brücke über den Fluss"
    " nach drei Jahren Bauzeit im kommenden Frühjahr für den Verkehr geöffnet werden soll.",
    Language.KHMER: "រដ្ឋបាលក្រុងបានប្រកាសកាលពីថ្ងៃចន្ទថា ស្ពានថ្មីឆ្លងកាត់ទន្លេនឹងបើកឱ្យប្រើប្រាស់នៅឆ្នាំក្រោយ។",
    Language.RUSSIAN: "Городская администрация сообщила в понедельник, что новый мост через реку"
    " после трёх лет строительства откроют для движения будущей весной.",
    Language.ENGLISH: "The city council said on Monday that the new bridge across the river will be"
    " opened to traffic next spring after three years of construction.",
}
# Idle models are looked for so often within the time after which they are unloaded.
_LOOKS = 4


class Generation:
    """Loaded models that run, until nobody uses them any more; used on one event loop.

    Attributes:
        models: the models.
        translators: the way to each language's English.
        abstractors: the ways to summaries in sentences of their own.
        briefer: the pipeline.
    """

    def __init__(
        self, models: LoadedModels, settings: Settings, slots: Slots, observer: Observer
    ) -> None:
        """Put queues before the models; needs a running event loop.

        Args:
            models: the models; closed by `aclose`.
            settings: the service's settings.
            slots: the CPU's places, for all models.
            observer: told what inference does.
        """
        self.models = models
        self._settings = settings
        self._slots = slots
        self._observer = observer
        self._queues = {name: self._queue(name, model) for name, model in models.writers.items()}
        self._encoder = EncoderQueue(models.encoding.name, models.encoder, slots, observer)
        self.translators = Translators(
            {name: self._translator(name, model) for name, model in models.translators.items()},
            models.routes,
        )
        self.abstractors = Abstractors(
            {
                name: Abstractor(self._queues[name], model.backend, model.identity, model.decoding)
                for name, model in models.summarisers.items()
            },
            models.summariser,
        )
        key_sentences = KeySentences(Summariser(self._encoder, models.encoding), self.abstractors)
        self.briefer = Briefer(self.translators, key_sentences, settings.max_sentences)
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._unloading = asyncio.create_task(self._unload_idle())

    async def warm(self) -> None:
        """Run each model once, so that the first caller doesn't pay for their set-up.

        Every worker gets a full batch at once: what doesn't fit the memory fails now, and not in
        the midst of calls; and the rate that is learnt is that of full batches. A summary model
        gets a text as long as it can read.

        Raises:
            ModelError: a model can't run what it is said to.
        """
        for name, model in self.models.writers.items():
            try:
                await self._warm(name, model)
            except RuntimeError as error:  # CTranslate2's, say of too long an input
                raise ModelError(f"model '{name}' can't run a full batch: {error}") from error
        await asyncio.to_thread(self.models.encoder.encode, [_WARM_UP[Language.ENGLISH]])
        await asyncio.to_thread(language.detect, _WARM_UP[Language.GERMAN])
        release_free_memory()

    async def _warm(self, name: str, model: LoadedModel) -> None:
        source = min(model.languages)
        text = _WARM_UP[source]
        tokens = max(1, len(model.backend.tokenize(text, source)))
        if name in self.models.summarisers:
            times = max(1, model.backend.max_source_tokens // tokens)
            text, tokens = " ".join([text] * times), times * tokens
        segments = self._slots.count * max(1, self._settings.batch_tokens // tokens)
        async for _ in self._queues[name].translate([text] * segments, Ask(language=source)):
            pass

    @contextmanager
    def reserve(self, release: Release, options: BriefOptions, ask: Ask) -> Iterator[Ask]:
        """Hold room in the models' queues while a release is read, or refuse it.

        Where its language isn't told, its script decides which queue that is.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
            FeatureUnavailable: no such model as the options name is loaded.
        """
        tokens = round(len(release.text) * _TOKENS_PER_CHARACTER)
        with ExitStack() as held:
            if options.strategy is SummaryStrategy.ABSTRACTIVE:
                ask = self._reserve_summary(held, tokens, options, ask)
            if queue := self._translation_queue(release, options):
                ask = held.enter_context(queue.reserve(tokens, ask))
            yield ask

    def _reserve_summary(
        self, held: ExitStack, tokens: int, options: BriefOptions, ask: Ask
    ) -> Ask:
        """Hold room before a summary model; without it, sentences will be chosen if need be."""
        abstractor = self.abstractors.find(options.summary_model)
        try:
            summary = held.enter_context(abstractor.reserve(tokens, ask))
        except QueueFull:
            if not ask.may_vary:
                raise
            return ask
        return replace(ask, summary_room=summary.room)

    def _translation_queue(self, release: Release, options: BriefOptions) -> SegmentQueue | None:
        """Find where a release will wait; None where nothing of it will, or reading tells why."""
        if release.language is Language.ENGLISH:
            self._encoder.admit()
            return None
        if options.translation_model:
            self.translators.named(options.translation_model)
        source = release.language or language.guess(release.text)
        name = options.translation_model or self.models.routes.get(source, "")
        return self._queues[name] if name else None

    def statistics(self) -> dict[str, QueueStatistics]:
        """Tell what waits before each model now."""
        return {name: queue.statistics() for name, queue in self._queues.items()}

    def is_in_memory(self, name: str) -> bool:
        """Tell whether a loaded model's weights are in memory; False for one that isn't loaded."""
        if name == self.models.encoding.name:
            return True
        model = self.models.writers.get(name)
        if model is None:
            return False
        return not isinstance(model.backend, Resident) or model.backend.loaded

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep the models for as long as the context lasts."""
        self._users += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()
                release_free_memory()

    def hurry(self) -> None:
        """Let an `aclose` that waits go on."""
        self._idle.set()

    async def aclose(self, *, wait: bool = True) -> None:
        """Free the models, once nobody uses them any more if `wait`."""
        if wait:
            await self._idle.wait()
        self._unloading.cancel()
        for queue in self._queues.values():
            await queue.aclose()
        self.models.close()

    def _queue(self, name: str, model: LoadedModel) -> SegmentQueue:
        return SegmentQueue(
            name,
            model.backend,
            workers=self._slots.count,
            batch_tokens=self._settings.batch_tokens,
            batch_seconds=self._settings.batch_seconds,
            capacity=self._settings.queue_segments,
            slots=self._slots,
            observer=self._observer,
        )

    def _translator(self, name: str, model: LoadedModel) -> Translator:
        return Translator(
            self._queues[name],
            model.backend,
            model.identity,
            model.languages,
            beam_size=self._settings.beam_size,
            decode_again=self._settings.decode_again,
            least_score=model.least_score,
        )

    async def _unload_idle(self) -> None:
        """Unload models that nobody has used for the time that is set."""
        seconds = self._settings.idle_seconds
        backends = [model.backend for model in self.models.writers.values()]
        while seconds:
            await asyncio.sleep(seconds / _LOOKS)
            for backend in backends:
                if isinstance(backend, Resident):
                    await asyncio.to_thread(backend.unload_if_idle, seconds)
                    release_free_memory()

"""The pipeline with its models loaded: what the commands and the server share."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeAlias

from depesche.brief import Briefer, Started
from depesche.config import Settings
from depesche.errors import (
    ConfigurationError,
    FeatureUnavailable,
    ModelUnknown,
    NotReady,
    ShuttingDown,
)
from depesche.inference.backend import TranslationBackend
from depesche.inference.cpu import available_cpus
from depesche.inference.encoder import CTranslateEncoder, SentenceEncoder
from depesche.inference.encoder_queue import EncoderQueue
from depesche.inference.gemma import GemmaBackend
from depesche.inference.memory import limit_heaps, release_free_memory
from depesche.inference.observer import NULL_OBSERVER, Observer, QueueStatistics
from depesche.inference.queue import Ask, SegmentQueue
from depesche.inference.slots import Slots
from depesche.models.manifest import Installed, ModelSpec
from depesche.models.store import ModelStore
from depesche.summarise import Summariser
from depesche.text import language
from depesche.translate import Translator
from depesche.types import (
    Brief,
    BriefOptions,
    Detection,
    Language,
    ModelIdentity,
    Release,
    Sentence,
    Signature,
    SummaryStrategy,
    Timings,
    Translation,
)
from depesche.validation import check_options, check_release

__all__ = [
    "Engine",
    "LoadedModels",
    "Loader",
    "ModelState",
    "ModelStatus",
    "Summary",
    "TranslatedRelease",
    "load_models",
    "worker_count",
]


_TOKENS_PER_CHARACTER = 0.3
"""Source tokens a character, about: German and Russian have 0.23, Khmer 0.5."""

_WARM_UP_SEGMENTS = 5  # 90 tokens, one batch even by the first guess of the rate
_WARM_UP = "Guten Morgen, dies ist ein Satz, an dem sich die Modelle warm laufen."


class ModelState(StrEnum):
    """What a model of the manifest is doing."""

    ABSENT = "absent"
    PRESENT = "present"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model of the manifest and its state.

    Attributes:
        name: its name.
        task: `translation` or `summary`.
        revision: its revision.
        languages: ISO 639-1 codes that it reads.
        licence: SPDX expression.
        digest: SHA-256 of its weights.
        quantisation: compute type in use, or the stored one.
        size_bytes: size of all its files.
        state: what it is doing.
    """

    name: str
    task: str
    revision: str
    languages: tuple[str, ...]
    licence: str
    digest: str
    quantisation: str
    size_bytes: int
    state: ModelState


@dataclass(frozen=True, slots=True)
class TranslatedRelease:
    """A release in English, without a brief."""

    detection: Detection
    translations: tuple[Translation, ...]
    signature: Signature
    timings: Timings


@dataclass(frozen=True, slots=True)
class Summary:
    """Key sentences of an English text, in document order."""

    sentences: tuple[Sentence, ...]
    signature: Signature
    timings: Timings


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The models that a pipeline runs on, and what exactly they are."""

    backend: TranslationBackend
    encoder: SentenceEncoder
    translation: ModelIdentity
    summary: ModelIdentity


# Verifies and loads the models that the settings name; blocks, and raises ModelError.
Loader: TypeAlias = Callable[[Settings, ModelStore], LoadedModels]


class Engine:
    """The pipeline, ready to run; made by `Engine.load`, used on one event loop."""

    def __init__(
        self, settings: Settings, store: ModelStore, observer: Observer, loader: Loader
    ) -> None:
        self._settings = settings
        self._store = store
        self._observer = observer
        self._loader = loader
        self._reloading = asyncio.Lock()
        self._closed = False
        self._current: _Running
        self._retired: _Running | None = None
        self._retiring: asyncio.Task[None] | None = None

    @classmethod
    async def load(
        cls,
        settings: Settings,
        *,
        observer: Observer = NULL_OBSERVER,
        loader: Loader | None = None,
    ) -> Self:
        """Verify, load and warm the models that the settings name.

        Args:
            settings: the service's settings.
            observer: told what inference does.
            loader: loads the models; by default from the store, tests pass one of fakes.

        Raises:
            ModelError: a model is missing, altered or not loadable.
            ConfigurationError: a setting names no such model, or more threads than there are CPUs.
        """
        engine = cls(
            settings,
            ModelStore(settings.models_dir, settings.pulled_dir),
            observer,
            loader or load_models,
        )
        engine._current = await engine._start()
        return engine

    async def stream(
        self, release: Release, options: BriefOptions, *, deadline: float | None = None
    ) -> AsyncGenerator[Started | Translation | Brief, None]:
        """Brief a release, telling of each step; see `Briefer.stream`."""
        check_release(release, self._settings)
        check_options(options, self._settings)
        _check_strategy(options.strategy)
        asked = _ask(options, deadline, partial=options.allow_incomplete)
        with self._use() as running, running.reserve(release, asked) as ask:
            async with aclosing(running.briefer.stream(release, options, ask)) as events:
                async for event in events:
                    yield event

    async def brief(
        self, release: Release, options: BriefOptions, *, deadline: float | None = None
    ) -> Brief:
        """Brief a release; see `Briefer.stream`."""
        async with aclosing(self.stream(release, options, deadline=deadline)) as events:
            async for event in events:
                if isinstance(event, Brief):
                    return event
        raise AssertionError("a brief's last event is the brief; this is a bug")

    async def translate(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        deadline: float | None = None,
    ) -> TranslatedRelease:
        """Translate a release without briefing it; raises as `Briefer.stream` does.

        Of the options, priority and reproducibility count.
        """
        check_release(release, self._settings)
        options, timings = options or BriefOptions(), Timings()
        with self._use() as running, running.reserve(release, _ask(options, deadline)) as ask:
            briefer = running.briefer
            prepared = await briefer.prepare(release, ask, timings)
            found = [t async for t in briefer.translate(prepared, ask, timings)]
            found.sort(key=lambda t: t.sentence.index)
            signature = briefer.signature(prepared.detection.language, options, brief=False)
            return TranslatedRelease(prepared.detection, tuple(found), signature, timings)

    def detect(self, text: str) -> Detection:
        """Tell the language of a text.

        Raises:
            LanguageUncertain: it can't be told.
            LanguageUnsupported: no model translates it.
        """
        check_release(Release(text), self._settings)
        return language.detect(text)

    async def summarise(self, release: Release, options: BriefOptions) -> Summary:
        """Choose the key sentences of a release in English."""
        check_release(release, self._settings)
        check_options(options, self._settings)
        _check_strategy(options.strategy)
        timings = Timings()
        english = replace(release, language=Language.ENGLISH)
        with self._use() as running, running.reserve(english, _ask(options, None)) as ask:
            briefer = running.briefer
            prepared = await briefer.prepare(english, ask, timings)
            kept = [t async for t in briefer.translate(prepared, ask, timings)]
            chosen = await briefer.choose(kept, options.sentence_count, timings)
            signature = briefer.signature(Language.ENGLISH, options, brief=True)
        return Summary(tuple(kept[i].sentence for i in chosen), signature, timings)

    def models(self) -> list[ModelStatus]:
        """Tell the state of every model of the manifest, in its order."""
        return [self._status(spec) for spec in self._store.manifest]

    async def reload(self) -> list[ModelStatus]:
        """Load the models anew beside the running ones, then swap.

        Calls under way end on the old ones, which are freed with the last of them.

        Raises:
            ModelError: the new models can't be loaded; the running ones stay.
            NotReady: calls still run on the models of before an earlier reload.
        """
        async with self._reloading:
            if self._retiring is not None and not self._retiring.done():
                raise NotReady("calls still run on the models before the present ones")
            started = await self._start()
            if self._closed:
                await started.aclose(wait=False)
                raise ShuttingDown("the service is shutting down")
            old, self._current = self._current, started
            self._retired, self._retiring = old, asyncio.create_task(old.aclose())
        return self.models()

    def statistics(self) -> dict[str, QueueStatistics]:
        """Tell what waits before each model now."""
        return {self._current.models.translation.name: self._current.queue.statistics()}

    async def aclose(self) -> None:
        """Refuse what waits, let running batches end and free the models."""
        self._closed = True
        await self._current.aclose(wait=False)
        if self._retired is not None and self._retiring is not None:
            self._retired.hurry()
            await self._retiring

    @contextmanager
    def _use(self) -> Iterator["_Running"]:
        running = self._current
        with running.used():
            yield running

    async def _start(self) -> "_Running":
        # Places of its own: new models must be warm whatever the calls on the old ones do.
        slots = Slots(worker_count(self._settings))
        limit_heaps()
        self._store.refresh()
        models = await asyncio.to_thread(self._loader, self._settings, self._store)
        running = _Running(models, self._settings, slots, self._observer)
        try:
            await running.warm()
        except BaseException:
            await running.aclose(wait=False)
            raise
        return running

    def _status(self, spec: ModelSpec) -> ModelStatus:
        loaded = self._current.models
        identity = next(
            (m for m in (loaded.translation, loaded.summary) if m.name == spec.name), None
        )
        present = ModelState.PRESENT if self._store.is_present(spec.name) else ModelState.ABSENT
        installed = self._store.find(spec.name)
        return ModelStatus(
            name=spec.name,
            task=spec.task,
            revision=identity.revision if identity else installed.revision if installed else "",
            languages=tuple(spec.languages),
            licence=identity.licence if identity else spec.licence,
            digest=identity.digest if identity else installed.digest if installed else "",
            quantisation=identity.quantisation
            if identity
            else installed.quantisation
            if installed
            else "",
            size_bytes=installed.size if installed else 0,
            state=ModelState.READY if identity else present,
        )


class _Running:
    """One generation of loaded models with their queue and pipeline."""

    def __init__(
        self, models: LoadedModels, settings: Settings, slots: Slots, observer: Observer
    ) -> None:
        self.models = models
        self.queue = SegmentQueue(
            models.translation.name,
            models.backend,
            workers=slots.count,
            batch_tokens=settings.batch_tokens,
            batch_seconds=settings.batch_seconds,
            capacity=settings.queue_segments,
            slots=slots,
            observer=observer,
        )
        translator = Translator(
            self.queue,
            models.backend,
            models.translation,
            beam_size=settings.beam_size,
            decode_again=settings.decode_again,
        )
        self._encoder = EncoderQueue(models.summary.name, models.encoder, slots, observer)
        summariser = Summariser(self._encoder, models.summary)
        self.briefer = Briefer(translator, summariser, settings.max_sentences)
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def warm(self) -> None:
        """Run each model once, so that the first caller doesn't pay for their set-up."""
        # By the batch, so that the rate that is learnt of it is not that of single segments.
        async for _ in self.queue.translate([_WARM_UP] * _WARM_UP_SEGMENTS):
            pass
        await asyncio.to_thread(self.models.encoder.encode, [_WARM_UP])
        await asyncio.to_thread(language.detect, _WARM_UP)
        release_free_memory()

    def reserve(self, release: Release, ask: Ask) -> AbstractContextManager[Ask]:
        """Hold room in the queue while a release is read, or refuse it; see `SegmentQueue`."""
        if release.language is Language.ENGLISH:  # nothing of it will wait there
            self._encoder.admit()
            return nullcontext(ask)
        return self.queue.reserve(round(len(release.text) * _TOKENS_PER_CHARACTER), ask)

    @contextmanager
    def used(self) -> Iterator[None]:
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
        await self.queue.aclose()
        self.models.backend.close()
        self.models.encoder.close()


def load_models(settings: Settings, store: ModelStore) -> LoadedModels:
    """Verify and load the models that the settings name; see `Loader`."""
    translation = _configured(store, "translation_model", settings.translation_model, "translation")
    backend = GemmaBackend(
        translation.path,
        workers=worker_count(settings),
        threads_per_worker=settings.threads_per_worker,
        max_source_tokens=translation.spec.max_source_tokens,
        max_target_tokens=translation.spec.max_target_tokens,
    )
    summary = _configured(store, "summary_model", settings.summary_model, "summary")
    encoder = CTranslateEncoder(
        summary.path,
        workers=worker_count(settings),
        threads_per_worker=settings.threads_per_worker,
    )
    return LoadedModels(
        backend,
        encoder,
        _identity(translation, backend.quantisation),
        _identity(summary, encoder.quantisation),
    )


def worker_count(settings: Settings) -> int:
    """Tell how many batches run at once: as set, or one for each share of the CPU quota.

    Raises:
        ConfigurationError: workers times threads per worker is more than the CPUs there are.
    """
    cpus = available_cpus()
    workers = settings.workers or max(1, cpus // settings.threads_per_worker)
    threads = workers * settings.threads_per_worker
    if threads > cpus:
        raise ConfigurationError(
            f"workers: {workers} of {settings.threads_per_worker} threads need {threads} CPUs, "
            f"and this process may use {cpus}"
        )
    return workers


def _configured(store: ModelStore, setting: str, name: str, task: str) -> Installed:
    """Verify the model that a setting names, and see that it does what the setting is for."""
    try:
        spec = store.spec(name)
    except ModelUnknown as error:
        raise ConfigurationError(f"{setting}: the manifest has no model '{name}'") from error
    if spec.task != task:
        raise ConfigurationError(f"{setting}: '{name}' is a model for {spec.task}, not for {task}")
    return store.verify(name)


def _identity(model: Installed, quantisation: str) -> ModelIdentity:
    spec = model.spec
    return ModelIdentity(
        spec.task, spec.name, model.revision, model.digest, quantisation, spec.licence
    )


def _ask(options: BriefOptions, deadline: float | None, *, partial: bool = False) -> Ask:
    return Ask(
        priority=options.priority,
        deadline=deadline,
        reproducible=options.reproducible,
        partial=partial and deadline is not None,
    )


def _check_strategy(strategy: SummaryStrategy) -> None:
    if strategy is not SummaryStrategy.EXTRACTIVE:
        raise FeatureUnavailable("options.strategy", "no model for abstractive summaries is loaded")

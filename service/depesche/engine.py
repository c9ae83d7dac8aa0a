"""The pipeline with its models loaded: what the commands and the server share."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from depesche.brief import Started, summary_cutoff
from depesche.config import Settings
from depesche.errors import (
    NotReady,
    ShuttingDown,
)
from depesche.generation import Generation
from depesche.inference.memory import limit_heaps
from depesche.inference.observer import NULL_OBSERVER, Observer, QueueStatistics
from depesche.inference.queue import Ask
from depesche.inference.slots import Slots
from depesche.loading import Loader, load_models, worker_count
from depesche.models.manifest import Installed, ModelSpec
from depesche.models.store import ModelStore
from depesche.text import language
from depesche.types import (
    Brief,
    BriefOptions,
    BriefSentence,
    Detection,
    GlossaryUse,
    Language,
    ModelIdentity,
    Release,
    Sentence,
    Signature,
    Timings,
    Translation,
)
from depesche.validation import check_glossary, check_options, check_release

__all__ = [
    "Engine",
    "ModelState",
    "ModelStatus",
    "Summary",
    "TranslatedRelease",
]


class ModelState(StrEnum):
    """What a model of the manifest is doing; `IDLE` is ready to come back into memory."""

    ABSENT = "absent"
    PRESENT = "present"
    READY = "ready"
    IDLE = "idle"


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
        routes: languages whose releases it translates where a request names no model.
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
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TranslatedRelease:
    """A release in English, without a brief."""

    detection: Detection
    translations: tuple[Translation, ...]
    signature: Signature
    timings: Timings
    glossary: tuple[GlossaryUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Key sentences of an English text.

    Attributes:
        sentences: in document order.
        text: the text's own sentences, into which their sources point.
        signature: what shaped them.
        timings: where the time went.
    """

    sentences: tuple[BriefSentence, ...]
    text: tuple[Sentence, ...]
    signature: Signature
    timings: Timings


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
        self._current: Generation
        self._retired: Generation | None = None
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
        engine._current = await engine._start(settings)
        return engine

    async def stream(
        self, release: Release, options: BriefOptions, *, deadline: float | None = None
    ) -> AsyncGenerator[Started | Translation | Brief, None]:
        """Brief a release, telling of each step; see `Briefer.stream`."""
        check_release(release, self._settings)
        check_options(options, self._settings)
        asked = _ask(options, deadline, partial=options.allow_incomplete)
        with self._use() as running, running.reserve(release, options, asked) as ask:
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

        Of the options, priority, reproducibility, the translation model and the glossary count.
        """
        options, timings = options or BriefOptions(), Timings()
        check_release(release, self._settings)
        check_glossary(options.glossary, self._settings)
        asked = _ask(options, deadline)
        with self._use() as running, running.reserve(release, options, asked) as ask:
            briefer = running.briefer
            prepared = await briefer.prepare(release, options, ask, timings)
            found = [t async for t in briefer.translate(prepared, ask, timings)]
            found.sort(key=lambda t: t.sentence.index)
            signature = briefer.signature(prepared, options)
            glossary = await asyncio.to_thread(briefer.glossary, prepared, options, found)
        return TranslatedRelease(prepared.detection, tuple(found), signature, timings, glossary)

    def detect(self, text: str) -> Detection:
        """Tell the language of a text.

        Raises:
            LanguageUncertain: it can't be told.
            LanguageUnsupported: no model translates it.
        """
        check_release(Release(text), self._settings)
        return language.detect(text)

    async def summarise(
        self, release: Release, options: BriefOptions, *, deadline: float | None = None
    ) -> Summary:
        """Choose or write the key sentences of a release in English; see `KeySentences.choose`."""
        check_release(release, self._settings)
        check_options(options, self._settings)
        timings = Timings()
        english = replace(release, language=Language.ENGLISH)
        asked = _ask(options, deadline)
        with self._use() as running, running.reserve(english, options, asked) as ask:
            briefer = running.briefer
            prepared = await briefer.prepare(english, options, ask, timings)
            kept = [t async for t in briefer.translate(prepared, ask, timings)]
            cutoff = summary_cutoff(len(kept), ask)
            chosen = await briefer.choose(kept, options, ask, timings, cutoff)
            signature = briefer.signature(prepared, options, chosen)
        return Summary(chosen.sentences, tuple(prepared.sentences), signature, timings)

    def models(self) -> list[ModelStatus]:
        """Tell the state of every model of the manifest, in its order."""
        return [self._status(spec) for spec in self._store.manifest]

    async def reload(self, settings: Settings | None = None) -> list[ModelStatus]:
        """Load the models anew beside the running ones, then swap.

        Calls under way end on the old ones, which are freed with the last of them.

        Args:
            settings: what to load by, and to go on by; by default as before.

        Raises:
            ConfigurationError: a setting names no such model; the running ones stay.
            ModelError: the new models can't be loaded; the running ones stay.
            NotReady: calls still run on the models of before an earlier reload.
        """
        async with self._reloading:
            if self._retiring is not None and not self._retiring.done():
                raise NotReady("calls still run on the models before the present ones")
            settings = settings or self._settings
            started = await self._start(settings)
            if self._closed:
                await started.aclose(wait=False)
                raise ShuttingDown("the service is shutting down")
            old, self._current, self._settings = self._current, started, settings
            self._retired, self._retiring = old, asyncio.create_task(old.aclose())
        return self.models()

    def statistics(self) -> dict[str, QueueStatistics]:
        """Tell what waits before each model now."""
        return self._current.statistics()

    async def aclose(self) -> None:
        """Refuse what waits, let running batches end and free the models."""
        self._closed = True
        await self._current.aclose(wait=False)
        if self._retired is not None and self._retiring is not None:
            self._retired.hurry()
            await self._retiring

    @contextmanager
    def _use(self) -> Iterator[Generation]:
        running = self._current
        with running.used():
            yield running

    async def _start(self, settings: Settings) -> Generation:
        # Places of its own: new models must be warm whatever the calls on the old ones do.
        slots = Slots(worker_count(settings))
        limit_heaps()
        self._store.refresh()
        models = await asyncio.to_thread(self._loader, settings, self._store)
        running = Generation(models, settings, slots, self._observer)
        try:
            await running.warm()
        except BaseException:
            await running.aclose(wait=False)
            raise
        return running

    def _status(self, spec: ModelSpec) -> ModelStatus:
        loaded, routes = self._current.models.identities(), self._current.models.routes
        identity = next((model for model in loaded if model.name == spec.name), None)
        installed = self._store.find(spec.name)
        return ModelStatus(
            name=spec.name,
            task=spec.task,
            revision=identity.revision if identity else installed.revision if installed else "",
            languages=tuple(spec.languages),
            licence=identity.licence if identity else spec.licence,
            digest=identity.digest if identity else installed.digest if installed else "",
            quantisation=_quantisation(identity, installed),
            size_bytes=installed.size if installed else 0,
            state=self._state(spec.name, loaded=identity is not None),
            routes=tuple(sorted(k for k, name in routes.items() if name == spec.name)),
        )

    def _state(self, name: str, *, loaded: bool) -> ModelState:
        if loaded:
            in_memory = self._current.is_in_memory(name)
            return ModelState.READY if in_memory else ModelState.IDLE
        return ModelState.PRESENT if self._store.is_present(name) else ModelState.ABSENT


def _quantisation(identity: ModelIdentity | None, installed: Installed | None) -> str:
    """Tell the compute type in use, or else the stored one."""
    if identity is not None:
        return identity.quantisation
    return installed.quantisation if installed is not None else ""


def _ask(options: BriefOptions, deadline: float | None, *, partial: bool = False) -> Ask:
    return Ask(
        priority=options.priority,
        deadline=deadline,
        reproducible=options.reproducible,
        partial=partial and deadline is not None,
    )

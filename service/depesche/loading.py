"""From the settings to loaded models: which ones, verified, and only as many as fit."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self, TypeAlias

from depesche.config import Settings
from depesche.errors import ConfigurationError, ModelError, ModelUnknown
from depesche.fidelity import LEAST_SCORE
from depesche.inference.backend import TranslationBackend
from depesche.inference.budget import check_fits, memory_limit, memory_used
from depesche.inference.codecs import Rules
from depesche.inference.cpu import available_cpus
from depesche.inference.encoder import CTranslateEncoder, SentenceEncoder
from depesche.inference.gemma import GemmaBackend
from depesche.inference.resident import ReloadableBackend, Resident
from depesche.inference.seq2seq import Seq2SeqBackend
from depesche.models.manifest import Installed, ModelSpec, is_abstractive
from depesche.models.store import ModelStore
from depesche.types import SOURCES, Language, ModelIdentity

__all__ = ["LoadedModel", "LoadedModels", "Loader", "load_models", "worker_count"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model that reads text and writes English.

    Attributes:
        backend: the model.
        identity: what exactly it is.
        languages: what it reads.
        decoding: how it writes, for signatures.
        least_score: mean log-probability per token below which what it writes is doubtful.
    """

    backend: TranslationBackend
    identity: ModelIdentity
    languages: frozenset[Language]
    decoding: str = "greedy"
    least_score: float = LEAST_SCORE


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The models that a pipeline runs on.

    Attributes:
        encoder: embeds English sentences.
        encoding: what exactly the encoder is.
        translators: by name; those of the routes, and those that a request may ask for.
        routes: the name of each language's translator.
        summarisers: by name; those that write summaries in sentences of their own.
        summariser: the name of the one that does so where a request names none, or "" for none.
    """

    encoder: SentenceEncoder
    encoding: ModelIdentity
    translators: Mapping[str, LoadedModel]
    routes: Mapping[Language, str]
    summarisers: Mapping[str, LoadedModel] = field(default_factory=dict)
    summariser: str = ""

    @classmethod
    def of(
        cls,
        backend: TranslationBackend,
        encoder: SentenceEncoder,
        translation: ModelIdentity,
        encoding: ModelIdentity,
    ) -> Self:
        """Take one translator for all languages."""
        model = LoadedModel(backend, translation, frozenset(SOURCES))
        routes = dict.fromkeys(SOURCES, translation.name)
        return cls(encoder, encoding, {translation.name: model}, routes)

    @property
    def writers(self) -> Mapping[str, LoadedModel]:
        """All that write English, by name."""
        return {**self.translators, **self.summarisers}

    def identities(self) -> Iterable[ModelIdentity]:
        """Give what each of them is."""
        return (self.encoding, *(model.identity for model in self.writers.values()))

    def close(self) -> None:
        """Free the memory of all."""
        self.encoder.close()
        for model in self.writers.values():
            model.backend.close()


# Verifies and loads the models that the settings name; blocks, and raises ModelError.
Loader: TypeAlias = Callable[[Settings, ModelStore], LoadedModels]


def load_models(settings: Settings, store: ModelStore) -> LoadedModels:
    """Verify and load the models that the settings name; see `Loader`.

    Raises:
        ModelError: a model is missing, altered, not loadable, or doesn't fit the memory.
        ConfigurationError: a setting names a model that there isn't, or that can't do what it is
            named for.
    """
    wanted = _Wanted.of(settings, store)
    load = partial(_load, settings=settings, store=store)
    return LoadedModels(
        *_load_encoder(wanted.encoder, settings),
        translators={name: load(model) for name, model in wanted.translators.items()},
        routes=wanted.routes,
        summarisers={name: load(model) for name, model in wanted.summarisers.items()},
        summariser=settings.abstractive_model,
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The models that the settings name, verified."""

    encoder: Installed
    routes: Mapping[Language, str]
    translators: Mapping[str, Installed]
    summarisers: Mapping[str, Installed]

    @classmethod
    def of(cls, settings: Settings, store: ModelStore) -> Self:
        find = partial(_configured, settings, store)
        translators: dict[str, Installed] = {}
        summarisers: dict[str, Installed] = {}
        routes = dict(settings.routes)
        for language, name in routes.items():
            translators[name] = find("routes", name, "translation", language=language)
        if set(routes) < set(SOURCES):
            name = settings.translation_model
            translators[name] = find("translation_model", name, "translation")
            read = translators[name].spec.languages
            routes |= {language: name for language in read if language not in settings.routes}
        if name := settings.abstractive_model:
            summarisers[name] = find("abstractive_model", name, "abstractive summary")
        for name in settings.selectable_models:
            model = find("selectable_models", name, "translation", "abstractive summary")
            (summarisers if is_abstractive(model.spec) else translators)[name] = model
        encoder = find("summary_model", settings.summary_model, "summary")
        return cls(encoder, routes, translators, summarisers)


def _configured(
    settings: Settings,
    store: ModelStore,
    setting: str,
    name: str,
    *purposes: str,
    language: Language | None = None,
) -> Installed:
    """Verify the model that a setting names, and see that it is for one of the purposes."""
    try:
        spec = store.spec(name)
    except ModelUnknown as error:
        raise ConfigurationError(f"{setting}: the manifest has no model '{name}'") from error
    purpose = "abstractive summary" if is_abstractive(spec) else spec.task
    if purpose not in purposes:
        wanted = " or ".join(purposes)
        raise ConfigurationError(f"{setting}: '{name}' is a model for {purpose}, not for {wanted}")
    if language is not None and language not in spec.languages:
        raise ConfigurationError(f"{setting}: '{name}' doesn't read '{language}'")
    _check_licence(settings, store, setting, spec)
    return store.verify(name)


def _check_licence(settings: Settings, store: ModelStore, setting: str, spec: ModelSpec) -> None:
    """See that a model may be used, by the settings and by what its operator agreed to."""
    if spec.commercial:
        return
    terms = f"{setting}: the licence of '{spec.name}', {spec.licence},"
    if settings.forbid_noncommercial:
        raise ConfigurationError(f"{terms} forbids commercial use, and forbid_noncommercial is set")
    locked = store.lock.models.get(spec.name)
    if locked is not None and not (locked.accepted and locked.licence == spec.licence):
        raise ConfigurationError(
            f"{terms} wasn't accepted; run: depesche models pull {spec.name} --accept-licence"
        )


def _load_encoder(model: Installed, settings: Settings) -> tuple[SentenceEncoder, ModelIdentity]:
    _check_fits(model, settings)
    encoder = CTranslateEncoder(
        model.path,
        workers=worker_count(settings),
        threads_per_worker=settings.threads_per_worker,
    )
    return encoder, _identity(model, encoder.quantisation)


def _load(model: Installed, settings: Settings, store: ModelStore) -> LoadedModel:
    workers = worker_count(settings)
    _check_fits(model, settings)
    spec = model.spec
    backend: ReloadableBackend
    if spec.family == "gemma":
        backend = GemmaBackend(
            model.path,
            workers=workers,
            threads_per_worker=settings.threads_per_worker,
            max_source_tokens=spec.max_source_tokens,
            max_target_tokens=spec.max_target_tokens,
            compute_type=model.quantisation,
        )
    else:
        backend = Seq2SeqBackend(
            model.path,
            Rules(
                family=spec.family,
                codes=spec.codes,
                prompt=spec.prompt,
                **spec.decoding.model_dump(),
            ),
            workers=workers,
            threads_per_worker=settings.threads_per_worker,
            max_source_tokens=spec.max_source_tokens,
            max_target_tokens=spec.max_target_tokens,
            shortens=is_abstractive(spec),
        )
    identity = _identity(model, backend.quantisation)
    loaded = LoadedModel(
        backend,
        identity,
        frozenset(spec.languages),
        _decoding(spec),
        spec.least_score or LEAST_SCORE,
    )
    if not settings.idle_seconds:
        return loaded

    def before_reload() -> None:
        if store.verify(spec.name).digest != model.digest:
            raise ModelError(f"model '{spec.name}' was replaced; reload the models")
        _check_fits(model, settings)

    return replace(loaded, backend=Resident(backend, before_reload))


def _check_fits(model: Installed, settings: Settings) -> None:
    limit = settings.memory_mib * 2**20 or memory_limit()
    check_fits(model.spec.name, model.size, worker_count(settings), limit=limit, used=memory_used())


def _decoding(spec: ModelSpec) -> str:
    rules = spec.decoding
    search = "greedy" if rules.beam_size == 1 else f"beam{rules.beam_size}"
    return (
        f"{search},penalty{rules.length_penalty:g},min{rules.min_target_tokens},"
        f"max{spec.max_target_tokens},ngram{rules.no_repeat_ngram_size}"
    )


def _identity(model: Installed, quantisation: str) -> ModelIdentity:
    spec = model.spec
    return ModelIdentity(
        spec.task, spec.name, model.revision, model.digest, quantisation, spec.licence
    )

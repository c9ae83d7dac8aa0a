"""The services of the contract: from the wire to the engine and back, and nothing else."""
# ruff: noqa: N802 - the contract names its RPCs

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc.status_pb2 import Status

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import (
    InvalidRequest,
    ModelUnknown,
    NotReady,
    OperatorError,
    ReloadFailed,
    ShuttingDown,
)
from depesche.fidelity import check_edited
from depesche.server import convert
from depesche.server.feed import as_finished, until
from depesche.server.metrics import Metrics
from depesche.server.quota import charge
from depesche.server.reload import Reloader
from depesche.server.status import code_of, to_status
from depesche.server.validation import (
    RELEASE_PATHS,
    TEXT_PATHS,
    BriefRequest,
    brief_arguments,
    check_arguments,
    model_argument,
    renamed,
    summarise_arguments,
    translate_arguments,
)
from depesche.server.wire import check_known
from depesche.types import Brief, BriefOptions, Language, Release, Timings, Translation
from depesche.v1 import (
    brief_pb2,
    brief_pb2_grpc,
    fidelity_pb2,
    fidelity_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
    summarisation_pb2,
    summarisation_pb2_grpc,
    translation_pb2,
    translation_pb2_grpc,
)

__all__ = ["SERVICES", "Door", "add_servicers"]

SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service
    for file in (brief_pb2, translation_pb2, summarisation_pb2, fidelity_pb2, model_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""The services of the contract."""

_Context = grpc.aio.ServicerContext[Any, Any]
_log = structlog.get_logger()

_T = TypeVar("_T")


class Door:
    """Where calls get the engine, once it is loaded and until the server drains."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self._behind: tuple[Engine, Reloader] | None = None

    @property
    def reloader(self) -> Reloader:
        """What loads the engine's models anew; raises as `engine` does."""
        return self._opened()[1]

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            ShuttingDown: the server drains.
            NotReady: its models aren't loaded yet.
        """
        return self._opened()[0]

    def check(self) -> None:
        """Let a call in, or refuse it; raises as `engine` does."""
        self._opened()

    def open(self, engine: Engine, reloader: Reloader) -> None:
        """Let calls in."""
        self._behind = engine, reloader

    def close(self) -> None:
        """Let no new work in."""
        self.closed.set()

    def _opened(self) -> tuple[Engine, Reloader]:
        if self.closed.is_set():
            raise ShuttingDown("the service is draining and takes no new work")
        if self._behind is None:
            raise NotReady("the service is starting and takes no work yet")
        return self._behind


class _Servicer:
    """What the servicers share."""

    def __init__(self, door: Door, settings: Settings, metrics: Metrics) -> None:
        self._door = door
        self._settings = settings
        self._metrics = metrics

    def _note(
        self, language: Language, translations: Sequence[Translation], timings: Timings
    ) -> None:
        """Tell the metrics and the call's log line about a release."""
        self._metrics.translated(translations, timings)
        self._metrics.sentences(language, len(translations))
        structlog.contextvars.bind_contextvars(
            language=language.value,
            sentences=len(translations),
            queue_wait=round(timings.queue, 6),
            stages={name: round(seconds, 6) for name, seconds in timings.stages.items()},
        )

    def _note_brief(self, brief: Brief) -> None:
        self._note(brief.detection.language, brief.translations, brief.timings)
        self._metrics.briefed(brief.detection.language)


class BriefServicer(_Servicer, brief_pb2_grpc.BriefServiceServicer):
    """`BriefService`."""

    async def CreateBrief(
        self, request: brief_pb2.CreateBriefRequest, context: _Context
    ) -> brief_pb2.CreateBriefResponse:
        """Brief one release."""
        release, options = self._read(request)
        brief = await self._brief(release, options, _deadline(context))
        return convert.create_brief_response(brief, request.release.id)

    async def StreamBrief(
        self, request: brief_pb2.StreamBriefRequest, context: _Context
    ) -> AsyncIterator[brief_pb2.StreamBriefResponse]:
        """Brief one release, telling of each step."""
        release, options = self._read(request)
        events = self._door.engine.stream(release, options, deadline=_deadline(context))
        with renamed(RELEASE_PATHS):
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Brief):
                        self._note_brief(event)
                    yield convert.stream_event(event, request.release.id)

    async def BriefReleases(
        self,
        request_iterator: AsyncIterator[brief_pb2.BriefReleasesRequest | InvalidRequest],
        context: _Context,
    ) -> AsyncIterator[brief_pb2.BriefReleasesResponse]:
        """Brief a feed of releases, each answered as it finishes."""
        self._door.check()  # as a whole: another replica can take it
        deadline = _deadline(context)

        async def work(
            numbered: tuple[int, brief_pb2.BriefReleasesRequest | InvalidRequest],
        ) -> brief_pb2.BriefReleasesResponse | None:
            index, request = numbered
            try:
                reply = await self._reply(request, deadline)
            except ShuttingDown:  # it was read just before the drain; the feed's end tells of it
                return None
            reply.index = index
            return reply

        requests = _numbered(until(aiter(request_iterator), self._door.closed))
        replies = as_finished(requests, work, self._settings.max_releases_in_flight)
        count = failed = 0
        async with aclosing(replies):
            async for reply in replies:
                if reply is None:
                    continue
                count += 1
                failed += reply.HasField("error")
                yield reply
                structlog.contextvars.bind_contextvars(releases=count, failed=failed)
        if self._door.closed.is_set():
            raise ShuttingDown("the service is draining: releases without a reply were not taken")

    async def _reply(
        self, request: brief_pb2.BriefReleasesRequest | InvalidRequest, deadline: float | None
    ) -> brief_pb2.BriefReleasesResponse:
        """Brief one release of a feed; its errors become its reply.

        Raises:
            ShuttingDown: the server drains, and another one can brief it.
        """
        if isinstance(request, InvalidRequest):
            return brief_pb2.BriefReleasesResponse(error=self._failure(request))
        id_ = request.release.id
        try:
            charge()
            release, options = self._read(request)
            brief = await self._brief(release, options, deadline)
        except ShuttingDown:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this release's alone
            return brief_pb2.BriefReleasesResponse(id=id_, error=self._failure(error))
        return brief_pb2.BriefReleasesResponse(id=id_, brief=convert.brief_message(brief, id_))

    async def _brief(
        self, release: Release, options: BriefOptions, deadline: float | None
    ) -> Brief:
        with renamed(RELEASE_PATHS):
            brief = await self._door.engine.brief(release, options, deadline=deadline)
        self._note_brief(brief)
        return brief

    def _read(self, request: BriefRequest) -> tuple[Release, BriefOptions]:
        return brief_arguments(request, self._settings.max_id_characters)

    def _failure(self, error: Exception) -> Status:
        """Write an error as the status of one release of a feed."""
        self._metrics.rejected(error)
        if code_of(error) is grpc.StatusCode.INTERNAL:
            _log.error("release", exc_info=error)
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        return to_status(error, request_id)


class TranslationServicer(_Servicer, translation_pb2_grpc.TranslationServiceServicer):
    """`TranslationService`."""

    async def Translate(
        self, request: translation_pb2.TranslateRequest, context: _Context
    ) -> translation_pb2.TranslateResponse:
        """Translate a release."""
        release, options = translate_arguments(request, self._settings.max_id_characters)
        with renamed(RELEASE_PATHS):
            translated = await self._door.engine.translate(
                release, options, deadline=_deadline(context)
            )
        self._note(translated.detection.language, translated.translations, translated.timings)
        return convert.translate_response(translated, request.release.id)

    async def DetectLanguage(
        self, request: translation_pb2.DetectLanguageRequest, context: _Context
    ) -> translation_pb2.DetectLanguageResponse:
        """Tell the language of a text."""
        del context
        check_known(request)
        with renamed(TEXT_PATHS):
            detection = await asyncio.to_thread(self._door.engine.detect, request.text)
        structlog.contextvars.bind_contextvars(language=detection.language.value)
        return translation_pb2.DetectLanguageResponse(
            detection=convert.detection_message(detection)
        )


class SummarisationServicer(_Servicer, summarisation_pb2_grpc.SummarisationServiceServicer):
    """`SummarisationService`."""

    async def Summarise(
        self, request: summarisation_pb2.SummariseRequest, context: _Context
    ) -> summarisation_pb2.SummariseResponse:
        """Choose or write the key sentences of an English text."""
        release, options = summarise_arguments(request)
        with renamed(TEXT_PATHS):
            summary = await self._door.engine.summarise(
                release, options, deadline=_deadline(context)
            )
        self._metrics.timed(summary.timings)
        return convert.summarise_response(summary)


class FidelityServicer(_Servicer, fidelity_pb2_grpc.FidelityServiceServicer):
    """`FidelityService`."""

    async def CheckSentence(
        self, request: fidelity_pb2.CheckSentenceRequest, context: _Context
    ) -> fidelity_pb2.CheckSentenceResponse:
        """Check a sentence that a person has edited."""
        del context
        self._door.check()
        text, sources, language, glossary = check_arguments(request, self._settings)
        found = await asyncio.to_thread(
            check_edited, text, sources, language, abridged=request.abridged, glossary=glossary
        )
        return fidelity_pb2.CheckSentenceResponse(findings=convert.findings_messages(found))


class ModelServicer(_Servicer, model_pb2_grpc.ModelServiceServicer):
    """`ModelService`."""

    async def ListModels(
        self, request: model_pb2.ListModelsRequest, context: _Context
    ) -> model_pb2.ListModelsResponse:
        """List the models of the manifest."""
        del context
        check_known(request)
        models = self._door.engine.models()
        return model_pb2.ListModelsResponse(models=[convert.model_message(m) for m in models])

    async def GetModel(
        self, request: model_pb2.GetModelRequest, context: _Context
    ) -> model_pb2.GetModelResponse:
        """Show one model."""
        del context
        name = model_argument(request)
        found = next((m for m in self._door.engine.models() if m.name == name), None)
        if found is None:
            raise ModelUnknown(name)
        return model_pb2.GetModelResponse(model=convert.model_message(found))

    async def ReloadModels(
        self, request: model_pb2.ReloadModelsRequest, context: _Context
    ) -> model_pb2.ReloadModelsResponse:
        """Load the models anew, to the end even if the caller goes away."""
        del context
        check_known(request)
        try:
            models = await asyncio.shield(asyncio.ensure_future(self._door.reloader.reload()))
        except OperatorError as error:
            raise ReloadFailed(str(error)) from error
        return model_pb2.ReloadModelsResponse(models=[convert.model_message(m) for m in models])


def add_servicers(
    server: grpc.aio.Server, door: Door, settings: Settings, metrics: Metrics
) -> None:
    """Register all services of the contract."""
    shared = (door, settings, metrics)
    # The generated functions have no types.
    brief_pb2_grpc.add_BriefServiceServicer_to_server(  # type: ignore[no-untyped-call]
        BriefServicer(*shared), server
    )
    translation_pb2_grpc.add_TranslationServiceServicer_to_server(  # type: ignore[no-untyped-call]
        TranslationServicer(*shared), server
    )
    summarisation_pb2_grpc.add_SummarisationServiceServicer_to_server(  # type: ignore[no-untyped-call]
        SummarisationServicer(*shared), server
    )
    fidelity_pb2_grpc.add_FidelityServiceServicer_to_server(  # type: ignore[no-untyped-call]
        FidelityServicer(*shared), server
    )
    model_pb2_grpc.add_ModelServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ModelServicer(*shared), server
    )


async def _numbered(items: AsyncGenerator[_T, None]) -> AsyncGenerator[tuple[int, _T], None]:
    """Give each item with its place, from 0."""
    index = 0
    async with aclosing(items):
        async for item in items:
            yield index, item
            index += 1


def _deadline(context: _Context) -> float | None:
    """Give the call's deadline as a `time.monotonic()` value."""
    remaining: float | None = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining

"""A client of the service, for asyncio.

    async with Client("127.0.0.1:50051") as client:
        brief = await client.brief(Release("Der Bundestag hat …"))

Results are the messages of `depesche.v1`, errors the classes of `depesche.errors`.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import grpc.aio

from depesche.channel import open_channel
from depesche.errors import DepescheError, InvalidRequest, Violation
from depesche.remote_errors import from_call, from_status
from depesche.types import BriefOptions, ContentFormat, Release
from depesche.v1 import (
    brief_pb2,
    brief_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
    summarisation_pb2,
    summarisation_pb2_grpc,
    translation_pb2,
    translation_pb2_grpc,
    types_pb2,
)

__all__ = ["Client"]

_MAX_INT32 = 2**31 - 1


class Client:
    """A connection to a service, shared by any number of calls; made on a running event loop.

    Calls raise `RequestError` where the request is at fault; `LoadError` where the service is full,
    draining or out of reach, or the time is up; and `DepescheError` for anything else. A call that
    was refused, or lost with its server before it was answered at all, is made again, elsewhere if
    there are several, three times at most.
    """

    def __init__(
        self,
        target: str,
        *,
        token: str = "",
        root_certificate: bytes | None = None,
        client_certificate: bytes | None = None,
        client_key: bytes | None = None,
        timeout: float = 300.0,
        retries: bool = True,
        health_checks: bool = True,
    ) -> None:
        """Prepare a connection; the first call opens it.

        Args:
            target: the service's address, HOST:PORT, or another target that gRPC can resolve. Calls
                are spread over all addresses that it stands for.
            token: the service's token, or "" if it asks for none.
            root_certificate: certificate in PEM of the authority to trust; without it, no TLS.
            client_certificate: certificate in PEM, or a chain that begins with it, by which the
                service knows the client; needs `root_certificate`.
            client_key: its private key in PEM, without a password.
            timeout: seconds that a call may take, but for `briefs`, which has no end.
            retries: whether calls that are refused without work are made again.
            health_checks: whether replicas that aren't ready get no calls. It must be off where a
                proxy refuses `grpc.health.v1.Health/Watch` in another way than by UNIMPLEMENTED.

        Raises:
            InvalidRequest: the token can't be sent, or a certificate or the key can't be used.
        """
        self._channel = open_channel(
            target,
            token,
            root_certificate,
            client_certificate,
            client_key,
            retries=retries,
            health_checks=health_checks,
        )
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._call = {"timeout": timeout, "metadata": self._metadata}
        self._briefs = _stub(brief_pb2_grpc.BriefServiceStub, self._channel)
        self._translation = _stub(translation_pb2_grpc.TranslationServiceStub, self._channel)
        self._summarisation = _stub(summarisation_pb2_grpc.SummarisationServiceStub, self._channel)
        self._models = _stub(model_pb2_grpc.ModelServiceStub, self._channel)

    async def brief(
        self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
    ) -> types_pb2.Brief:
        """Brief a release."""
        request = brief_pb2.CreateBriefRequest(
            release=_release(release, release_id), options=_options(options)
        )
        with _errors():
            response: brief_pb2.CreateBriefResponse = await self._briefs.CreateBrief(
                request, **self._call
            )
        return response.brief

    async def stream(
        self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
    ) -> AsyncIterator[brief_pb2.StreamBriefResponse]:
        """Brief a release, telling of the start and of each sentence before the brief."""
        request = brief_pb2.StreamBriefRequest(
            release=_release(release, release_id), options=_options(options)
        )
        call = self._briefs.StreamBrief(request, **self._call)
        with _errors(call):
            async for event in call:
                yield event

    async def briefs(
        self, releases: AsyncIterable[tuple[str, Release]], options: BriefOptions | None = None
    ) -> AsyncIterator[tuple[str, types_pb2.Brief | DepescheError]]:
        """Brief a feed of releases.

        Args:
            releases: the releases, each with an id that tells it from the others.
            options: what is asked of every brief.

        Yields:
            The id of a release with its brief, or with the error by which it alone failed, in the
            order in which they finish.

        Raises:
            LoadError: the server drains or is gone; a feed of the releases that had no reply goes
                to another one.
        """

        async def requests() -> AsyncIterator[brief_pb2.BriefReleasesRequest]:
            async for release_id, release in releases:
                yield brief_pb2.BriefReleasesRequest(
                    release=_release(release, release_id), options=_options(options)
                )

        call = self._briefs.BriefReleases(requests(), metadata=self._metadata)
        with _errors(call):
            async for reply in call:
                failed = reply.HasField("error")
                yield reply.id, from_status(reply.error) if failed else reply.brief

    async def translate(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        release_id: str = "",
    ) -> translation_pb2.TranslateResponse:
        """Translate a release without briefing it, by the options that aren't the brief's."""
        asked = options or BriefOptions()
        request = translation_pb2.TranslateRequest(
            release=_release(release, release_id),
            options=translation_pb2.TranslateOptions(
                priority=types_pb2.Priority.Value(f"PRIORITY_{asked.priority.name}"),
                reproducible=asked.reproducible,
                translation_model=asked.translation_model,
            ),
        )
        with _errors():
            response: translation_pb2.TranslateResponse = await self._translation.Translate(
                request, **self._call
            )
        return response

    async def detect(self, text: str) -> types_pb2.Detection:
        """Tell the language of a text."""
        request = translation_pb2.DetectLanguageRequest(text=text)
        with _errors():
            response: translation_pb2.DetectLanguageResponse = (
                await self._translation.DetectLanguage(request, **self._call)
            )
        return response.detection

    async def summarise(
        self, release: Release, options: BriefOptions | None = None
    ) -> summarisation_pb2.SummariseResponse:
        """Choose or write the key sentences of a text in English."""
        asked = options or BriefOptions()
        request = summarisation_pb2.SummariseRequest(
            text=release.text,
            content_format=_content_format(release.content_format),
            sentence_count=_sentence_count(asked),
            strategy=types_pb2.SummaryStrategy.Value(f"SUMMARY_STRATEGY_{asked.strategy.name}"),
            summary_model=asked.summary_model,
        )
        with _errors():
            response: summarisation_pb2.SummariseResponse = await self._summarisation.Summarise(
                request, **self._call
            )
        return response

    async def models(self) -> list[model_pb2.Model]:
        """List the models that the service knows."""
        with _errors():
            response: model_pb2.ListModelsResponse = await self._models.ListModels(
                model_pb2.ListModelsRequest(), **self._call
            )
        return list(response.models)

    async def aclose(self) -> None:
        """End calls under way and the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


@contextmanager
def _errors(call: Any = None) -> Iterator[None]:
    """Raise what a status means, and end a streaming `call` whose results nobody reads any more."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_call(error) from None
    finally:
        if call is not None:
            call.cancel()


def _stub(kind: Any, channel: grpc.aio.Channel) -> Any:
    # Generated stubs are untyped; the methods above say what each call returns.
    return kind(channel)


def _release(release: Release, release_id: str) -> types_pb2.Release:
    return types_pb2.Release(
        id=release_id,
        text=release.text,
        content_format=_content_format(release.content_format),
        title=release.title,
        language=release.language or "",
    )


def _options(options: BriefOptions | None) -> brief_pb2.BriefOptions:
    asked = options or BriefOptions()
    return brief_pb2.BriefOptions(
        sentence_count=_sentence_count(asked),
        strategy=types_pb2.SummaryStrategy.Value(f"SUMMARY_STRATEGY_{asked.strategy.name}"),
        priority=types_pb2.Priority.Value(f"PRIORITY_{asked.priority.name}"),
        reproducible=asked.reproducible,
        allow_incomplete=asked.allow_incomplete,
        translation_model=asked.translation_model,
        summary_model=asked.summary_model,
    )


def _sentence_count(options: BriefOptions) -> int:
    """Give the number of key sentences, which the service checks if a message can hold it."""
    if abs(options.sentence_count) > _MAX_INT32:
        raise InvalidRequest([Violation("options.sentence_count", "is out of range")])
    return options.sentence_count


def _content_format(content_format: ContentFormat) -> types_pb2.ContentFormat.ValueType:
    return types_pb2.ContentFormat.Value(f"CONTENT_FORMAT_{content_format.name}")

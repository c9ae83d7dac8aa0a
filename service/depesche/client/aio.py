"""The client for asyncio."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import aclosing, closing, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import grpc.aio

from depesche.channel import Connection
from depesche.client import requests
from depesche.client.base import BaseClient, raised
from depesche.client.feed import Backlog, Item
from depesche.errors import DepescheError, LoadError
from depesche.remote_errors import WRITE_FAILED, from_status
from depesche.types import BriefOptions, GlossaryTerm, Release
from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2, types_pb2

__all__ = ["Client"]

_Result = TypeVar("_Result")


class Client(BaseClient):
    """A connection to a service, shared by any number of calls; made on a running event loop.

    Calls raise `RequestError` where the request is at fault; `LoadError` where the service is full,
    draining or out of reach, or the time is up; and `DepescheError` for anything else. A call that
    was refused, or lost with its server before it was answered at all, is made again, elsewhere if
    there are several, three times at most.

    Every call takes `timeout`, the seconds that it may take with all its retries, and `request_id`,
    by which the service's log will know it.
    """

    _channel: grpc.aio.Channel

    async def brief(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        release_id: str = "",
        timeout: float | None = None,
        request_id: str = "",
    ) -> types_pb2.Brief:
        """Brief a release."""
        call = requests.brief(release, options, release_id)
        return await self._unary(call, timeout, request_id)

    async def stream(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        release_id: str = "",
        timeout: float | None = None,
        request_id: str = "",
    ) -> AsyncGenerator[brief_pb2.StreamBriefResponse, None]:
        """Brief a release, telling of the start and of each sentence before the brief.

        Closing the iterator cancels the call; `contextlib.aclosing` does so wherever it is left.
        """
        request = requests.stream(release, options, release_id)
        stub = self._stubs["BriefService"]
        call = stub.StreamBrief(request, **self._with(timeout, request_id))
        with raised(call):
            async for event in call:
                yield event

    async def briefs(
        self,
        releases: AsyncIterable[tuple[str, Release]],
        options: BriefOptions | None = None,
        *,
        resume: bool = False,
        timeout: float | None = None,
        request_id: str = "",
    ) -> AsyncGenerator[tuple[str, types_pb2.Brief | DepescheError], None]:
        """Brief a feed of releases.

        Args:
            releases: the releases, each with an id of the caller's. They are read as the service
                takes them; an error that reading raises comes after the replies to those before.
            options: what is asked of every brief.
            resume: whether releases without a reply are sent again, to another server if there is
                one, where a server drains or is gone: at most five times in a row without any reply
                between. After a death some may be briefed twice, and are given once.
            timeout: seconds that the whole feed may take; any time if None.
            request_id: id of the feed for the service's log.

        Yields:
            The id of a release with its brief, or with the error by which it alone failed, in the
            order in which they finish.

        Raises:
            LoadError: the server drains or is gone, or the time is up.
        """
        metadata = self._metadata(request_id)
        with closing(_Feed(releases, options, timeout)) as feed:
            while True:
                try:
                    async with aclosing(self._replies(feed, metadata)) as replies:
                        async for reply in replies:
                            yield reply
                    break
                except LoadError as error:
                    if not resume:
                        raise
                    await asyncio.sleep(feed.backlog.pause(error))
            if feed.error:
                raise feed.error

    async def translate(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        release_id: str = "",
        timeout: float | None = None,
        request_id: str = "",
    ) -> translation_pb2.TranslateResponse:
        """Translate a release without briefing it, by the options that aren't the brief's."""
        call = requests.translate(release, options, release_id)
        return await self._unary(call, timeout, request_id)

    async def detect(
        self, text: str, *, timeout: float | None = None, request_id: str = ""
    ) -> types_pb2.Detection:
        """Tell the language of a text."""
        return await self._unary(requests.detect(text), timeout, request_id)

    async def summarise(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> summarisation_pb2.SummariseResponse:
        """Choose or write the key sentences of a text in English."""
        return await self._unary(requests.summarise(release, options), timeout, request_id)

    async def check(
        self,
        text: str,
        sources: Sequence[str],
        language: str,
        *,
        abridged: bool = False,
        glossary: Sequence[GlossaryTerm] = (),
        timeout: float | None = None,
        request_id: str = "",
    ) -> list[types_pb2.Finding]:
        """Tell what is wrong with an English sentence that a person has edited.

        Args:
            text: the English as it stands now.
            sources: the sentences that it rests on, as `normalised_source` of a brief has them.
            language: the language of `sources`: de, km, ru or en.
            abridged: whether the text may leave out what the sources say, as a headline does.
            glossary: the terms whose English was fixed for the brief.
            timeout: seconds that the call may take.
            request_id: id of the call for the service's log.
        """
        call = requests.check(text, sources, language, abridged=abridged, glossary=glossary)
        return await self._unary(call, timeout, request_id)

    async def models(
        self, *, timeout: float | None = None, request_id: str = ""
    ) -> list[model_pb2.Model]:
        """List the models that the service knows."""
        return await self._unary(requests.models(), timeout, request_id)

    async def model(
        self, name: str, *, timeout: float | None = None, request_id: str = ""
    ) -> model_pb2.Model:
        """Show one model."""
        return await self._unary(requests.model(name), timeout, request_id)

    async def reload_models(
        self, *, timeout: float | None = None, request_id: str = ""
    ) -> list[model_pb2.Model]:
        """Load the models in use anew, to the end even if the time is up before."""
        return await self._unary(requests.reload_models(), timeout, request_id)

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

    def _open(self, connection: Connection) -> grpc.aio.Channel:
        return connection.open()

    async def _unary(
        self, call: requests.Unary[_Result], timeout: float | None, request_id: str
    ) -> _Result:
        with raised():
            reply = await self._method(call)(call.request, **self._with(timeout, request_id))
        return call.result(reply)

    async def _replies(
        self, feed: "_Feed", metadata: Any
    ) -> AsyncGenerator[tuple[str, types_pb2.Brief | DepescheError], None]:
        """Send what there is to send in one call, and give the replies."""
        stub = self._stubs["BriefService"]
        sent = feed.requests(feed.backlog.begin())
        call = stub.BriefReleases(sent, timeout=feed.backlog.remaining, metadata=metadata)
        with raised(call), _true_status(call):
            async for reply in call:
                failed = reply.HasField("error")
                release_id = feed.backlog.answered(reply.index)
                yield release_id, from_status(reply.error) if failed else reply.brief


@contextmanager
def _true_status(call: Any) -> Iterator[None]:
    """Raise the status by which the server ended a call that was being written to.

    A write that fails because the call has ended sets a status of its own, before the server's or
    over it (https://github.com/grpc/grpc/issues/36066). If the last one isn't the server's, the
    first one is, unless the connection was lost.
    """
    first: list[grpc.aio.AioRpcError] = []
    call.add_done_callback(lambda call: first.append(_ended(call)))
    try:
        yield
    except grpc.aio.AioRpcError as error:
        overwritten = error.details() == WRITE_FAILED and first[0].code() != grpc.StatusCode.OK
        raise (first[0] if overwritten else error) from None


def _ended(call: Any) -> grpc.aio.AioRpcError:
    """Read the status of a call that has just ended, before another can take its place."""
    metadata = _at_once(call.trailing_metadata())
    code, details = _at_once(call.code()), _at_once(call.details())
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, details)


def _at_once(ready: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to its end what has nothing to wait for."""
    try:
        ready.send(None)
    except StopIteration as end:
        return cast("_Result", end.value)
    raise AssertionError("it waits")


class _Feed:
    """The releases of a feed, read one at a time for the call that is under way."""

    def __init__(
        self,
        releases: AsyncIterable[Item],
        options: BriefOptions | None,
        timeout: float | None,
    ) -> None:
        self.backlog = Backlog(timeout)
        self.error: Exception | None = None
        self._releases = aiter(releases)
        self._options = requests.brief_options(options)
        self._reading: asyncio.Future[Item] | None = None

    def close(self) -> None:
        """Read no further."""
        if self._reading:
            self._reading.cancel()

    async def requests(self, call: int) -> AsyncIterator[brief_pb2.BriefReleasesRequest]:
        """Give the requests of a call, until it is over or there are no more."""
        try:
            while item := await self._next(call):
                release_id, release = item
                yield requests.feed(release, self._options, release_id)
        except Exception as error:  # noqa: BLE001 - gRPC would hide it
            self.error = error

    async def _next(self, call: int) -> Item | None:
        if item := self.backlog.again(call):
            return item
        # A call that ends leaves the reading to the next one, which would else lose the release.
        reading = self._reading = self._reading or asyncio.ensure_future(anext(self._releases))
        await asyncio.wait({reading})
        if call != self.backlog.call:
            return None
        self._reading = None
        try:
            return self.backlog.take(call, reading.result())
        except StopAsyncIteration:
            return None

"""The client for threads."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from depesche.channel import Connection
from depesche.client import requests
from depesche.client.base import BaseClient, raised
from depesche.client.feed import Backlog, Item
from depesche.errors import DepescheError, LoadError
from depesche.remote_errors import from_status
from depesche.types import BriefOptions, GlossaryTerm, Release
from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2, types_pb2

__all__ = ["SyncClient"]

_Result = TypeVar("_Result")


class SyncClient(BaseClient):
    """A connection to a service, shared by any number of threads; their calls block them.

    Its calls, their arguments and their errors are those of `Client`. A program that forks makes it
    in the child: gRPC's threads don't survive a fork.
    """

    _channel: grpc.Channel

    def brief(
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
        return self._unary(call, timeout, request_id)

    def stream(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        release_id: str = "",
        timeout: float | None = None,
        request_id: str = "",
    ) -> Generator[brief_pb2.StreamBriefResponse, None, None]:
        """Brief a release, telling of the start and of each sentence before the brief.

        Closing the iterator cancels the call; `contextlib.closing` does so wherever it is left.
        """
        request = requests.stream(release, options, release_id)
        stub = self._stubs["BriefService"]
        call = stub.StreamBrief(request, **self._with(timeout, request_id))
        with raised(call):
            yield from call

    def briefs(
        self,
        releases: Iterable[tuple[str, Release]],
        options: BriefOptions | None = None,
        *,
        resume: bool = False,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Generator[tuple[str, types_pb2.Brief | DepescheError], None, None]:
        """Brief a feed of releases.

        Args:
            releases: the releases, each with an id of the caller's. They are read in a thread of
                gRPC's as the service takes them; an error that reading raises comes after the
                replies to those before.
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
        feed = _Feed(releases, options, timeout)
        while True:
            try:
                yield from self._replies(feed, metadata)
                break
            except LoadError as error:
                if not resume:
                    raise
                time.sleep(feed.backlog.pause(error))
        if feed.error:
            raise feed.error

    def translate(
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
        return self._unary(call, timeout, request_id)

    def detect(
        self, text: str, *, timeout: float | None = None, request_id: str = ""
    ) -> types_pb2.Detection:
        """Tell the language of a text."""
        return self._unary(requests.detect(text), timeout, request_id)

    def summarise(
        self,
        release: Release,
        options: BriefOptions | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> summarisation_pb2.SummariseResponse:
        """Choose or write the key sentences of a text in English."""
        return self._unary(requests.summarise(release, options), timeout, request_id)

    def check(
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
        return self._unary(call, timeout, request_id)

    def models(
        self, *, timeout: float | None = None, request_id: str = ""
    ) -> list[model_pb2.Model]:
        """List the models that the service knows."""
        return self._unary(requests.models(), timeout, request_id)

    def model(
        self, name: str, *, timeout: float | None = None, request_id: str = ""
    ) -> model_pb2.Model:
        """Show one model."""
        return self._unary(requests.model(name), timeout, request_id)

    def reload_models(
        self, *, timeout: float | None = None, request_id: str = ""
    ) -> list[model_pb2.Model]:
        """Load the models in use anew, to the end even if the time is up before."""
        return self._unary(requests.reload_models(), timeout, request_id)

    def close(self) -> None:
        """End calls under way and the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, connection: Connection) -> grpc.Channel:
        return connection.open_blocking()

    def _unary(
        self, call: requests.Unary[_Result], timeout: float | None, request_id: str
    ) -> _Result:
        with raised():
            reply = self._method(call)(call.request, **self._with(timeout, request_id))
        return call.result(reply)

    def _replies(
        self, feed: "_Feed", metadata: Any
    ) -> Generator[tuple[str, types_pb2.Brief | DepescheError], None, None]:
        """Send what there is to send in one call, and give the replies."""
        stub = self._stubs["BriefService"]
        sent = feed.requests(feed.backlog.begin())
        call = stub.BriefReleases(sent, timeout=feed.backlog.remaining, metadata=metadata)
        with raised(call):
            for reply in call:
                failed = reply.HasField("error")
                release_id = feed.backlog.answered(reply.index)
                yield release_id, from_status(reply.error) if failed else reply.brief


class _Feed:
    """The releases of a feed, read one at a time by gRPC's thread of the call under way."""

    def __init__(
        self,
        releases: Iterable[Item],
        options: BriefOptions | None,
        timeout: float | None,
    ) -> None:
        self.backlog = Backlog(timeout)
        self.error: Exception | None = None
        self._releases = iter(releases)
        self._options = requests.brief_options(options)
        self._reading = threading.Lock()

    def requests(self, call: int) -> Iterator[brief_pb2.BriefReleasesRequest]:
        """Give the requests of a call, until it is over or there are no more."""
        try:
            while item := self._next(call):
                release_id, release = item
                yield requests.feed(release, self._options, release_id)
        except Exception as error:  # noqa: BLE001 - gRPC would hide it
            self.error = error

    def _next(self, call: int) -> Item | None:
        if item := self.backlog.again(call):
            return item
        with self._reading:
            # The thread of the call before may have waited for one that this call sends.
            if item := self.backlog.again(call):
                return item
            item = next(self._releases, None)
            return item and self.backlog.take(call, item)

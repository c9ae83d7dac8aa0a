"""The page before a service with fakes for models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from depesche.inference.fake import FakeBackend
from depesche.v1 import brief_pb2, types_pb2
from depesche.web.page.kept import Kept
from tests.browser.support import ENGLISH
from tests.rpc.support import serving
from tests.support import dictionary
from tests.web.page.support import served


@dataclass(frozen=True)
class Newsroom:
    """A running service.

    Attributes:
        url: where its page is.
        backend: its model; its gate holds it.
    """

    url: str
    backend: FakeBackend


@asynccontextmanager
async def newsroom(kept: Kept | None = None, **settings: Any) -> AsyncIterator[Newsroom]:
    """Run a service whose model knows the English of one release, and its page."""
    backend = FakeBackend(dictionary(ENGLISH))
    async with (
        serving(backend, **settings) as (server, _),
        served(server.address, kept=kept) as client,
    ):
        yield Newsroom(str(client.base_url).rstrip("/"), backend)


@asynccontextmanager
async def page_before(service: str) -> AsyncIterator[str]:
    """Run the page before another service, by its address; gives the page's."""
    async with served(service) as client:
        yield str(client.base_url).rstrip("/")


def event(**what: Any) -> brief_pb2.StreamBriefResponse:
    """Make a step of a brief."""
    return brief_pb2.StreamBriefResponse(**what)


def started(sentences: int) -> brief_pb2.BriefStarted:
    """Make the first step of a German release."""
    detection = types_pb2.Detection(language="de", confidence=1)
    return brief_pb2.BriefStarted(detection=detection, sentence_count=sentences)


def translated(index: int, source: str, text: str) -> types_pb2.TranslatedSentence:
    """Make a sentence, a paragraph of its own."""
    return types_pb2.TranslatedSentence(
        index=index,
        block=index,
        block_kind=types_pb2.BLOCK_KIND_PARAGRAPH,
        source=source,
        normalised_source=source,
        text=text,
    )

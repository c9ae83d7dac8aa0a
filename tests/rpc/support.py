"""What the tests over the wire share: a server of fakes, stubs, and errors taken apart."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.request import urlopen

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from depesche.config import Settings
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.loading import Loader
from depesche.server.app import Server, running
from depesche.v1 import (
    brief_pb2,
    brief_pb2_grpc,
    model_pb2_grpc,
    summarisation_pb2_grpc,
    translation_pb2_grpc,
    types_pb2,
)
from tests.support import fake_loader

GERMAN = (
    "Neue Brücke in Köln\n\n"
    "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke über den Rhein eröffnet. "
    "Sie kostete 12 Millionen Euro und ist 400 Meter lang. "
    "Der Verkehr fließt nun in beide Richtungen."
)
ONE_SENTENCE = "Der Stadtrat von Köln hat am Dienstag über den neuen Haushalt beraten."
"""A release that makes one batch; `GERMAN` has four segments, which make one or several."""

ENGLISH = (
    "The city opened a new bridge across the river on Monday after many years of work. "
    "It cost 12 million euros and is 400 metres long. "
    "Traffic now flows in both directions over the whole of its length."
)


class Stubs:
    """The services' stubs on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.briefs: Any = brief_pb2_grpc.BriefServiceStub(channel)  # type: ignore[no-untyped-call]
        self.translation: Any = translation_pb2_grpc.TranslationServiceStub(channel)  # type: ignore[no-untyped-call]
        self.summarisation: Any = summarisation_pb2_grpc.SummarisationServiceStub(channel)  # type: ignore[no-untyped-call]
        self.models: Any = model_pb2_grpc.ModelServiceStub(channel)  # type: ignore[no-untyped-call]
        self.health: Any = health_pb2_grpc.HealthStub(channel)
        self.channel = channel

    async def is_serving(self, service: str) -> bool:
        """Ask for the health of a service."""
        reply = await self.health.Check(health_pb2.HealthCheckRequest(service=service))
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


@dataclass
class Failure:
    """The status of a failed call."""

    code: grpc.StatusCode
    message: str
    details: Status
    metadata: dict[str, str | bytes]

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> Self:
        """Take an error apart."""
        metadata = dict(error.trailing_metadata() or ())
        details = Status.FromString(metadata.get("grpc-status-details-bin", b""))
        return cls(error.code(), error.details() or "", details, metadata)

    @property
    def violations(self) -> dict[str, str]:
        """The fields that break a rule, and the rules."""
        bad = self._detail(BadRequest())
        return {v.field: v.description for v in bad.field_violations}

    @property
    def reason(self) -> str:
        """The name of the error's class."""
        return str(self._detail(ErrorInfo()).reason)

    @property
    def retry_after(self) -> float:
        """Seconds after which to come again."""
        delay = self._detail(RetryInfo()).retry_delay
        return float(delay.ToTimedelta().total_seconds())

    def _detail(self, message: Any) -> Any:
        for detail in self.details.details:
            if detail.Unpack(message):
                break
        return message


async def failure(call: Any) -> Failure:
    """Await a call that must fail, and take its error apart."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Failure.of(error)
    raise AssertionError("the call succeeded")


def local_settings(**changes: Any) -> Settings:
    """Settings for a server on free loopback ports."""
    base: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "metrics": "127.0.0.1:0",
        "workers": 1,
        "drain_seconds": 10.0,
        "decode_again": False,
    }
    return Settings(**(base | changes))


@asynccontextmanager
async def serving(
    backend: FakeBackend | None = None,
    *,
    loader: Loader | None = None,
    read: Callable[[], Settings] | None = None,
    **changes: Any,
) -> AsyncIterator[tuple[Server, Stubs]]:
    """Run a server of fakes and connect to it."""
    chosen = loader or fake_loader(backend or FakeBackend(str.upper))
    run = running(local_settings(**changes), loader=chosen, read=read)
    async with run as server, stubs(server) as found:
        yield server, found


@asynccontextmanager
async def stubs(server: Server) -> AsyncIterator[Stubs]:
    """Connect to a server."""
    # Channels of one process share connections unless they are told not to.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(server.address, options) as channel:
        yield Stubs(channel)


def request(text: str = GERMAN, *, id_: str = "", **release: Any) -> brief_pb2.CreateBriefRequest:
    """Ask for a brief."""
    return brief_pb2.CreateBriefRequest(release=types_pb2.Release(text=text, id=id_, **release))


def scrape(server: Server) -> str:
    """Read the metrics; blocks."""
    return read_metrics(server.metrics_address)


def read_metrics(address: str) -> str:
    """Read the metrics at an address; blocks."""
    with urlopen(f"http://{address}/metrics", timeout=10) as page:
        return str(page.read().decode())


def sample(page: str, series: str) -> float:
    """Give the value of a series of a page, named with its labels as the page has them."""
    return float(page.partition(f"\n{series} ")[2].split(maxsplit=1)[0])


class WatchedBackend(FakeBackend):
    """A fake backend that tells when a batch has come to a worker; the warm-up is one batch."""

    def __init__(self, handler: Callable[[str], str] = str) -> None:
        super().__init__(handler)
        self._arrived = threading.Semaphore(0)

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch; see `FakeBackend`."""
        texts = [" ".join(tokens) for tokens in batch]
        if self.history and self.history[0][0] == texts[0]:  # the warm-up goes on
            return [self._hypothesis(text) for text in texts]
        self._arrived.release()
        return super().translate(batch, beam_size=beam_size)

    async def batches(self, count: int) -> None:
        """Wait until so many further batches have come to a worker."""
        for _ in range(count):
            assert await asyncio.to_thread(self._arrived.acquire, timeout=30), "no batch came"


async def page_with(server: Server, words: str) -> str:
    """Read the metrics until they hold some words."""
    while words not in (page := await asyncio.to_thread(scrape, server)):
        pass
    return page


async def queued(server: Server, segments: int, priority: str = "interactive") -> None:
    """Wait until so many segments wait for a worker, as the metrics tell it."""
    gauge = f'depesche_queue_segments{{model="embedded",priority="{priority}"}}'
    await page_with(server, f"{gauge} {segments:.1f}\n")

"""The composition root of the server: from settings to a process that answers, drains and ends."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from depesche import __version__
from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import ConfigurationError, LoadError, OperatorError
from depesche.inference.observer import QueueStatistics
from depesche.loading import Loader
from depesche.server import lag, logging
from depesche.server.auth import AuthenticationInterceptor, Tokens
from depesche.server.health import Health
from depesche.server.interceptors import CallInterceptor, DecodingInterceptor
from depesche.server.listen import bind, split
from depesche.server.metrics import Exposition, Metrics, Statistics
from depesche.server.quota import QuotaInterceptor, Quotas
from depesche.server.reload import Reloader
from depesche.server.servicers import SERVICES, Door, add_servicers
from depesche.server.tls import server_credentials

if TYPE_CHECKING:
    from depesche.server.tracing import Tracing

__all__ = ["Server", "running", "serve"]

_SCRAPE_SECONDS = 5.0
# For those who watch health, or ask once a second, to hear of a drain and send no more calls. The
# client's last retry comes later than that, and is for those who hear only when connections end.
_NOTICE_SECONDS = 1.0
# For the last replies to leave.
_GRACE_SECONDS = 1.0
# For traces that wait to be sent off; a collector that is up takes them at once.
_TRACES_SECONDS = 5.0
_MAX_INT = 2**31 - 1
# What strangers may do to a listener. Names and defaults are in grpc/impl/channel_arg_names.h of
# gRPC's source.
_GUARDS = [
    # Two processes on one port would share its connections unevenly, and unnoticed.
    ("grpc.so_reuseport", 0),
    # Below the 1,024 files that a process may often have open, so that probes still get in.
    ("grpc.max_allowed_incoming_connections", 500),
    # There is no limit by default.
    ("grpc.max_concurrent_streams", 1_000),
    ("grpc.max_metadata_size", 8 * 1024),
    ("grpc.absolute_max_metadata_size", 16 * 1024),
    # Who connects and says nothing is sent away; by default after 2 minutes.
    ("grpc.server_handshake_timeout_ms", 10_000),
    # A client whose machine is gone keeps its calls no longer than 80 seconds; by default 2 hours.
    # The second timeout, of all pings, isn't documented: without it, the first has no effect below
    # a minute.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]

_log = structlog.get_logger()


async def serve(
    settings: Settings,
    *,
    loader: Loader | None = None,
    read: Callable[[], Settings] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let the calls under way end.

    A second signal ends them at once. SIGHUP loads the models anew.

    Args:
        settings: the service's settings.
        loader: loads the models; by default from the store.
        read: reads the settings anew when the models are reloaded; None keeps them.

    Raises:
        ConfigurationError: a setting is wrong, such as an address that is in use.
        ModelError: the models can't be loaded.
    """
    logging.configure(settings.log_level)
    server = Server(settings, loader=loader, read=read)
    end = {signal.SIGTERM: server.interrupt, signal.SIGINT: server.interrupt}
    with _signals({**end, signal.SIGHUP: server.reload}):
        try:
            await server.start()
            await _unless(server.interrupted, server.load())
            await server.interrupted.wait()
            _log.info("draining", seconds=settings.drain_seconds)
        except OperatorError as error:
            _log.error("failed", error=str(error))
            raise
        finally:
            await server.stop(_NOTICE_SECONDS)
        _log.info("stopped")


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    loader: Loader | None = None,
    read: Callable[[], Settings] | None = None,
) -> AsyncIterator["Server"]:
    """Run a server, ready, for as long as the context lasts; see `serve`."""
    server = Server(settings, loader=loader, read=read)
    try:
        await server.start()
        await server.load()
        yield server
    finally:
        await server.stop()


class Server:
    """A gRPC server and its metrics; `start`, then `load`, then `stop`.

    Attributes:
        address: where it listens, once it has started.
        metrics_address: where its metrics are, once it has started.
        health_address: where its health is without TLS, once it has started; "" for nowhere.
        interrupted: set by the first call of `interrupt`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        loader: Loader | None = None,
        read: Callable[[], Settings] | None = None,
    ) -> None:
        """Put the parts together; needs a running event loop.

        Args:
            settings: the service's settings.
            loader: loads the models; by default from the store.
            read: reads the settings anew when the models are reloaded; None keeps them.

        Raises:
            ConfigurationError: traces are asked for, and OpenTelemetry isn't installed.
        """
        self._settings = settings
        self._loader = loader
        self._read = read
        self._tracing = _tracing(settings)
        self._metrics = self._tracing.metrics if self._tracing is not None else Metrics()
        self._door = Door()
        self._health = Health(service.full_name for service in SERVICES)
        self._calls = CallInterceptor(self._metrics)
        self._tokens = Tokens.of(settings)
        self._grpc = self._make_grpc()
        self._probed: grpc.aio.Server | None = None
        self._exposition: Exposition | None = None
        self._engine: Engine | None = None
        self._lag: asyncio.Task[NoReturn] | None = None
        self._reloads: set[asyncio.Future[None]] = set()
        self._hurried = asyncio.Event()
        self.interrupted = asyncio.Event()
        self.address = ""
        self.metrics_address = ""
        self.health_address = ""

    async def start(self) -> None:
        """Listen; the process is alive, and not ready.

        Raises:
            ConfigurationError: an address is wrong or in use, or the tokens or a certificate can't
                be read.
        """
        if self._tokens is not None:
            self._tokens.load()
        host, port = split("metrics", self._settings.metrics)
        self._exposition = Exposition(self._metrics.registry, host, port)
        self.metrics_address = f"{host}:{self._exposition.port}"
        credentials = server_credentials(self._settings)
        self.address = bind(self._grpc, "listen", self._settings.listen, credentials)
        await self._listen_for_probes()
        await self._grpc.start()
        self._lag = asyncio.create_task(lag.watch(self._metrics.lagged))

    async def load(self) -> None:
        """Load and warm the models; then the server is ready, and says so in the log.

        Raises:
            ModelError: the models can't be loaded.
            ConfigurationError: more threads are asked for than there are CPUs.
        """
        started = time.monotonic()
        engine = await Engine.load(self._settings, observer=self._metrics, loader=self._loader)
        self._engine = engine
        reloader = Reloader(engine, self._settings, self._metrics, self._read)
        reloader.note(engine.models())
        self._metrics.watch_queues(_from_other_threads(engine))
        self._door.open(engine, reloader)
        await self._health.ready()
        _log.info(
            "ready",
            listen=self.address,
            metrics=self.metrics_address,
            **({"health": self.health_address} if self.health_address else {}),
            version=__version__,
            seconds=round(time.monotonic() - started, 3),
        )

    def reload(self) -> None:
        """Begin to load the models anew; how it ends is in the log and in the metrics."""
        task = asyncio.ensure_future(self._reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    def interrupt(self) -> None:
        """Ask for the end; asked again, a drain under way doesn't wait for calls any more."""
        if self.interrupted.is_set():
            self._hurried.set()
        self.interrupted.set()

    async def stop(self, notice: float = 0.0) -> None:
        """Refuse new work, let the calls under way end in their time, free everything.

        The order matters. Health is first, so that nobody sends new calls; those that come are
        refused with UNAVAILABLE, and go elsewhere. Then the connections are told to take no more
        calls (GOAWAY), and the listener closes: a client that has one connection to all replicas
        gets its next one to another. A call that arrives just then is answered with CANCELLED, by
        gRPC, so the others must have heard by then. The models are last.

        Args:
            notice: seconds from the one to the other, if the server was ready; they count as part
                of the drain.
        """
        drained = time.monotonic() + self._settings.drain_seconds
        await self._health.drain()
        self._door.close()
        if self._engine is not None:
            with suppress(TimeoutError):
                noticed = min(notice, self._settings.drain_seconds)
                await asyncio.wait_for(self._hurried.wait(), noticed)
        await self._health.close()
        # Longer than calls have: they are cut off with a status of the service's own.
        closing = asyncio.ensure_future(self._grpc.stop(self._settings.drain_seconds + 60))
        await self._finish_calls(drained)
        closing.cancel()
        await self._grpc.stop(_GRACE_SECONDS)
        if self._tracing is not None:
            left = 0.0 if self._hurried.is_set() else drained - time.monotonic()
            await self._tracing.aclose(min(max(left, _GRACE_SECONDS), _TRACES_SECONDS))
        if self._engine is not None:
            await self._engine.aclose()
        if self._probed is not None:
            await self._probed.stop(None)
        if self._lag is not None:
            self._lag.cancel()
        if self._exposition is not None:
            await asyncio.to_thread(self._exposition.close)

    async def _reload(self) -> None:
        try:
            await self._door.reloader.reload()
        except LoadError as error:  # the door is closed, or an earlier reload isn't over
            _log.warning("not reloaded", error=str(error))
        except OperatorError:
            pass  # the log has it

    async def _finish_calls(self, drained: float) -> None:
        """Let the calls under way end; cut off those that take too long, or all if hurried.

        Args:
            drained: `time.monotonic()` value of the end of the drain.
        """
        idle = asyncio.ensure_future(self._calls.idle.wait())
        hurried = asyncio.ensure_future(self._hurried.wait())
        await asyncio.wait(
            {idle, hurried},
            timeout=max(0.0, drained - time.monotonic()),
            return_when=asyncio.FIRST_COMPLETED,
        )
        hurried.cancel()
        self._calls.cut_off()
        # A call that doesn't heed it is left to the listener, whose grace has an end as well.
        await asyncio.wait({idle}, timeout=_GRACE_SECONDS)
        idle.cancel()

    def _make_grpc(self) -> grpc.aio.Server:
        settings = self._settings
        interceptors: list[grpc.aio.ServerInterceptor] = [self._calls]
        if self._tracing is not None:
            interceptors.append(self._tracing.interceptor)
        if self._tokens is not None:
            interceptors += [AuthenticationInterceptor(self._tokens), QuotaInterceptor(Quotas())]
        interceptors.append(DecodingInterceptor(settings.max_message_bytes))
        server = grpc.aio.server(interceptors=interceptors, options=_options(settings))
        add_servicers(server, self._door, settings, self._metrics)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [service.full_name for service in SERVICES]
        reflection.enable_server_reflection(
            [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
        return server

    async def _listen_for_probes(self) -> None:
        """Serve health alone, for probes that don't speak TLS, if an address is set for it."""
        if self._settings.health_listen:
            self._probed = grpc.aio.server(options=_GUARDS)
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._probed)
            self.health_address = bind(self._probed, "health_listen", self._settings.health_listen)
            await self._probed.start()


def _tracing(settings: Settings) -> "Tracing | None":
    if settings.traces is None:
        return None
    try:
        from depesche.server.tracing import Tracing  # noqa: PLC0415 - OpenTelemetry is an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "traces: OpenTelemetry isn't installed; `pip install 'depesche[tracing]'` adds it"
        ) from error
    return Tracing.to(settings.traces)


def _options(settings: Settings) -> list[tuple[str, int]]:
    """Give gRPC's own options."""
    return [
        *_GUARDS,
        # A message over gRPC's limit ends its whole stream; one over ours fails alone.
        ("grpc.max_receive_message_length", min(4 * settings.max_message_bytes, _MAX_INT)),
        # Calls under way on an old connection may end: there is no limit to the grace by default.
        ("grpc.max_connection_age_ms", settings.connection_age_seconds * 1000),
    ]


def _from_other_threads(engine: Engine) -> Statistics:
    """Let other threads read the queues, which change on this event loop only."""
    loop = asyncio.get_running_loop()

    async def statistics() -> Mapping[str, QueueStatistics]:
        return engine.statistics()

    def read() -> Mapping[str, QueueStatistics]:
        return asyncio.run_coroutine_threadsafe(statistics(), loop).result(_SCRAPE_SECONDS)

    return read


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or leave it off as soon as the event is set."""
    tasks = [asyncio.create_task(work), asyncio.ensure_future(event.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


@contextmanager
def _signals(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Call the handlers on their signals."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)

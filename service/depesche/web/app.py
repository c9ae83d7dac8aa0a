"""The web service: the page and the JSON edge behind their guards, until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import grpc.aio
import structlog
import uvicorn
from starlette.applications import Starlette

from depesche.channel import Connection
from depesche.errors import ConfigurationError
from depesche.server.listen import split
from depesche.web import edge
from depesche.web.calls import Caller
from depesche.web.limits import Limits, guarded, hosts_of
from depesche.web.page import routes as page
from depesche.web.page.kept import Kept, opened

__all__ = ["Web", "serve"]

_log = structlog.get_logger()
# For answers under way when it is told to stop.
_GRACE_SECONDS = 10
# Connections at a time, idle ones too.
_CONNECTIONS = 500


class _Server(uvicorn.Server):
    """A server that leaves signals to its owner; else one would end the process before the rest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


class Web:
    """The web service on one address.

    Attributes:
        address: where it listens, HOST:PORT, with the port that it got.
    """

    def __init__(
        self,
        listen: str,
        channel: grpc.aio.Channel,
        *,
        token: str = "",
        hosts: Sequence[str] = (),
        requests_per_minute: int = 0,
        max_body_bytes: int = 4 * 1024 * 1024,
        kept: Kept | None = None,
    ) -> None:
        """Listen; nobody is answered before `run`.

        Args:
            listen: HOST:PORT; port 0 for any free one.
            channel: the way to the gRPC service.
            token: the service's token, for requests that bring none.
            hosts: names by which it may be asked for, beside this machine's and the listener's.
            requests_per_minute: requests that do work, for each client's address; 0 for any number.
            max_body_bytes: most bytes of a request.
            kept: the briefs that are kept; None to keep none.

        Raises:
            ConfigurationError: the address is wrong, in use or not allowed.
        """
        self._kept = kept
        self._socket = _bound(listen)
        host, port = self._socket.getsockname()[:2]
        self.address = f"{host}:{port}"
        limits = Limits(hosts_of(listen, hosts), requests_per_minute, page_policy=page.POLICY)
        caller = Caller(channel, token)
        # A brief is longer as JSON than as a message.
        pages = page.routes(caller, max_body_bytes=2 * max_body_bytes, kept=kept)
        app = Starlette(routes=[*edge.routes(caller, max_body_bytes=max_body_bytes), *pages])
        self._server = _Server(
            uvicorn.Config(
                guarded(app, limits),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                proxy_headers=False,  # a client could name any address, and pass the rate limit
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    async def run(self) -> None:
        """Serve until `stop`, then let the answers under way end."""
        _log.info("web_ready", listen=self.address)
        async with nullcontext() if self._kept is None else self._kept.swept():
            await self._server.serve(sockets=[self._socket])
        _log.info("web_stopped")

    def stop(self) -> None:
        """Have `run` end."""
        self._server.should_exit = True


async def serve(
    listen: str,
    connection: Connection,
    *,
    hosts: Sequence[str] = (),
    requests_per_minute: int = 0,
    max_body_bytes: int = 4 * 1024 * 1024,
    keep: Path | None = None,
    keep_days: int = 30,
) -> None:
    """Serve the page and JSON before a gRPC service until SIGTERM or SIGINT; see `Web`.

    Args:
        listen: HOST:PORT.
        connection: the way to the service.
        hosts: names by which it may be asked for, beside this machine's and the listener's.
        requests_per_minute: requests that do work, for each client's address; 0 for any number.
        max_body_bytes: most bytes of a request.
        keep: the file in which briefs are kept; None to keep none.
        keep_days: how many days each is kept.

    Raises:
        ConfigurationError: the address or the file can't be used.
    """
    with opened(keep, keep_days) as kept:
        async with connection.open() as channel:
            web = Web(
                listen,
                channel,
                token=connection.token,
                hosts=hosts,
                requests_per_minute=requests_per_minute,
                max_body_bytes=max_body_bytes,
                kept=kept,
            )
            loop = asyncio.get_running_loop()
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(each, web.stop)
            await web.run()


def _bound(listen: str) -> socket.socket:
    host, port = split("--listen", listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host.strip("[]"), port))
        # So that who is told of the address can connect before the first answer.
        found.listen(128)
    except OSError as error:
        found.close()
        rule = f"can't listen on {listen}: {error.strerror}"
        raise ConfigurationError(f"--listen: {rule}") from error
    return found

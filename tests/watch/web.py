"""A local web server that misbehaves as told: feeds, pages, and webhooks that take briefs."""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

__all__ = ["Reply", "Seen", "WebServer"]

_BLOCK = b"x" * 2**16


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        body: what is sent.
        status: its status.
        headers: its headers; of `content-length` there is one unless told otherwise.
        etag: validator, by which the same content is answered 304.
        modified: another one.
        short: announce so many bytes more than are sent.
        endless: send more for as long as anybody reads.
        drop: close the connection instead.
        gate: set `arrived`, and hold the answer until `gate` is set.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: str = ""
    short: int = 0
    endless: bool = False
    drop: bool = False
    gate: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class WebServer:
    """The server, in threads, for as long as the context lasts.

    Attributes:
        seen: all requests in the order in which they came.
        url: its address.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._always: dict[str, Reply] = {}
        self._next: dict[str, deque[Reply]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._gates: list[threading.Event] = []
        web = self

        class Handler(_Handler):
            owner = web

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for gate in self._gates:
            gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, path: str, reply: Reply) -> str:
        """Answer so whenever nothing else is due; gives the address."""
        self._always[path] = reply
        return self.url + path

    def script(self, path: str, *replies: Reply) -> None:
        """Answer the next requests so, one reply each."""
        self._gates += [reply.gate for reply in replies if reply.gate]
        self._next[path].extend(replies)

    def asked(self, path: str) -> list[Seen]:
        """Give the requests for a path."""
        return [seen for seen in self.seen if seen.path == path]

    def take(self, seen: Seen) -> Reply:
        """Note a request and choose its answer."""
        with self._lock:
            self.seen.append(seen)
            due = self._next[seen.path]
            return due.popleft() if due else self._always.get(seen.path, Reply(status=404))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go before they have it all."""


class _Handler(BaseHTTPRequestHandler):
    owner: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        announced = int(self.headers["content-length"])
        body = self.rfile.read(announced)
        if len(body) == announced:  # else the client was killed amid its request, which is none
            self._answer(body)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.owner.take(Seen(self.command, self.path, headers, body))
        reply.arrived.set()
        if reply.gate:
            reply.gate.wait()
        if reply.drop:
            self.close_connection = True
            return
        validators = (("if-none-match", reply.etag), ("if-modified-since", reply.modified))
        known = any(value and headers.get(name) == value for name, value in validators)
        self._send(Reply(status=304, etag=reply.etag) if known else reply)

    def _send(self, reply: Reply) -> None:
        named = {"etag": reply.etag, "last-modified": reply.modified, **reply.headers}
        self.send_response(reply.status)
        for name, value in named.items():
            if value:
                self.send_header(name, value)
        if reply.endless or reply.short:
            self.close_connection = True
        if not reply.endless:
            self.send_header("content-length", str(len(reply.body) + reply.short))
        self.end_headers()
        self.wfile.write(reply.body)
        while reply.endless:
            self.wfile.write(_BLOCK)

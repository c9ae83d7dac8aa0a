"""A local server that speaks the Hugging Face hub's HTTP protocol, and fails as told.

It answers what `huggingface_hub` asks for when it downloads: a model's revision and tree, and
`resolve`, which redirects files of Git LFS to another host (the same server by another name) and
the others to a path of its own. Asked as a proxy, it answers for any host.
"""

import hashlib
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

__all__ = ["Cut", "Fault", "HubServer", "Oversend", "Pause", "Refuse", "Request", "Serve"]

_LFS_SUFFIXES = (".bin", ".model", ".npz", ".safetensors", ".spm")
_BLOCK = 2**13


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with a status instead of what was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Cut:
    """Announce everything, and close the connection after so many bytes of the answer."""

    after: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait after so many bytes until told to go on; `reached` says that it waits."""

    after: int
    reached: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Serve:
    """Send other content than is announced; ranges of it where `ranges`, or else always whole."""

    content: bytes
    ranges: bool = True


@dataclass(frozen=True, slots=True)
class Oversend:
    """Send more bytes than the hub announced, in an answer that tells no length of its own."""

    surplus: bytes


Fault = Refuse | Cut | Pause | Serve | Oversend
Stage = Literal["api", "resolve", "content"]


@dataclass(slots=True)
class Request:
    """A request as it came, and how many bytes of content were sent for it."""

    method: str
    host: str
    path: str
    stage: Stage
    name: str
    headers: Mapping[str, str]
    sent: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    is_lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def git_blob(self) -> str:
        salted = f"blob {len(self.content)}\0".encode() + self.content
        return hashlib.sha1(salted, usedforsecurity=False).hexdigest()

    @property
    def tag(self) -> str:
        return self.sha256 if self.is_lfs else self.git_blob

    def lfs(self) -> dict[str, Any]:
        entry = {"sha256": self.sha256, "oid": self.sha256}
        return {**entry, "size": len(self.content), "pointerSize": 134}


@dataclass(frozen=True, slots=True)
class _Repository:
    files: Mapping[str, _File]
    commit: str
    branches: tuple[str, ...]
    token: str | None

    def has(self, revision: str) -> bool:
        return revision == self.commit or revision in self.branches


class HubServer:
    """The server, in a thread, for as long as the context lasts.

    Attributes:
        requests: all requests in the order in which they came.
        endpoint: its address as the hub.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._repositories: dict[str, _Repository] = {}
        self._faults: dict[tuple[Stage, str], deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.endpoint = f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Its port; `localhost` at this port is the other host, which keeps files of Git LFS."""
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for faults in self._faults.values():
            for fault in faults:
                if isinstance(fault, Pause):
                    fault.resume.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(
        self,
        repository: str,
        files: Mapping[str, bytes],
        *,
        branches: Iterable[str] = ("main",),
        token: str | None = None,
    ) -> str:
        """Add a repository, which is gated where it has a token, and return its commit."""
        kept = {name: _File(data, name.endswith(_LFS_SUFFIXES)) for name, data in files.items()}
        state = "".join(f"{name} {file.tag}\n" for name, file in kept.items())
        commit = hashlib.sha1(state.encode(), usedforsecurity=False).hexdigest()
        self._repositories[repository] = _Repository(kept, commit, tuple(branches), token)
        return commit

    def script(self, name: str, *faults: Fault, stage: Stage = "content") -> None:
        """Have the next requests for a file fail, one fault each; `api` faults go by repository.

        Files of Git LFS are asked for at `resolve` and `content`, by GET; so are the others.
        """
        self._faults[stage, name].extend(faults)

    def sent(self, name: str) -> int:
        """Count the bytes of a file's content that were sent, over all requests."""
        return sum(r.sent for r in self.requests if r.name == name and r.stage == "content")

    def asked(self, name: str, stage: Stage = "content") -> list[Request]:
        """Return the requests for a file at a stage."""
        return [r for r in self.requests if r.name == name and r.stage == stage]

    def record(self, request: Request) -> Fault | None:
        """Record a request and take the fault that is due."""
        with self._lock:
            self.requests.append(request)
            faults = self._faults[request.stage, request.name]
            return faults.popleft() if faults and request.method == "GET" else None

    def repository(self, name: str) -> _Repository | None:
        return self._repositories.get(name)

    def by_digest(self, digest: str) -> tuple[str, _File] | None:
        """Find a file of Git LFS as the other host keeps it."""
        for repository in self._repositories.values():
            for name, file in repository.files.items():
                if file.is_lfs and file.sha256 == digest:
                    return name, file
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    server_address: tuple[str, int]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server_hub: HubServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _route(self) -> None:
        url = urlsplit(self.path)
        self._path = url.path
        self._host = url.netloc or self.headers.get("Host", "")
        for pattern, method in _ROUTES:
            if match := re.fullmatch(pattern, url.path):
                method(self, *(unquote(part) for part in match.groups()))
                return
        self._refuse(404)

    def _begin(self, stage: Stage, name: str) -> tuple[Request, Fault | None]:
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = Request(self.command, self._host, self._path, stage, name, headers)
        return request, self.server_hub.record(request)

    def _find(self, name: str, revision: str) -> _Repository | None:
        """Find a repository, or refuse the request as the hub does."""
        repository = self.server_hub.repository(name)
        authorization = self.headers.get("Authorization")
        if repository is None:
            # The hub won't tell strangers what there is.
            if authorization is None:
                self._refuse(401, {"X-Error-Message": "Invalid username or password."})
            else:
                self._refuse(404, {"X-Error-Code": "RepoNotFound"})
        elif repository.token and authorization != f"Bearer {repository.token}":
            status = 401 if authorization is None else 403
            self._refuse(status, {"X-Error-Code": "GatedRepo"})
        elif not repository.has(revision):
            self._refuse(404, {"X-Error-Code": "RevisionNotFound"})
        else:
            return repository
        return None

    def _info(self, name: str, revision: str = "main") -> None:
        _, fault = self._begin("api", name)
        if isinstance(fault, Refuse):
            self._refuse(fault.status, fault.headers, fault.body)
        elif (repository := self._find(name, revision)) is not None:
            siblings = [
                {"rfilename": path, "size": len(file.content), "blobId": file.git_blob}
                | ({"lfs": file.lfs()} if file.is_lfs else {})
                for path, file in repository.files.items()
            ]
            self._json({"id": name, "sha": repository.commit, "siblings": siblings})

    def _tree(self, name: str, revision: str) -> None:
        self._begin("api", name)
        if (repository := self._find(name, revision)) is not None:
            self._json(
                [
                    {"type": "file", "oid": file.git_blob, "size": len(file.content), "path": path}
                    | ({"lfs": file.lfs()} if file.is_lfs else {})
                    for path, file in repository.files.items()
                ]
            )

    def _resolve(self, name: str, revision: str, path: str) -> None:
        _, fault = self._begin("resolve", path)
        if isinstance(fault, Refuse):
            self._refuse(fault.status, fault.headers, fault.body)
            return
        if (repository := self._find(name, revision)) is None:
            return
        if (file := repository.files.get(path)) is None:
            self._refuse(404, {"X-Error-Code": "EntryNotFound"})
            return
        if file.is_lfs:
            location = f"http://localhost:{self.server_hub.port}/lfs/{file.sha256}"
        else:
            location = f"/api/resolve-cache/models/{name}/{repository.commit}/{path}"
        self._start(
            302 if file.is_lfs else 307,
            {
                "Location": location,
                "X-Repo-Commit": repository.commit,
                "X-Linked-Size": str(len(file.content)),
                "X-Linked-Etag": f'"{file.tag}"',
                "Content-Length": "0",
            },
        )

    def _cached(self, name: str, revision: str, path: str) -> None:
        if (repository := self._find(name, revision)) is not None:
            headers = {"X-Repo-Commit": revision, "ETag": f'"{repository.files[path].tag}"'}
            self._content(path, repository.files[path], headers)

    def _lfs(self, digest: str) -> None:
        if (found := self.server_hub.by_digest(digest)) is None:
            self._refuse(404)
        else:
            name, file = found
            self._content(name, file, {"ETag": f'"{hashlib.md5(file.content).hexdigest()}"'})  # noqa: S324

    def _content(self, name: str, file: _File, headers: Mapping[str, str]) -> None:
        request, fault = self._begin("content", name)
        if isinstance(fault, Refuse):
            self._refuse(fault.status, fault.headers, fault.body)
            return
        content = fault.content if isinstance(fault, Serve) else file.content
        start = self._range() if not isinstance(fault, Serve) or fault.ranges else None
        if start is not None and start >= len(content):
            self._refuse(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[start or 0 :]
        extent = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.close_connection = isinstance(fault, Oversend)
        self._start(
            200 if start is None else 206,
            {
                **headers,
                "Accept-Ranges": "bytes",
                **({} if start is None else {"Content-Range": extent}),
                **({} if self.close_connection else {"Content-Length": str(len(body))}),
            },
        )
        if self.command == "GET":
            self._send(
                request, body + fault.surplus if isinstance(fault, Oversend) else body, fault
            )

    def _range(self) -> int | None:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return None if match is None else int(match[1])

    def _send(self, request: Request, body: bytes, fault: Fault | None) -> None:
        stop = fault.after if isinstance(fault, Cut | Pause) else 0
        self._write(request, body[:stop])
        if isinstance(fault, Cut):
            self.close_connection = True
            return
        if isinstance(fault, Pause):
            fault.reached.set()
            fault.resume.wait()
        self._write(request, body[stop:])

    def _write(self, request: Request, body: bytes) -> None:
        for position in range(0, len(body), _BLOCK):
            block = body[position : position + _BLOCK]
            self.wfile.write(block)
            self.wfile.flush()
            request.sent += len(block)

    def _json(self, document: object) -> None:
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._start(200, headers)
        if self.command == "GET":
            self.wfile.write(body)
            self.wfile.flush()

    def _refuse(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        self._start(status, {**(headers or {}), "Content-Length": str(len(body))})
        if self.command == "GET":
            self.wfile.write(body)
            self.wfile.flush()

    def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()


_ROUTES: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"/api/models/(.+)/revision/([^/]+)", _Handler._info),
    (r"/api/models/(.+)/tree/([^/]+)", _Handler._tree),
    (r"/api/resolve-cache/models/([^/]+/[^/]+)/([^/]+)/(.+)", _Handler._cached),
    (r"/api/models/(.+)", _Handler._info),
    (r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", _Handler._resolve),
    (r"/lfs/([0-9a-f]{64})", _Handler._lfs),
)

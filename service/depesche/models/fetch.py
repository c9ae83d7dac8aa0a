"""Files of a model from the hub into a folder: several at once, resumed, checked to the byte.

Nothing that serves requests imports this; commands do when they need it.
"""

import fcntl
import hashlib
import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from threading import Event, Lock
from typing import TypeVar

from depesche.errors import ModelError
from depesche.models.disk import is_full, room_fault, sync_folder
from depesche.models.hub import Answer, Hub, HubBusy, Listing, RemoteFile
from depesche.models.safety import HEAD_BYTES, head_fault, name_fault

__all__ = ["FetchedFile", "Listing", "Progress", "RemoteFile", "fetch", "list_files"]

Progress = Callable[[str, int, int], None]
"""Called with a file's name, its bytes that are here, and its size; never twice at a time."""

_Result = TypeVar("_Result")

_COMMIT = re.compile(r"[0-9a-f]{40}")
_PARALLEL = 4
_TRIES = 6  # in a row, without this many bytes in between:
_HEADWAY = 2**20
_LONGEST_BACKOFF = 30.0
_LONGEST_WAIT = 600.0  # the hub's limits count over five minutes
_LOCK_POLL = 0.1


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file that is in the folder, whole and checked.

    Attributes:
        name: its name, relative to the folder.
        size: its size in bytes.
        sha256: its SHA-256 in lower-case hexadecimal.
    """

    name: str
    size: int
    sha256: str


def fetch(
    repository: str,
    revision: str,
    files: Sequence[RemoteFile],
    into: Path,
    progress: Progress,
    *,
    endpoint: str | None = None,
    offline: bool = False,
    backoff: float = 1.0,
) -> tuple[FetchedFile, ...]:
    """Fetch files of a repository; what a break or a kill leaves is gone on from the next time.

    A file appears under its name only when it is whole and its digest is right: the one that is
    given, or else the one that the hub announces. Until then it is `NAME.KEY.partial`, where KEY
    stands for repository and revision. Two processes may fetch into the same folder: each file is
    loaded by one, and the other waits for it.

    Args:
        repository: its name on the hub.
        revision: a commit of 40 hexadecimal digits, since branches and tags move.
        files: what to fetch; sizes and digests that are given must be met.
        into: the folder, made if it isn't there.
        progress: called from threads, one call at a time.
        endpoint: address of the hub; None takes HF_ENDPOINT, or else huggingface.co.
        offline: whether only files that are here, with a digest given, are taken.
        backoff: seconds before the first new try, doubled with each; Retry-After goes before.

    Returns:
        The files, in the order given.

    Raises:
        ModelError: a file can't be had, differs from what is pinned or announced, isn't safe, or
            doesn't fit the disk; the message names it and says what to do.
    """
    if not _COMMIT.fullmatch(revision):
        raise ModelError(
            f"{repository}: revision {revision!r} isn't a commit; pin its 40 hexadecimal digits"
        )
    hub = Hub(repository, revision, endpoint, offline)
    for file in files:
        if fault := name_fault(file.name):
            raise hub.error(repr(file.name), fault)
    if len({file.name for file in files}) < len(files):
        raise ModelError(f"{repository}: the files to fetch must differ in name")
    downloads = [_Download(hub, file, into, progress, backoff) for file in files]
    try:
        into.mkdir(parents=True, exist_ok=True)
        _check_space(hub, into, sum(download.missing() for download in downloads))
        return _run_together(downloads)
    except OSError as error:
        raise ModelError(f"{repository}: {into} can't be written: {error.strerror}") from error


def list_files(
    repository: str, revision: str, *, endpoint: str | None = None, backoff: float = 1.0
) -> Listing:
    """Ask which commit a branch, tag or commit names, and which files it holds.

    Raises:
        ModelError: there is no such repository or revision, or the hub can't be reached.
    """
    hub = Hub(repository, revision, endpoint)
    return _persist(hub, "the repository", hub.list_files, _Pace(backoff))


class _Stopped(Exception):
    """Another file failed, or the user gave up."""


@dataclass(slots=True)
class _Shared:
    """What the downloads of one call share."""

    stop: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)


@dataclass(slots=True)
class _Pace:
    """How long to wait between tries, and what ends the waiting."""

    backoff: float
    stop: Event = field(default_factory=Event)
    failures: int = 0
    restarted: bool = False

    def wait(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise _Stopped

    def delay(self) -> float:
        longest = min(self.backoff * 2.0 ** (self.failures - 1), _LONGEST_BACKOFF)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients, hides nothing


def _persist(
    hub: Hub,
    name: str,
    attempt: Callable[[], _Result],
    pace: _Pace,
    position: Callable[[], int] = lambda: 0,
) -> _Result:
    """Try until it works, fails for good, or has failed often without headway."""
    while True:
        begin = position()
        try:
            return attempt()
        except HubBusy as error:
            if position() - begin >= _HEADWAY:
                pace.failures = 0
            pace.failures += 1
            if pace.failures >= _TRIES:
                raise hub.error(
                    name, f"couldn't be fetched in {_TRIES} tries, {error}; pull again later"
                ) from error
            seconds = pace.delay() if error.retry_after is None else error.retry_after
            if seconds > _LONGEST_WAIT:
                raise hub.error(
                    name, f"can't be had now, the hub asks to come again in {seconds:.0f} seconds"
                ) from error
        pace.wait(seconds)


def _run_together(downloads: Sequence["_Download"]) -> tuple[FetchedFile, ...]:
    shared = _Shared()
    with ThreadPoolExecutor(_PARALLEL, "fetch") as pool:
        futures = [pool.submit(download.run, shared) for download in downloads]
        try:
            errors = [future.exception() for future in futures]
        except BaseException:  # the user's interrupt: the threads must not outlast it
            shared.stop.set()
            raise
    for error in errors:
        if error is not None and not isinstance(error, _Stopped):
            raise error
    return tuple(future.result() for future in futures)


@dataclass(frozen=True, slots=True)
class _Download:
    """One file on its way into the folder."""

    hub: Hub
    file: RemoteFile
    into: Path
    progress: Progress
    backoff: float

    @property
    def path(self) -> Path:
        return self.into / self.file.name

    @property
    def partial(self) -> Path:
        origin = f"{self.hub.repository}@{self.hub.revision}".encode()
        key = hashlib.sha256(origin).hexdigest()[:12]
        return self.path.with_name(f"{self.path.name}.{key}.partial")

    def missing(self) -> int:
        """Tell how many bytes are still to come, 0 where that isn't known."""
        sizes = (path.stat().st_size for path in (self.path, self.partial) if path.is_file())
        return max(0, (self.file.size or 0) - max(sizes, default=0))

    def run(self, shared: _Shared) -> FetchedFile:
        """Fetch the file, unless it is here; what fails stops the others."""
        try:
            self._make_folder()
            pace = _Pace(self.backoff, shared.stop)
            while True:
                with _hold(self.partial, pace) as content:
                    if content is not None:
                        return self._fetch(content, pace, shared)
        except OSError as error:
            shared.stop.set()
            raise self._disk_error(error) from error
        except BaseException:
            shared.stop.set()
            raise

    def _make_folder(self) -> None:
        folder = self.path.parent
        if not folder.resolve().is_relative_to(self.into.resolve()):
            raise self.hub.error(self.file.name, f"would leave {self.into} by a link; remove it")
        folder.mkdir(parents=True, exist_ok=True)

    def _fetch(self, content: FileIO, pace: _Pace, shared: _Shared) -> FetchedFile:
        def attempt() -> FetchedFile:
            return self._attempt(content, pace, shared)

        def position() -> int:
            return os.fstat(content.fileno()).st_size

        try:
            if (here := self._find()) is None:
                here = _persist(self.hub, self.file.name, attempt, pace, position)
            else:
                content.truncate(0)
        except _Spoilt as error:
            content.truncate(0)
            raise self.hub.error(self.file.name, str(error)) from None
        finally:
            # Under its own name the file has no partial one any more.
            if position() == 0:
                self.partial.unlink(missing_ok=True)
        self._tell(shared, here.size, here.size)
        return here

    def _find(self) -> FetchedFile | None:
        """Find the file as an earlier call left it, where a pinned digest can tell."""
        if self.file.sha256 is None or not self.path.is_file():
            return None
        here = self._measure(self.path)
        right = here.sha256 == self.file.sha256 and self.file.size in (None, here.size)
        return here if right else None

    def _measure(self, path: Path) -> FetchedFile:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            return FetchedFile(self.file.name, content.tell(), digest)

    def _attempt(self, content: FileIO, pace: _Pace, shared: _Shared) -> FetchedFile:
        if shared.stop.is_set():
            raise _Stopped
        start = content.seek(0, os.SEEK_END)
        if start == self.file.size and self.file.sha256 is not None:
            return self._finish(content, None, pace, start)
        with self.hub.open(self.file.name, start) as answer:
            self._check_size(answer)
            if self.file.sha256 is None and self._is_announced(self.path, answer):
                content.truncate(0)
                return self._measure(self.path)
            self._receive(content, answer, shared)
            return self._finish(content, answer, pace, start)

    def _check_size(self, answer: Answer) -> None:
        if self.file.size not in (None, answer.size):
            raise _Spoilt(
                f"has {answer.size} bytes on the hub, and {self.file.size} are pinned;"
                " check the manifest and the mirror"
            )
        have = self.partial.stat().st_size
        _check_space(self.hub, self.into, answer.size - have)

    def _receive(self, content: FileIO, answer: Answer, shared: _Shared) -> None:
        """Write what comes; what came before stays where the answer goes on from it."""
        have = content.seek(answer.start)
        content.truncate()
        checked = False
        for chunk in answer.chunks:
            have += len(chunk)
            if have > answer.size:
                raise _Spoilt(f"is longer than the {answer.size} bytes announced; use the hub")
            _write(content, chunk)
            if not checked and have >= HEAD_BYTES:
                self._check_head(content)
                checked = True
            self._tell(shared, have, answer.size)
            if shared.stop.is_set():
                raise _Stopped
        if have < answer.size:
            raise HubBusy(f"the connection ended after {have} of {answer.size} bytes")
        if have > answer.size:  # more came before than the file has
            content.truncate(0)
            raise HubBusy(f"{have} bytes were here and the file has {answer.size}")

    def _check_head(self, content: FileIO) -> None:
        head = os.pread(content.fileno(), HEAD_BYTES, 0)
        if fault := head_fault(self.file.name, head):
            raise _Spoilt(fault)

    def _finish(
        self, content: FileIO, answer: Answer | None, pace: _Pace, start: int
    ) -> FetchedFile:
        """Check the whole file and give it its name."""
        self._check_head(content)
        here = self._measure(self.partial)
        if not self._is_right(here, answer):
            if start > 0 and not pace.restarted:  # what an earlier try left may be what is wrong
                pace.restarted = True
                content.truncate(0)
                raise HubBusy("what was resumed came out with another digest")
            raise _Spoilt(
                f"has digest {here.sha256}, which isn't the one pinned or announced;"
                " nothing of it was kept: check the manifest and the mirror"
            )
        os.fsync(content.fileno())
        self.partial.replace(self.path)
        sync_folder(self.path.parent)
        return here

    def _is_right(self, here: FetchedFile, answer: Answer | None) -> bool:
        """Tell whether the partial file is what is pinned, or else what is announced, if it is."""
        if self.file.sha256 is not None:
            return here.sha256 == self.file.sha256
        if answer is None or (answer.sha256 is None and answer.git_blob is None):
            return True
        return self._is_announced(self.partial, answer)

    def _is_announced(self, path: Path, answer: Answer) -> bool:
        """Tell whether a file is there with a digest that the hub announces."""
        if not path.is_file() or path.stat().st_size != answer.size:
            return False
        if answer.sha256 is not None:
            return self._measure(path).sha256 == answer.sha256
        return answer.git_blob is not None and _git_blob(path) == answer.git_blob

    def _tell(self, shared: _Shared, have: int, size: int) -> None:
        with shared.lock:
            self.progress(self.file.name, have, size)

    def _disk_error(self, error: OSError) -> ModelError:
        if is_full(error):
            kept = self.partial.stat().st_size if self.partial.is_file() else 0
            return self.hub.error(
                self.file.name,
                f"doesn't fit the disk of {self.into}; make room and pull again,"
                f" the {kept} bytes that came are kept",
            )
        return self.hub.error(self.file.name, f"can't be written: {error.strerror or error}")


class _Spoilt(Exception):
    """What came is of no use, and so is its partial file."""


@contextmanager
def _hold(path: Path, pace: _Pace) -> Iterator[FileIO | None]:
    """Open a partial file for this download alone, or None where another has just ended it.

    The lock is the kernel's, so a killed process leaves none behind.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with FileIO(os.open(path, flags, 0o644), "r+") as content:
        while True:
            try:
                fcntl.flock(content, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pace.wait(_LOCK_POLL)
        try:
            is_there = os.path.samestat(os.fstat(content.fileno()), path.stat())
        except FileNotFoundError:
            is_there = False
        yield content if is_there else None


def _write(content: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[content.write(rest) :]


def _check_space(hub: Hub, folder: Path, needed: int) -> None:
    if fault := room_fault(folder, needed):
        raise ModelError(f"{hub.repository}: {fault}")


def _git_blob(path: Path) -> str:
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()

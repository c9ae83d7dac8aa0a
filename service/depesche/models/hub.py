"""The Hugging Face hub, as far as downloads need it: what it holds, and streams of its files.

`huggingface_hub` gives the meaning of the environment (HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and
the timeouts) and its HTTP client, which minds proxies and certificates.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx2
from huggingface_hub import constants, get_session, get_token, hf_hub_url
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

from depesche import __version__
from depesche.errors import ModelError

__all__ = ["Answer", "Hub", "HubBusy", "Listing", "RemoteFile"]

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT_BLOB = re.compile(r"[0-9a-f]{40}")

_OK = 200
_PARTIAL = 206
_UNAUTHORISED = 401
_FORBIDDEN = 403
_TIMEOUT = 408
_NOTHING_LEFT = 416
_TOO_MANY = 429
_SERVER_ERROR = 500


class HubBusy(Exception):
    """A request failed in a way that may pass; never leaves this package.

    Attributes:
        retry_after: seconds that the hub asks to wait, or None where it says nothing.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        name: its path in the repository.
        size: its size in bytes, or None where it isn't known yet.
        sha256: its SHA-256 in lower-case hexadecimal, or None where it isn't known yet.
    """

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a repository holds at one commit.

    Attributes:
        commit: the commit's 40 hexadecimal digits.
        files: all files; only those that Git LFS keeps come with a SHA-256.
    """

    commit: str
    files: tuple[RemoteFile, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The hub's answer to a request for a file.

    Attributes:
        start: position in the file of the first byte that comes.
        size: size of the whole file in bytes, as announced.
        sha256: the file's SHA-256, where the hub announces it.
        git_blob: its name as a Git object (a salted SHA-1), where the hub announces that instead.
        chunks: the bytes.
    """

    start: int
    size: int
    sha256: str | None
    git_blob: str | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Hub:
    """One repository of the hub, or of a mirror, at one revision.

    Attributes:
        repository: its name, such as `Helsinki-NLP/opus-mt-de-en`.
        revision: a commit, or for `list_files` a branch or tag too.
        endpoint: address of the hub; None takes HF_ENDPOINT, or else huggingface.co.
        offline: whether requests are refused; HF_HUB_OFFLINE refuses them too.
    """

    repository: str
    revision: str
    endpoint: str | None = None
    offline: bool = False

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise ModelError(f"{self.repository!r} isn't the name of a repository, as owner/name")

    def error(self, name: str, fault: str) -> ModelError:
        """Make an error that names repository, revision and file."""
        return ModelError(f"{self.repository} at {self.revision[:12]}: {name} {fault}")

    def list_files(self) -> Listing:
        """Ask what the repository holds, and at which commit.

        Raises:
            HubBusy: it may work later.
            ModelError: it won't.
        """
        path = f"/api/models/{self.repository}/revision/{quote(self.revision, safe='')}"
        address = (self.endpoint or constants.ENDPOINT) + path + "?blobs=true"
        with self._request("the repository", address, {}) as response:
            self._check("the repository", response)
            response.read()
            try:
                document = response.json()
                files = tuple(_file(entry) for entry in document["siblings"])
                return Listing(str(document["sha"]), files)
            except (ValueError, LookupError, TypeError) as error:
                raise self.error("the repository", f"has no readable listing: {error!r}") from error

    @contextmanager
    def open(self, name: str, start: int = 0) -> Iterator[Answer]:
        """Ask for a file from a position on; the answer may begin at 0 all the same.

        Raises:
            HubBusy: it may work later; so may reading the chunks.
            ModelError: it won't; the message says what to do.
        """
        address = hf_hub_url(self.repository, name, revision=self.revision, endpoint=self.endpoint)
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._request(name, address, headers) as response:
            yield self._answer(name, start, response)

    @contextmanager
    def _request(
        self, name: str, address: str, headers: Mapping[str, str]
    ) -> Iterator[httpx2.Response]:
        if self.offline:
            raise self.error(name, "isn't here, and downloads are switched off")
        try:
            with get_session().stream(
                "GET",
                address,
                headers={**_headers(), **headers},
                timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
                follow_redirects=True,
            ) as response:
                yield response
        except OfflineModeIsEnabled:
            raise self.error(
                name, "isn't here, and HF_HUB_OFFLINE forbids downloads; unset it, or import a copy"
            ) from None
        except (
            httpx2.TimeoutException,
            httpx2.NetworkError,
            httpx2.RemoteProtocolError,
        ) as error:
            raise HubBusy(f"the connection failed: {error or type(error).__name__}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self.error(
                name, f"can't be asked for: {error}; check HF_ENDPOINT and the proxy's settings"
            ) from error

    def _answer(self, name: str, start: int, response: httpx2.Response) -> Answer:
        self._check(name, response)
        # What concerns the repository stands in the hub's own answer, which then redirects.
        headers: dict[str, str] = {}
        for part in [response, *reversed(response.history)]:
            headers |= part.headers
        self._check_commit(name, headers)
        first, total = self._extent(name, start, response)
        sizes = {
            size for size in (total, _number(headers.get("x-linked-size"))) if size is not None
        }
        if len(sizes) != 1:
            said = " and ".join(map(str, sorted(sizes))) or "no"
            raise self.error(name, f"is announced with {said} bytes; use the hub or another mirror")
        tag = headers.get("x-linked-etag", "").removeprefix("W/").strip('"')
        return Answer(
            start=first,
            size=sizes.pop(),
            sha256=tag if _SHA256.fullmatch(tag) else None,
            git_blob=tag if _GIT_BLOB.fullmatch(tag) else None,
            # What comes with 416 is a message, not a part of the file.
            chunks=iter(()) if response.status_code == _NOTHING_LEFT else response.iter_raw(),
        )

    def _check_commit(self, name: str, headers: Mapping[str, str]) -> None:
        commit = headers.get("x-repo-commit", self.revision)
        if commit != self.revision:
            raise self.error(name, f"comes from another commit, {commit[:40]}; use another mirror")

    def _extent(self, name: str, start: int, response: httpx2.Response) -> tuple[int, int | None]:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.error(name, "comes compressed, against what was asked; use another mirror")
        if response.status_code == _OK:
            return 0, _number(response.headers.get("content-length"))
        extent = _RANGE.fullmatch(response.headers.get("content-range", ""))
        if extent is None or extent[1] not in (None, str(start)):
            raise HubBusy("the hub sent another part of the file than was asked for")
        return start, int(extent[2])

    def _check(self, name: str, response: httpx2.Response) -> None:
        status = response.status_code
        if status in (_OK, _PARTIAL, _NOTHING_LEFT):
            return
        if status in (_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR:
            raise HubBusy(f"the hub answers {status}", _retry_after(response))
        endpoint = self.endpoint or constants.ENDPOINT
        page = f"{endpoint}/{self.repository}"
        match response.headers.get("x-error-code"):
            case "GatedRepo":
                fault = f"needs consent to terms: give it at {page}, and set HF_TOKEN"
            case "RepoNotFound":
                fault = f"isn't at {endpoint}: the repository is unknown there, or needs HF_TOKEN"
            case "RevisionNotFound":
                fault = f"isn't at {endpoint}: the repository has no such revision"
            case "EntryNotFound":
                fault = f"isn't at {endpoint}: the revision has no such file"
            case _ if status in (_UNAUTHORISED, _FORBIDDEN):
                fault = (
                    f"is refused ({status}): check the repository's name,"
                    f" and set HF_TOKEN to a token that may read {page}"
                )
            case _:
                fault = f"can't be had from {endpoint}, which answers {status}"
        raise self.error(name, fault)


def _headers() -> dict[str, str]:
    # `huggingface_hub.utils.build_hf_headers` isn't used: it asks the hub for more on its own and
    # reports what is installed.
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    headers = {"User-Agent": f"depesche/{__version__}", "Accept-Encoding": "identity"}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _file(entry: Mapping[str, Any]) -> RemoteFile:
    lfs = entry.get("lfs") or {}
    return RemoteFile(
        str(entry["rfilename"]), lfs.get("size", entry.get("size")), lfs.get("sha256")
    )


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None


def _retry_after(response: httpx2.Response) -> float | None:
    limit = parse_ratelimit_headers(response.headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    value = response.headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())

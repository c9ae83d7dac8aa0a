"""Who calls: tokens, the clients that they stand for, and the interceptor that asks for them.

The file of tokens has a line a token, `name:token` or `name:token:requests_per_minute`. Blank lines
and those that begin with `#` are left out. A client may have several tokens, so that it can go from
one to the next.
"""

import hmac
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from depesche.config import TOKEN, Settings
from depesche.errors import ConfigurationError, Unauthenticated
from depesche.server.files import WatchedFiles
from depesche.server.interceptors import Context, Handler, OwnMethods, run_within

__all__ = ["CALLER", "AuthenticationInterceptor", "Caller", "Tokens"]

_NAME = re.compile(r"[a-z0-9-]{1,32}")
_RATE = re.compile(r"[1-9][0-9]{0,6}")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that a token stands for.

    Attributes:
        name: its name in the file of tokens; "" for the token of the settings.
        requests_per_minute: its quota; None for none.
    """

    name: str = ""
    requests_per_minute: int | None = None


CALLER: ContextVar[Caller] = ContextVar("CALLER")
"""The client of the call under way, once its token was checked."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A token, of which only the hash is kept."""

    digest: bytes
    caller: Caller


class Tokens:
    """The tokens that let a call in; follows the file as it changes.

    A file that breaks a rule is an error in the log, and the tokens before it stay.
    """

    def __init__(
        self,
        token: str | None = None,
        path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with one token; the file is read by `load`.

        Args:
            token: one token, of a client without name and quota.
            path: the file of tokens.
            clock: tells the time in seconds.
        """
        self._single = [_Entry(_digest(token), Caller())] if token is not None else []
        self._entries = self._single
        self._path = path
        self._watched = WatchedFiles([path] if path is not None else [], clock)

    @classmethod
    def of(cls, settings: Settings) -> "Tokens | None":
        """Make the tokens that the settings name, or give None if they name none."""
        if settings.token is None and settings.tokens_file is None:
            return None
        token = settings.token.get_secret_value() if settings.token is not None else None
        return cls(token, settings.tokens_file)

    def load(self) -> None:
        """Read the file.

        Raises:
            ConfigurationError: it can't be read or breaks a rule.
        """
        if self._path is not None:
            self._entries = self._single + _read(self._path)

    def caller(self, token: str) -> Caller | None:
        """Give the client that a token stands for, in a time that tells nothing of the tokens."""
        self._follow()
        given, found = _digest(token), None
        for entry in self._entries:
            # No early end: its time would tell how far down the list a token stands.
            if hmac.compare_digest(entry.digest, given):
                found = entry.caller
        return found

    def _follow(self) -> None:
        if not self._watched.changed():
            return
        try:
            self.load()
        except ConfigurationError as error:
            _log.error("tokens not reloaded", error=str(error))
        else:
            _log.info("tokens reloaded", tokens=len(self._entries))


class AuthenticationInterceptor(OwnMethods):
    """Lets only calls with a token through, and notes in `CALLER` and the log whose they are."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def admit(self, metadata: Mapping[str, str | bytes]) -> None:
        """Check the token of a call.

        Raises:
            Unauthenticated: there is none, or nobody's.
        """
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        caller = self._tokens.caller(token)
        # The scheme is written in any case (RFC 9110, section 11.1).
        if scheme.lower() != "bearer" or caller is None:
            raise Unauthenticated("a valid token is needed: send 'authorization: Bearer <token>'")
        CALLER.set(caller)

    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap a handler."""
        del method
        return run_within(handler, self._named)

    @asynccontextmanager
    async def _named(self, context: Context) -> AsyncIterator[None]:
        del context
        if (caller := CALLER.get(None)) and caller.name:
            structlog.contextvars.bind_contextvars(client=caller.name)
        yield


def _digest(token: str) -> bytes:
    """Hash a token, so that all have the same length."""
    return sha256(token.encode()).digest()


def _read(path: Path) -> list[_Entry]:
    """Read a file of tokens; errors name a line and its rule, and nothing that stands there."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"tokens_file: {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"tokens_file: {path} isn't UTF-8") from None
    entries: list[_Entry] = []
    for number, line in _lines(text):
        try:
            entry = _parsed(line)
            _check_fits(entry, entries)
        except ValueError as error:
            raise ConfigurationError(f"tokens_file: {path}, line {number}: {error}") from None
        entries.append(entry)
    if not entries:
        raise ConfigurationError(f"tokens_file: {path} holds no token")
    return entries


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give each line that holds a token, with its number from 1."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _parsed(line: str) -> _Entry:
    name, _, rest = line.partition(":")
    token, colon, rate = rest.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError("the name must be 1 to 32 of a-z, 0-9 and -")
    if not TOKEN.fullmatch(token):
        raise ValueError("the token must be printable ASCII without spaces and colons")
    if colon and not _RATE.fullmatch(rate):
        raise ValueError("the requests per minute must be a whole number from 1 to 9999999")
    return _Entry(_digest(token), Caller(name, int(rate) if colon else None))


def _check_fits(entry: _Entry, others: list[_Entry]) -> None:
    for other in others:
        if other.digest == entry.digest:
            raise ValueError("the token stands in an earlier line")
        if other.caller.name == entry.caller.name and other.caller != entry.caller:
            raise ValueError("the requests per minute differ from an earlier line of that client")

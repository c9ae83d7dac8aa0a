"""Briefs brought to their targets: into a folder exactly once, to a webhook at least once."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2
from google.protobuf.json_format import MessageToDict, ParseDict

from depesche import render
from depesche.errors import DepescheError
from depesche.sources import BRIEF_SUFFIXES
from depesche.v1 import types_pb2
from depesche.watch.config import FolderTarget, Webhook
from depesche.watch.fetching import AGENT
from depesche.watch.items import digest
from depesche.watch.records import Delivery, Waiting
from depesche.watch.state import State
from depesche.watch.waiting import Clock, retry_after

__all__ = ["DeliveryFailed", "Folder", "Post", "Target", "body", "file_name", "message_id", "sign"]

_PASSING = frozenset({408, 425, 429})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_UNSAFE_IN_LINK = frozenset("<>`\\")


class DeliveryFailed(DepescheError):
    """A target didn't take a brief; the message never has an address.

    Attributes:
        is_final: whether it never will.
        is_counted: whether there is an end to trying.
        retry_after: seconds that the target asks to wait, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_final: bool = False,
        is_counted: bool = True,
        retry_after: float | None = None,
    ) -> None:
        self.is_final = is_final
        self.is_counted = is_counted
        self.retry_after = retry_after
        super().__init__(reason)


class Target(Protocol):
    """Whatever takes briefs."""

    async def deliver(self, delivery: Delivery) -> None:
        """Bring a brief to the target.

        Raises:
            DeliveryFailed: it isn't there.
        """
        ...


def body(item: Waiting, brief: types_pb2.Brief, now: float) -> str:
    """Write a brief and what is known of its item as JSON, the body of a webhook.

    It is written once and kept, so that all tries and all targets have the same bytes.
    """
    brief.ClearField("id")
    data = {
        "source": item.source,
        "item": item.id,
        "version": item.version,
        "link": item.link,
        "published": item.published,
        "found": _moment(item.first_seen),
        "brief": MessageToDict(brief, always_print_fields_with_no_presence=True),
    }
    event = {"type": "brief.created", "timestamp": _moment(now), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def message_id(delivery: Delivery) -> str:
    """Name a brief at a target, the same whenever it is sent."""
    parts = (delivery.target, delivery.source, delivery.id, delivery.content)
    return f"msg_{digest(*parts)[:40]}"


def sign(secret: bytes, id_: str, timestamp: int, content: bytes) -> str:
    """Sign a message as Standard Webhooks 1.0.0 says, with a shared secret."""
    signed = f"{id_}.{timestamp}.".encode() + content
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def file_name(delivery: Delivery, output_format: str) -> str:
    """Name a brief's file: the day on which its item was found, its source, and a digest."""
    day = datetime.fromtimestamp(delivery.first_seen, UTC).date().isoformat()
    key = digest(delivery.source, delivery.id, delivery.content)[:16]
    return f"{day}-{delivery.source}-{key}{BRIEF_SUFFIXES[output_format]}"


class Folder:
    """Writes each brief to a file, whole and once.

    The file is written beside its place under a hidden name; the state remembers that; the file
    gets its name; the state remembers that. Whenever the process dies, the hidden file tells the
    next one whether the name was given, even where the brief has been taken away since.
    """

    def __init__(self, target: FolderTarget, state: State) -> None:
        """Take the folder, which is made when it is needed, and what remembers."""
        self._target = target
        self._state = state

    async def deliver(self, delivery: Delivery) -> None:
        """Write a brief; see `Target`. A folder is tried without end."""
        path = self._target.path / file_name(delivery, self._target.format)
        if delivery.state == "written":  # perhaps where the plan said otherwise
            path = Path(delivery.place)
        hidden = path.with_name(f".{path.name}.part")
        try:
            if delivery.state == "due":
                await asyncio.to_thread(_write, hidden, self._content(delivery))
                self._state.wrote(delivery, str(path.absolute()))
            await asyncio.to_thread(_name, hidden, path)
        except OSError as error:
            reason = f"can't be written: {error.strerror}"
            raise DeliveryFailed(reason, is_counted=False) from error

    def _content(self, delivery: Delivery) -> bytes:
        if self._target.format == "json":
            return delivery.body.encode() + b"\n"
        data = json.loads(delivery.body)["data"]
        brief = ParseDict(data["brief"], types_pb2.Brief())
        return f"{render.markdown(brief)}\n{_origin(data)}\n".encode()


def _origin(data: dict[str, Any]) -> str:
    """Say where an item is from, unless Markdown might read something else in it."""
    source, link = data["source"], str(data["link"])
    if not link or not link.isprintable() or _UNSAFE_IN_LINK.intersection(link):
        return f"From {source}"
    if link.startswith(("http://", "https://")):
        return f"From {source}: <{link}>"
    return f"From {source}: `{link}`"


def _write(path: Path, content: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        _sync(path.parent.parent)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _name(hidden: Path, path: Path) -> None:
    """Give a file its name, unless it was given before."""
    if hidden.exists():
        hidden.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Post:
    """Posts each brief to a webhook, signed, under an id that stays the same."""

    def __init__(
        self, target: Webhook, client: httpx2.AsyncClient, clock: Clock, seconds: float
    ) -> None:
        """Read the secret.

        Args:
            target: the webhook.
            client: what connects.
            clock: what dates the messages.
            seconds: time that a request may take in all.

        Raises:
            ConfigurationError: the secret is missing, or isn't one.
        """
        self._url = target.url
        self._secret = target.secret()
        self._client = client
        self._clock = clock
        self._seconds = seconds

    async def deliver(self, delivery: Delivery) -> None:
        """Post a brief; see `Target`. Redirects aren't followed."""
        content = delivery.body.encode()
        headers = self._headers(message_id(delivery), content)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(
                    "POST", self._url, content=content, headers=headers, follow_redirects=False
                ) as response,
            ):
                self._check(response)
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {self._seconds:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise DeliveryFailed(f"no answer ({type(error).__name__})") from error

    def _headers(self, id_: str, content: bytes) -> dict[str, str]:
        timestamp = int(self._clock.now())
        return {
            "content-type": "application/json",
            "user-agent": AGENT,
            "idempotency-key": id_,
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._secret, id_, timestamp, content),
        }

    def _check(self, response: httpx2.Response) -> None:
        status = response.status_code
        if response.is_success:
            return
        is_final = _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _PASSING
        wait = retry_after(response.headers.get("retry-after"), self._clock.now())
        raise DeliveryFailed(f"answered {status}", is_final=is_final, retry_after=wait)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

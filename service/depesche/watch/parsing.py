"""A feed read in a process of its own, which can be ended."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from depesche.watch.fetching import FetchFailed

__all__ = ["Bounds", "Parsed", "parse"]

_COMMAND = ("-I", "-X", "utf8", "-m", "depesche.watch.parser")
# What finds the interpreter's libraries; nothing else of the environment, least of all secrets.
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading a feed may take.

    Attributes:
        cpu_seconds: whole seconds that it may compute.
        memory_bytes: address space of the process, with Python and its libraries.
    """

    cpu_seconds: int = 20
    memory_bytes: int = 2**30


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a feed holds.

    Attributes:
        entries: feedparser's, the newest first.
        warning: what is wrong with it, or "".
    """

    entries: list[dict[str, Any]]
    warning: str


_DEFAULT = Bounds()


async def parse(content: bytes, headers: Mapping[str, str], bounds: Bounds = _DEFAULT) -> Parsed:
    """Read a feed.

    Args:
        content: the feed.
        headers: `content-type` and `content-location`, as the server sent them.
        bounds: what it may take.

    Raises:
        FetchFailed: it isn't a feed, or it takes too much.
    """
    asked = {
        "headers": dict(headers),
        "cpu_seconds": bounds.cpu_seconds,
        "memory_bytes": bounds.memory_bytes,
    }
    code, written = await _run(json.dumps(asked).encode() + b"\n" + content)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise FetchFailed("takes too much computing to read")
    if code != 0:
        raise FetchFailed(f"can't be read (code {code})")
    answer = json.loads(written)
    if "error" in answer:
        raise FetchFailed(answer["error"])
    return Parsed(answer["entries"], answer["warning"])


async def _run(sent: bytes) -> tuple[int, bytes]:
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
    except OSError as error:
        raise FetchFailed(f"the reader of feeds can't be run: {error.strerror}") from error
    try:
        written, _ = await process.communicate(sent)
        return process.returncode or 0, written
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

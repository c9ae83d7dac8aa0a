"""A file read in a process of its own, which can't do more harm than end."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import cast
from weakref import WeakKeyDictionary

from depesche.documents.document import DEFAULT, Document, Limits, refuse
from depesche.documents.kinds import kind_of
from depesche.documents.reading import check_size, is_foreign, read_text
from depesche.errors import OperatorError
from depesche.types import ContentFormat

__all__ = ["extract"]

# Files that are read at once: each may take the memory that the limits allow.
_AT_ONCE = 2
_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

_COMMAND = ("-I", "-B", "-X", "utf8", "-m", "depesche.documents")
# What finds the interpreter's libraries; nothing else of the environment, least of all secrets.
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH")
# Of the answer: six for each character, as JSON may write it, and some around them.
_BYTES_A_CHARACTER = 6
_BYTES_AROUND = 100_000


async def extract(
    content: bytes,
    name: str,
    media_type: str = "",
    *,
    limits: Limits = DEFAULT,
    plain: bool = False,
) -> Document:
    """Read a file.

    Anything but text and HTML is read in a process of its own, with limits on its memory, time
    and output; it is killed when they are reached and when the caller is cancelled. Nothing is
    written to disk. Of each event loop's files two are read at once, and others wait.

    Args:
        content: the file.
        name: its name, or "".
        media_type: its media type, with any parameters, or "".
        limits: what it and the reading of it may take.
        plain: whether HTML becomes plain text, see `as_plain`; then it too is read in a process.

    Raises:
        InvalidRequest: it isn't of an accepted kind, is over a limit, broken, encrypted, or holds
            no text.
        OperatorError: the process can't be run.
    """
    check_size(content, limits)
    kind = kind_of(content, name, media_type)
    if not is_foreign(kind, plain=plain):
        return read_text(content, kind, media_type, limits)
    asked = {"name": name, "media_type": media_type, "limits": asdict(limits), "plain": plain}
    async with _slot():
        try:
            async with asyncio.timeout(limits.seconds):
                return _document(*await _run(content, asked, limits))
        except TimeoutError:
            raise refuse(f"takes more than {limits.seconds:g} s to read") from None


def _slot() -> asyncio.Semaphore:
    return _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))


async def _run(content: bytes, asked: Mapping[str, object], limits: Limits) -> tuple[int, bytes]:
    """Have a process read the file; gives its exit code and what it wrote."""
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
    except OSError as error:
        raise OperatorError(f"the reader of documents can't be run: {error.strerror}") from error
    try:
        line = json.dumps(asked).encode() + b"\n"
        written, _ = await asyncio.gather(_answer(process, limits), _send(process, line + content))
        await process.communicate()
        return cast("int", process.returncode), written
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        # Until all is read that it wrote, its end isn't told.
        await process.communicate()


async def _send(process: Process, content: bytes) -> None:
    pipe = cast("asyncio.StreamWriter", process.stdin)
    # A process that has ended reads no more; its exit code says why.
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(content)
        await pipe.drain()
    pipe.close()


async def _answer(process: Process, limits: Limits) -> bytes:
    """Read what the process writes, and end it if that is more than any document."""
    pipe = cast("asyncio.StreamReader", process.stdout)
    most = _BYTES_AROUND + _BYTES_A_CHARACTER * limits.characters
    try:
        await pipe.readexactly(most + 1)
    except asyncio.IncompleteReadError as error:
        return error.partial
    process.kill()
    return b""


def _document(code: int, written: bytes) -> Document:
    """Make sense of how the process ended."""
    if code == 0:
        answer = json.loads(written)
        if "error" in answer:
            raise refuse(answer["error"])
        return Document(
            answer["text"], ContentFormat(answer["content_format"]), answer["title"], answer["kind"]
        )
    if code == -signal.SIGXCPU:
        raise refuse("takes too much computing to read")
    if code == -signal.SIGKILL:
        raise refuse("takes too much memory to read")
    if code < 0:
        raise refuse(f"is broken and can't be read (signal {-code})")
    raise OperatorError(f"the reader of documents ended with code {code}")

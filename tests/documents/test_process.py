import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from depesche.documents import DEFAULT, Document, extract, read
from depesche.documents import process as module
from depesche.errors import InvalidRequest, OperatorError
from depesche.types import ContentFormat
from tests.documents.samples import Line, docx_of, eml_of, page_of, pdf_of
from tests.support import until

_TEXT = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet."
_FILES = {
    "a.txt": _TEXT.encode(),
    "a.html": f"<p>{_TEXT}</p>".encode(),
    "a.docx": docx_of(_TEXT),
    "a.pdf": pdf_of([page_of(_TEXT)]),
    "a.eml": eml_of(_TEXT, subject="Neue Brücke").as_bytes(),
}
# It takes seconds to read: 150 pages of 15,000 characters each.
_LONG = pdf_of([[Line(20, 830 - i, 1, "Wort " * 300) for i in range(10)]] * 150)


@pytest.mark.parametrize("name", _FILES)
async def test_the_same_as_in_this_process(name: str) -> None:
    """A process of its own gives the same document."""
    assert await extract(_FILES[name], name) == read(_FILES[name], name)


async def test_characters_of_all_planes_travel() -> None:
    """No character is lost between the processes."""
    document = await extract(docx_of("Brücke 🌉 ភ្នំពេញ"), "a.docx")

    assert document == Document("<p>Brücke 🌉 ភ្នំពេញ</p>", ContentFormat.HTML, "", "docx")


async def test_an_error_travels() -> None:
    """What is wrong with a file is told as in this process."""
    with pytest.raises(InvalidRequest, match=r"^file: holds no text; it may be a scan$"):
        await extract(pdf_of([[]]), "a.pdf")


@pytest.mark.parametrize("name", ["a.txt", "a.pdf"])
async def test_a_file_that_is_too_large(name: str) -> None:
    """What is too large isn't even given to a process."""
    with pytest.raises(InvalidRequest, match=r"the limit is 10$"):
        await extract(_FILES[name], name, limits=replace(DEFAULT, file_bytes=10))


async def test_time_over() -> None:
    """A file that takes too long is refused as soon as the time is over, and nothing goes on."""
    started = time.monotonic()

    with pytest.raises(InvalidRequest, match=r"^file: takes more than 0.3 s to read$"):
        await extract(_LONG, "a.pdf", limits=replace(DEFAULT, seconds=0.3))

    assert time.monotonic() - started < 2
    assert _children() == []


async def test_computing_over() -> None:
    """A file that takes too much computing is refused, however long it may take."""
    with pytest.raises(InvalidRequest, match=r"^file: takes too much computing to read$"):
        await extract(_LONG, "a.pdf", limits=replace(DEFAULT, cpu_seconds=1))


@pytest.mark.parametrize("megabytes", [20, 40, 60])
async def test_memory_over(megabytes: int) -> None:
    """A file that takes too much memory is refused, wherever the parser runs out of it."""
    limits = replace(DEFAULT, memory_bytes=megabytes * 1024 * 1024)

    with pytest.raises(InvalidRequest, match=r"^file: (takes too much memory|is broken)"):
        await extract(docx_of(*["Wort " * 1000] * 3000), "a.docx", limits=limits)


async def test_an_answer_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of a process than a document may hold."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec yes\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    with pytest.raises(InvalidRequest, match="takes too much memory to read"):
        await extract(_FILES["a.docx"], "a.docx", limits=replace(DEFAULT, characters=1000))


async def test_cancellation_ends_the_process() -> None:
    """Nobody's file is read on."""
    reading = asyncio.create_task(extract(_LONG, "a.pdf"))
    await until(lambda: _children() != [])

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert _children() == []


async def test_two_at_once() -> None:
    """Of many files two are read at the same time."""
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(_children()))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    documents = await asyncio.gather(*(extract(_FILES["a.docx"], "a.docx") for _ in range(6)))
    watching.cancel()

    assert len(documents) == 6
    assert most == 2


async def test_an_interpreter_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't the file's fault if no process can be run."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(OperatorError, match="the reader of documents can't be run: No such file"):
        await extract(_FILES["a.docx"], "a.docx")


async def test_an_interpreter_without_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it if the process can't do its work."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(OperatorError, match="the reader of documents ended with code 1"):
        await extract(_FILES["a.docx"], "a.docx")


@pytest.mark.parametrize(
    ("signal", "rule"), [(9, "takes too much memory to read"), (11, "is broken and can't be read")]
)
async def test_a_process_that_is_killed(
    signal: int, rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that crashes takes nothing with it."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nkill -{signal} $$\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    with pytest.raises(InvalidRequest, match=rule):
        await extract(_FILES["a.docx"], "a.docx")


def test_the_process_can_write_nothing_and_knows_no_secret() -> None:
    """Inside, no file can be written, none dumped, and the environment is next to empty."""
    program = """
import os, resource, sys
from depesche.documents.__main__ import _confine
from depesche.documents.document import DEFAULT
_confine(DEFAULT)
names = ("AS", "CPU", "FSIZE", "CORE", "NOFILE")
print(*(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in names))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, check=True, text=True
    )

    assert done.stdout.split() == [str(DEFAULT.memory_bytes), "10", "0", "0", "64"]


def test_limits_that_are_lower_already() -> None:
    """Where the process has lower limits, those stay."""

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    asked = {"name": "a.docx", "media_type": "", "limits": asdict(DEFAULT), "plain": False}
    done = subprocess.run(
        [sys.executable, *module._COMMAND],
        input=json.dumps(asked).encode() + b"\n" + _FILES["a.docx"],
        capture_output=True,
        check=True,
        preexec_fn=lower,
    )

    assert json.loads(done.stdout)["text"] == f"<p>{_TEXT}</p>"


def _children() -> list[str]:
    """List this process's children that read documents."""
    threads = Path(f"/proc/{os.getpid()}/task").iterdir()
    pids = [pid for thread in threads for pid in _proc(thread / "children").decode().split()]
    return [pid for pid in pids if b"depesche.documents" in _proc(Path(f"/proc/{pid}/cmdline"))]


def _proc(path: Path) -> bytes:
    """Read what the system says of a thread or process, nothing if it has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""

"""Where the briefs of several files go: to the standard output, or each to a file of its own."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.message import Message

from depesche import render
from depesche.batch import Outcome
from depesche.errors import DepescheError, InvalidRequest, Violation
from depesche.sources import BRIEF_SUFFIXES, Source
from depesche.v1 import brief_pb2, types_pb2

__all__ = ["Folder", "Output", "Printed", "as_json", "written"]

# Text of a release is escaped, so that what these match is the brief's own.
_HEADING = re.compile(r"^#", re.MULTILINE)
_NOTE = re.compile(r"(?<!\\)\[\^(\d+)\]")


class Output(Protocol):
    """Whatever takes the outcomes of several files."""

    def put(self, place: int, outcome: Outcome) -> None:
        """Take the outcome of the file at a place, from 0; each comes once, in any order."""
        ...


class Printed:
    """Writes outcomes one below the other, in the order of their files."""

    def __init__(
        self, sources: Sequence[Source], output_format: str, write: Callable[[str], None]
    ) -> None:
        """Take the files, the format (`text`, `markdown` or `json`) and what writes.

        Raises:
            InvalidRequest: the format is `html`, in which each brief is a document.
        """
        if output_format == "html":
            rule = "html is one document for each file: name a folder for them in --output"
            raise InvalidRequest([Violation("--format", rule)])
        self._sources = sources
        self._format = output_format
        self._write = write
        self._early: dict[int, Outcome] = {}
        self._next = 0
        self._began = False

    def put(self, place: int, outcome: Outcome) -> None:
        """Take an outcome, and write those whose turn it is."""
        self._early[place] = outcome
        while self._next in self._early:
            self._print(self._next, self._early.pop(self._next))
            self._next += 1

    def _print(self, place: int, outcome: Outcome) -> None:
        name = self._sources[place].name
        if self._format == "json":
            self._write(json.dumps(_record(name, outcome), ensure_ascii=False) + "\n")
        elif not isinstance(outcome, DepescheError):
            section = _section if self._format == "markdown" else _below
            self._write(("\n" if self._began else "") + section(name, outcome, place + 1))
            self._began = True


def _below(name: str, brief: types_pb2.Brief, _number: int) -> str:
    return f"==> {name} <==\n\n{render.text(brief)}"


def _section(name: str, brief: types_pb2.Brief, number: int) -> str:
    """Make a brief a section, with footnotes that no other section has."""
    deeper = _HEADING.sub("##", render.markdown(brief))
    quoted = name.replace("`", "'")
    numbered = _NOTE.sub(rf"[^{number}-\1]", deeper)
    return f"# `{quoted}`\n\n{numbered}"


def _record(name: str, outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, DepescheError):
        return {"file": name, "error": without_name(name, outcome)}
    brief = MessageToDict(outcome, always_print_fields_with_no_presence=True)
    return {"file": name, "brief": brief}


class Folder:
    """Writes each brief to a file in a folder, named after the release's."""

    def __init__(self, folder: Path, sources: Sequence[Source], output_format: str) -> None:
        """Make the folder, unless it is there.

        Raises:
            InvalidRequest: two files have one name, so that one brief would replace the other.
            DepescheError: the folder can't be made.
        """
        self._format = output_format
        self._paths = [
            folder / (Path(s.path).name + BRIEF_SUFFIXES[output_format]) for s in sources
        ]
        seen: dict[Path, str] = {}
        for path, source in zip(self._paths, sources, strict=True):
            if path in seen:
                rule = f"would hold the briefs of {seen[path]} and of {source.name} under one name"
                raise InvalidRequest([Violation("--output", rule)])
            seen[path] = source.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def put(self, place: int, outcome: Outcome) -> None:
        """Write a brief, whole or not at all; an error isn't written.

        Raises:
            DepescheError: it can't be written.
        """
        if isinstance(outcome, DepescheError):
            return
        path = self._paths[place]
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_bytes(written(outcome, self._format).encode())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> DepescheError:
    return DepescheError(f"--output: {path} can't be written: {error.strerror}")


def without_name(name: str, error: DepescheError) -> str:
    """Say what is wrong with a file, without its name before it."""
    return str(error).removeprefix(f"{name}: ")


def written(brief: types_pb2.Brief, output_format: str) -> str:
    """Write a brief as `text`, `markdown`, `html` or `json`."""
    match output_format:
        case "json":
            return as_json(brief_pb2.CreateBriefResponse(brief=brief))
        case "html":
            return render.html(brief)
        case "markdown":
            return render.markdown(brief)
        case _:
            return render.text(brief)


def as_json(message: Message) -> str:
    """Write a message as JSON of several lines."""
    # An offset or index of 0 is a value like any other, which the default would leave out.
    text: str = MessageToJson(
        message, always_print_fields_with_no_presence=True, ensure_ascii=False
    )
    return text + "\n"

"""The releases that a command line names: files, folders, the standard input."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depesche.documents import SUFFIXES, extract
from depesche.documents.kinds import told_by_content
from depesche.documents.reading import read_text as decode_text
from depesche.errors import InvalidRequest, Violation
from depesche.types import ContentFormat, Language, Release

__all__ = ["BRIEF_SUFFIXES", "Source", "find_files", "is_one_file", "read_bytes", "read_text"]

BRIEF_SUFFIXES = {
    "text": ".brief.txt",
    "markdown": ".brief.md",
    "html": ".brief.html",
    "json": ".brief.json",
}
"""What the names of briefs end in, by their format; in a folder they are no releases."""

_KINDS = {"plain": "text", "html": "html"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a release is read from, and what is known of it.

    Attributes:
        path: the file; "-" is the standard input.
        input_format: how it is written if it is text, "plain" or "html"; "auto" goes by its name.
            In "lines" each line is a block, whatever the file looks like.
        title: its title; "" for that which the file holds, if it does.
        language: its language, or None to have it detected.
    """

    path: str
    input_format: str = "auto"
    title: str = ""
    language: Language | None = None

    @property
    def name(self) -> str:
        """The file's name as it may be shown."""
        if self.path == "-":
            return "standard input"
        name = os.fsencode(self.path).decode(errors="replace")
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)

    async def read(self) -> Release:
        """Read the release.

        Raises:
            InvalidRequest: the file can't be read, or isn't of an accepted kind; its name is the
                field.
        """
        if self.input_format == "lines":
            return Release(read_text(self.path), ContentFormat.LINES, language=self.language)
        content = read_bytes(self.path)
        try:
            if self.input_format in _KINDS and told_by_content(content) is None:
                document = decode_text(content, _KINDS[self.input_format])
            else:
                document = await extract(content, "" if self.path == "-" else self.path)
        except InvalidRequest as error:
            violations = [Violation(self.name, v.description) for v in error.violations]
            raise InvalidRequest(violations) from error
        return Release(
            document.text, document.content_format, self.title or document.title, self.language
        )


def find_files(paths: Sequence[str]) -> list[str]:
    """Put the files of an accepted kind in the place of each folder, by their names.

    Hidden files, folders in the folder and briefs that were written there are left out.

    Raises:
        InvalidRequest: a folder can't be read, or holds none; or "-" is among the paths.
    """
    if "-" in paths:
        rule = "can't be one of several files, nor be briefed into a folder"
        raise InvalidRequest([Violation(Source("-").name, rule)])
    found: list[str] = []
    for path in paths:
        found += _in_folder(path) if _is_folder(path) else [path]
    return list(dict.fromkeys(found))


def is_one_file(paths: Sequence[str]) -> bool:
    """Tell whether it is one file, or "-", and not a folder."""
    return len(paths) == 1 and not _is_folder(paths[0])


def _is_folder(path: str) -> bool:
    return path != "" and Path(path).is_dir()  # "" would be the current one


def _in_folder(folder: str) -> list[str]:
    try:
        entries = sorted(Path(folder).iterdir())
        found = [str(entry) for entry in entries if _is_release(entry)]
    except OSError as error:
        raise InvalidRequest([Violation(folder, f"can't be read: {error.strerror}")]) from None
    if not found:
        rule = f"holds no file that can be read; their names end in {', '.join(sorted(SUFFIXES))}"
        raise InvalidRequest([Violation(folder, rule)])
    return found


def _is_release(entry: Path) -> bool:
    hidden = entry.name.startswith(".")
    written = entry.name.endswith(tuple(BRIEF_SUFFIXES.values()))
    return entry.suffix.lower() in SUFFIXES and not (hidden or written) and entry.is_file()


def read_bytes(path: str) -> bytes:
    """Read a file; "-" is the standard input.

    Raises:
        InvalidRequest: it can't be read.
    """
    if path == "-" and sys.stdin is None:  # Python's sign that it was closed at the start.
        raise InvalidRequest([Violation(Source(path).name, "can't be read: it is closed")])
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        rule = f"can't be read: {error.strerror}"
        raise InvalidRequest([Violation(Source(path).name, rule)]) from None


def read_text(path: str) -> str:
    """Read a file as UTF-8; "-" is the standard input.

    Raises:
        InvalidRequest: it can't be read, or isn't UTF-8.
    """
    content = read_bytes(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        rule = f"isn't UTF-8: byte {error.start} is {content[error.start]:#04x}"
        raise InvalidRequest([Violation(Source(path).name, rule)]) from None

"""What a file is read into, and the limits on reading it."""

from dataclasses import dataclass

from depesche.errors import InvalidRequest, Violation
from depesche.types import ContentFormat

__all__ = ["DEFAULT", "Document", "Limits", "refuse"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """The release that a file holds.

    Attributes:
        text: the release; spans of a brief point into this text, not into the file.
        content_format: how `text` is written, PLAIN or HTML.
        title: the release's headline where the file holds one apart from its text, as an e-mail
            its subject; else "".
        kind: what the file is: "text", "html", "docx", "pdf" or "eml".
    """

    text: str
    content_format: ContentFormat
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file and the reading of it may take.

    Attributes:
        file_bytes: size of the file.
        unpacked_bytes: size of what a .docx, which is an archive, unpacks to.
        entries: files in that archive.
        pages: pages of a PDF.
        parts: parts of an e-mail, those of forwarded ones included.
        depth: parts of an e-mail within each other.
        characters: length of the text that is read from a .docx, a PDF or an e-mail.
        memory_bytes: address space of the process that reads, with Python and its libraries.
        cpu_seconds: whole seconds that it may compute.
        seconds: time that reading may take; waiting for others' files doesn't count.
    """

    file_bytes: int = 10 * _MIB
    unpacked_bytes: int = 64 * _MIB
    entries: int = 2_000
    pages: int = 200
    parts: int = 100
    depth: int = 10
    characters: int = 1_000_000
    memory_bytes: int = 512 * _MIB
    cpu_seconds: int = 10
    seconds: float = 20.0


DEFAULT = Limits()
"""The limits where the caller sets no others."""


def refuse(rule: str) -> InvalidRequest:
    """Make the error of a file that can't be read; `rule` never holds any of its text."""
    return InvalidRequest([Violation("file", rule)])

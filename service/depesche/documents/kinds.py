"""What kind of file it is: by its content, then its name, then its media type."""

import re
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from depesche.documents.document import refuse

__all__ = ["ACCEPTED", "MEDIA_TYPES", "SUFFIXES", "kind_of", "told_by_content"]

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text",
        ".text": "text",
        ".md": "text",
        ".htm": "html",
        ".html": "html",
        ".xhtml": "html",
        ".docx": "docx",
        ".pdf": "pdf",
        ".eml": "eml",
    }
)
"""The endings of names that are accepted, in small letters, with the kind of each."""

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "text/plain": "text",
        "text/markdown": "text",
        "text/html": "html",
        "application/xhtml+xml": "html",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/pdf": "pdf",
        "message/rfc822": "eml",
    }
)
"""The media types that are accepted, without parameters, with the kind of each."""

ACCEPTED = "text, HTML, Word (.docx), PDF and e-mail (.eml)"
"""What is accepted, in words."""

_NAMES = {"docx": "Word document (.docx)", "pdf": "PDF"}
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-")
# Readers look for the mark in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1), as programs of
# mail or the web may have put something before it. A text may speak of it there.
_PDF_WITHIN = 1024
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
# What begins so is none of the accepted kinds.
_OTHERS = (
    (rb"\{\\rtf", "Rich Text (.rtf)"),
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "OpenDocument (.odt)"),
    (rb"PK\x03\x04|PK\x05\x06", "an archive or another office file"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|BM.{4}\x00{4}|II\*\x00|MM\x00\*|RIFF.{4}WEBP", "an image"),
    (rb"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ|7z\xbc\xaf|Rar!\x1a", "an archive"),
    (rb"\x7fELF|MZ\x90\x00", "a program"),
)
_OTHER = [(re.compile(pattern, re.DOTALL), name) for pattern, name in _OTHERS]


def kind_of(content: bytes, name: str, media_type: str) -> str:
    """Tell the kind of a file, "text" if nothing tells it.

    Args:
        content: the file.
        name: its name, or "".
        media_type: its media type as its sender names it, or "".

    Raises:
        InvalidRequest: it isn't of an accepted kind, or not of that which its name promises.
    """
    told = told_by_content(content)
    named = SUFFIXES.get(PurePath(name).suffix.lower())
    named = named or MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower(), "text")
    if named == "pdf" and b"%PDF-" in content[:_PDF_WITHIN]:
        return "pdf"
    if told is None and named in _NAMES:
        raise refuse(f"is no {_NAMES[named]}, though its name or type says so")
    return told or named


def told_by_content(content: bytes) -> str | None:
    """Tell "docx" or "pdf" by the marks of their formats; None for what may be any text.

    Raises:
        InvalidRequest: the content is of a kind that isn't accepted.
    """
    if _PDF.match(content):
        return "pdf"
    if content.startswith(_ZIP) and b"[Content_Types].xml" in content and b"word/" in content:
        return "docx"
    if content.startswith(_OLE):
        if _ENCRYPTED_OFFICE in content:
            raise refuse("is encrypted; save it without a password")
        raise refuse(f"is of an old office format (.doc or the like); accepted are {ACCEPTED}")
    for pattern, name in _OTHER:
        if pattern.match(content):
            raise refuse(f"is {name}; accepted are {ACCEPTED}")
    return None

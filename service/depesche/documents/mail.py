"""E-mails (.eml), read by the standard library: the release is their text, or what is attached."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

from depesche.documents.characters import declared_in_html, decode
from depesche.documents.document import Document, Limits, refuse
from depesche.documents.kinds import MEDIA_TYPES, SUFFIXES
from depesche.text.markup import parse
from depesche.text.normalize import skeleton
from depesche.types import ContentFormat

__all__ = ["read_eml"]

# Letters and digits. A text shorter than this is a cover note, if something is attached.
_COVER_NOTE = 300
# What mail programs put before a subject, in German, English, Khmer offices' English and Russian.
_REPLY = re.compile(
    r"\s*(?:re|fwd?|aw|antw|wg|tr|на|отв|пер|ha)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE
)
_ENCRYPTED = frozenset({"application/pkcs7-mime", "multipart/encrypted"})
_SIGNATURE = "-- "
_TOO_DEEP = "holds parts within parts too deep"

_Read = Callable[[bytes, str, str, Limits], Document]


@dataclass(slots=True)
class _Parts:
    """The parts of an e-mail that may hold the release.

    Attributes:
        plain: its plain texts.
        html: its texts in HTML.
        attached: what is attached and of an accepted kind, and e-mails that are forwarded.
        count: all parts so far.
    """

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    attached: list[EmailMessage] = field(default_factory=list)
    count: int = 0


def read_eml(content: bytes, limits: Limits, read: _Read) -> Document:
    """Read an e-mail, with its subject as the title.

    Its plain text is taken, or its HTML where that holds twice as much. If either is a cover note
    at most, and exactly one file or e-mail is attached that can be read, that is the release.

    Args:
        content: the e-mail.
        limits: how large it may be, how many parts it may hold and how deep.
        read: reads what is attached.

    Raises:
        InvalidRequest: it is encrypted, over a limit, or holds no text, or it is a cover note to
            several files; or what is attached can't be read.
    """
    message = BytesParser(policy=policy.default).parsebytes(content)
    if not message.keys():
        raise refuse("is no e-mail, though its name or type says so")
    return _read(message, limits, read, limits.depth)


def _read(message: EmailMessage, limits: Limits, read: _Read, depth: int) -> Document:
    parts = _Parts()
    for part in _leaves(message, depth):
        parts.count += 1
        if parts.count > limits.parts:
            raise refuse(f"holds more than {limits.parts} parts, which is the limit")
        _sort(part, parts)
    body, size = _body(parts)
    if size < _COVER_NOTE and parts.attached:
        return _attached(message, parts, limits, read, depth)
    if not size:
        raise refuse("holds no text")
    return replace(body, title=_title(message))


def _leaves(message: EmailMessage, depth: int) -> Iterator[EmailMessage]:
    """Give the parts that hold no others; forwarded e-mails count as one part each."""
    if message.get_content_type() in _ENCRYPTED:
        raise refuse("is encrypted")
    if message.get_content_maintype() != "multipart":
        yield message
        return
    if not depth:
        raise refuse(_TOO_DEEP)
    for part in message.iter_parts():
        yield from _leaves(cast("EmailMessage", part), depth - 1)


def _sort(part: EmailMessage, parts: _Parts) -> None:
    """Put a part where it belongs."""
    kind = part.get_content_type()
    if part.is_attachment() or part.get_filename() or kind not in {"text/plain", "text/html"}:
        if kind == "message/rfc822" or _kind(part):
            parts.attached.append(part)
        return
    content = cast("bytes", part.get_payload(decode=True))
    charset = str(part.get_content_charset() or "")
    if kind == "text/html":
        parts.html.append(decode(content, charset or declared_in_html(content)))
    else:
        parts.plain.append(_unflowed(part, decode(content, charset)))


def _kind(part: EmailMessage) -> str | None:
    name = part.get_filename() or ""
    suffix = f".{name.rpartition('.')[2].lower()}"
    return SUFFIXES.get(suffix) or MEDIA_TYPES.get(part.get_content_type())


def _body(parts: _Parts) -> tuple[Document, int]:
    """Choose between plain text and HTML; gives the letters and digits of it as well."""
    plain, html = "\n\n".join(parts.plain), "\n".join(parts.html)
    in_plain = len(skeleton(plain))
    in_html = sum(len(skeleton(element.content.text)) for element in parse(html))
    if 2 * in_plain >= in_html:
        return Document(plain, ContentFormat.PLAIN, "", "eml"), in_plain
    return Document(html, ContentFormat.HTML, "", "eml"), in_html


def _attached(
    message: EmailMessage, parts: _Parts, limits: Limits, read: _Read, depth: int
) -> Document:
    """Read the one file or e-mail that is attached."""
    if len(parts.attached) > 1:
        count = len(parts.attached)
        raise refuse(f"is a cover note to {count} files; send that which counts by itself")
    (part,) = parts.attached
    if not depth:
        raise refuse(_TOO_DEEP)
    if part.get_content_type() == "message/rfc822":
        return _read(cast("EmailMessage", part.get_content()), limits, read, depth - 1)
    content = cast("bytes", part.get_payload(decode=True))
    name = part.get_filename() or ""
    if _kind(part) == "eml":
        inner = BytesParser(policy=policy.default).parsebytes(content)
        return _read(inner, limits, read, depth - 1)
    document = read(content, name, str(part.get("Content-Type", "")), limits)
    return replace(document, title=document.title or _title(message), kind="eml")


def _title(message: EmailMessage) -> str:
    """Give the subject without «Re:» and the like before it."""
    subject = " ".join(str(message.get("Subject", "")).split())
    while prefix := _REPLY.match(subject):
        subject = subject[prefix.end() :]
    return subject


def _unflowed(part: EmailMessage, text: str) -> str:
    """Join the lines of a paragraph where the sender's program says so (RFC 3676, section 4)."""
    lines = text.replace("\r\n", "\n").split("\n")
    if str(part.get_param("format", "")).lower() != "flowed":
        return "\n".join(lines)
    joins = str(part.get_param("delsp", "")).lower() == "yes"
    flowed = ""
    for line in lines:
        stuffed = line.removeprefix(" ")
        if stuffed.endswith(" ") and stuffed != _SIGNATURE:
            flowed += stuffed[:-1] if joins else stuffed
        else:
            flowed += stuffed + "\n"
    return flowed

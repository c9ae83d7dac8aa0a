"""One file read in this process, whatever its kind."""

from collections.abc import Callable
from email.message import EmailMessage
from types import MappingProxyType

from depesche.documents.characters import declared_in_html, decode
from depesche.documents.document import DEFAULT, Document, Limits, refuse
from depesche.documents.kinds import kind_of
from depesche.documents.plain import as_plain
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat

__all__ = ["check_size", "is_foreign", "read", "read_text"]

_Reader = Callable[[bytes, Limits], Document]


def read(
    content: bytes,
    name: str = "",
    media_type: str = "",
    limits: Limits = DEFAULT,
    *,
    plain: bool = False,
) -> Document:
    """Read a file in this process; `extract` does so in one that can't do harm.

    Not for several threads at once, because PDFium isn't made for them.

    Args:
        content: the file.
        name: its name, or "".
        media_type: its media type, with any parameters, or "".
        limits: how large it may be.
        plain: whether HTML becomes plain text, see `as_plain`.

    Raises:
        InvalidRequest: it isn't of an accepted kind, is over a limit, broken, encrypted, or holds
            no text.
    """
    check_size(content, limits)
    kind = kind_of(content, name, media_type)
    if not is_foreign(kind, plain=plain):
        return read_text(content, kind, media_type, limits)
    try:
        if kind in _FOREIGN:
            document = _FOREIGN[kind](content, limits)
        else:
            document = read_text(content, kind, media_type, limits)
        document = as_plain(document) if plain else document
    except (InvalidRequest, MemoryError):
        raise
    except RecursionError as error:
        raise refuse("is nested too deep to be read") from error
    except Exception as error:  # parsers raise whatever they like on what nobody should send
        raise refuse(f"is broken and can't be read ({type(error).__name__})") from error
    if len(document.text) > limits.characters:
        rule = f"holds {len(document.text)} characters; the limit is {limits.characters}"
        raise refuse(rule)
    return document


def read_text(
    content: bytes, kind: str, media_type: str = "", limits: Limits = DEFAULT
) -> Document:
    """Read "text" or "html", which takes no parser and does no harm.

    Raises:
        InvalidRequest: its character set is neither Unicode nor declared.
    """
    check_size(content, limits)
    declared = _charset_parameter(media_type)
    if kind == "html":
        declared = declared or declared_in_html(content)
    content_format = ContentFormat.HTML if kind == "html" else ContentFormat.PLAIN
    return Document(decode(content, declared), content_format, "", kind)


def check_size(content: bytes, limits: Limits) -> None:
    """Refuse a file that is too large.

    Raises:
        InvalidRequest: it is.
    """
    if len(content) > limits.file_bytes:
        raise refuse(f"has {len(content)} bytes; the limit is {limits.file_bytes}")


def is_foreign(kind: str, *, plain: bool = False) -> bool:
    """Tell whether reading this kind takes a parser of a format, which might be led astray.

    Args:
        kind: the kind.
        plain: whether HTML becomes plain text.
    """
    return kind in _FOREIGN or (plain and kind == "html")


def _charset_parameter(media_type: str) -> str:
    message = EmailMessage()
    try:
        message["Content-Type"] = media_type or "text/plain"
        return str(message.get_content_charset() or "")
    except ValueError:  # a line feed inside
        return ""


def _docx(content: bytes, limits: Limits) -> Document:
    from depesche.documents.word import read_docx  # noqa: PLC0415 - only who needs it loads it

    return read_docx(content, limits)


def _pdf(content: bytes, limits: Limits) -> Document:
    from depesche.documents.pdf import read_pdf  # noqa: PLC0415 - as above

    return read_pdf(content, limits)


def _eml(content: bytes, limits: Limits) -> Document:
    from depesche.documents.mail import read_eml  # noqa: PLC0415 - as above

    return read_eml(content, limits, read)


_FOREIGN = MappingProxyType[str, _Reader]({"docx": _docx, "pdf": _pdf, "eml": _eml})

"""From bytes to characters, never by guessing."""

import codecs
import re

from depesche.documents.document import refuse

__all__ = ["declared_in_html", "decode"]

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Python's names of the character sets of European and Russian mail and pages.
_KNOWN = frozenset(
    {"cp1250", "cp1251", "cp1252", "cp866", "iso8859-1", "iso8859-15", "iso8859-2", "iso8859-5"}
    | {"koi8-r", "koi8-u"}
)
# Who says Latin-1 means the character set of Windows (WHATWG Encoding Standard, section 4.2).
_MEANT = {"iso8859-1": "cp1252"}
# A page tells its character set in its first 1,024 bytes (HTML Standard, section 4.2.5.4).
_DECLARATION = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)|<\?xml[^>]{0,100}?encoding=["']([\w.:-]+)""",
    re.IGNORECASE,
)
_DECLARED_WITHIN = 1024
# Text in UTF-16 without a mark: a twentieth of it and more are zeros.
_ZEROS = 20


def decode(content: bytes, declared: str = "") -> str:
    """Decode text: UTF-16 by its mark, else UTF-8, else by what is declared.

    Bytes that are valid UTF-8 are UTF-8, whatever is declared: text in another character set is
    next to never valid by chance. UTF-8's own mark stays, as the first character.

    Args:
        content: the text's bytes.
        declared: name of the character set that the text's sender declares, or "".

    Raises:
        InvalidRequest: the bytes are of neither.
    """
    if content.startswith(_UTF16_MARKS):
        return _decoded(content, "utf-16", "isn't UTF-16, though its byte order mark says so")
    if _ZEROS * content.count(0) > len(content):
        raise refuse("isn't text: it has zero bytes; UTF-16 needs a byte order mark")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        rule = f"isn't UTF-8: byte {error.start} is {content[error.start]:#04x}"
    charset = _known(declared)
    if charset is None:
        unknown = "; the character set that it names isn't known" if declared else ""
        raise refuse(f"{rule}{unknown}")
    return _decoded(content, charset, f"{rule}; nor is it {declared}, as it says")


def declared_in_html(content: bytes) -> str:
    """Find the character set that a page declares, or ""."""
    found = _DECLARATION.search(content[:_DECLARED_WITHIN])
    return (found[1] or found[2]).decode("ascii", "replace") if found else ""


def _known(declared: str) -> str | None:
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return None
    return _MEANT.get(name, name) if name in _KNOWN else None


def _decoded(content: bytes, charset: str, rule: str) -> str:
    try:
        return content.decode(charset)
    except UnicodeDecodeError:
        raise refuse(rule) from None

"""PDFs, read by PDFium (pypdfium2) into lines, and those into a plain text."""

import ctypes
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pypdfium2
from pypdfium2 import raw

from depesche.documents.document import Document, Limits, refuse
from depesche.documents.flow import flow
from depesche.documents.lines import HYPHEN, Line
from depesche.types import ContentFormat

__all__ = ["read_pdf"]

_BREAKS = frozenset("\r\n")
# UTF-16 halves that the text layer gives alone, and characters that stand for nothing.
_BROKEN = {**dict.fromkeys(range(0xD800, 0xE000)), 0xFFFE: None, 0: None}


def read_pdf(content: bytes, limits: Limits) -> Document:
    """Read a PDF's text layer, in the order in which the file has it.

    Wrapped lines are joined, words divided at their ends as well; running heads and page numbers
    are left out. A line before the text that is visibly larger is its title.

    Raises:
        InvalidRequest: it is broken, encrypted, over a limit, or holds no text.
    """
    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise refuse("is encrypted; save it without a password") from error
        raise refuse("is broken: it can't be opened as a PDF") from error
    with closing(pdf):
        if len(pdf) > limits.pages:
            raise refuse(f"has {len(pdf)} pages; the limit is {limits.pages}")
        title, text = flow([_page(pdf, number, limits) for number in range(len(pdf))])
    if not any(map(str.isalpha, text)):
        raise refuse("holds no text; it may be a scan")
    return Document(text, ContentFormat.PLAIN, title, "pdf")


def _page(pdf: Any, number: int, limits: Limits) -> list[Line]:
    """Read the lines of a page."""
    try:
        page = pdf[number]
    except pypdfium2.PdfiumError as error:
        raise refuse(f"is broken: page {number + 1} can't be read") from error
    with closing(page), closing(page.get_textpage()) as text_page:
        if text_page.count_chars() > limits.characters:
            raise refuse(f"holds more than {limits.characters} characters, which is the limit")
        return list(_lines(text_page))


def _lines(text_page: Any) -> Iterator[Line]:
    """Cut the characters of a page at the ends of its lines."""
    start, text = 0, ""
    for place in range(text_page.count_chars()):
        character = chr(raw.FPDFText_GetUnicode(text_page, place)).translate(_BROKEN)
        if character not in _BREAKS:
            text += character if len(character) else " "
        if character in _BREAKS or character == HYPHEN:
            yield from _line(text_page, text, start)
            start, text = place + 1, ""
    yield from _line(text_page, text, start)


def _line(text_page: Any, text: str, start: int) -> Iterator[Line]:
    """Measure a line by its first, middle and last character."""
    seen = [start + place for place, character in enumerate(text) if not character.isspace()]
    if not seen:
        return
    places = seen[0], seen[len(seen) // 2], seen[-1]
    boxes = [text_page.get_charbox(place, loose=True) for place in places]
    y = ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, places[1], ctypes.c_double(), y)
    yield Line(
        text=text.lstrip(),
        left=boxes[0][0],
        right=boxes[-1][2],
        y=y.value,
        size=max(top - bottom for _, bottom, _, top in boxes),
    )

"""Word documents (.docx), read by python-docx into HTML, which keeps what their styles tell."""

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from depesche.documents.document import Document, Limits, refuse
from depesche.types import ContentFormat

if TYPE_CHECKING:
    from docx.oxml.text.paragraph import CT_P
    from docx.styles.style import ParagraphStyle

__all__ = ["read_docx"]

_HEADING = re.compile(r"Heading ([1-9])")
_DEEPEST_HEADING = 6
# Styles may rest on each other, in a broken file without end.
_MOST_BASES = 10
# A heading below a paragraph as long as this heads a part, not the release.
_LEAD = 160

# What isn't part of the text: deleted, moved away, or there twice for old programs.
_UNREAD = frozenset(map(qn, ("w:del", "w:moveFrom"))) | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_PARAGRAPH, _RUN, _CELL = map(qn, ("w:p", "w:r", "w:tc"))
_NUMBERING = f"{qn('w:pPr')}/{qn('w:numPr')}"

# Office writes none, and ECMA-376 (part 2, section 8.2.5.2) forbids it: no entities, no bombs.
_DOCTYPE = re.compile(rb"<!DOCTYPE|<\x00?!\x00D\x00O\x00C\x00T\x00Y\x00P\x00E")


def read_docx(content: bytes, limits: Limits) -> Document:
    """Read a Word document: paragraphs, headings, lists, tables and text boxes, in their order.

    Headers, footers, footnotes, comments and deleted text are left out. What the document's
    properties say of its title is ignored, which is often a template's.

    Raises:
        InvalidRequest: it is broken, unpacks to more than the limit, or holds no text.
    """
    _check_archive(content, limits)
    try:
        document = docx.Document(BytesIO(content))
    except (KeyError, ValueError) as error:
        raise refuse("is no Word document (.docx), or a broken one") from error
    text = "\n".join(_html(document.element.body, document))
    if not text:
        raise refuse("holds no text")
    return Document(text, ContentFormat.HTML, "", "docx")


def _check_archive(content: bytes, limits: Limits) -> None:
    """Look through the archive before python-docx reads all of it into memory."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > limits.entries:
                raise refuse(f"holds {len(entries)} files; the limit is {limits.entries}")
            # Nothing unpacks to more than is said here: zipfile stops there, and calls it broken.
            if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
                rule = f"unpacks to more than {limits.unpacked_bytes} bytes, which is the limit"
                raise refuse(rule)
            for entry in entries:
                _check_entry(archive, entry)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise refuse("is broken: its archive can't be unpacked") from error


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 1:
        raise refuse("is encrypted; save it without a password")
    if entry.filename.endswith((".xml", ".rels")) and _DOCTYPE.search(archive.read(entry)):
        raise refuse("is no Word document as programs write it: it declares entities")


def _html(body: Any, document: Any) -> Iterator[str]:
    """Write each paragraph as an element of HTML."""
    titled = began = False
    for element in body.iter(_PARAGRAPH):
        text = _text(element).strip()
        if not text or any(above.tag in _UNREAD for above in element.iterancestors()):
            continue
        tag = _tag(Paragraph(element, document))
        if tag == "h1" and (titled or began):
            tag = "h2"
        titled = titled or tag == "h1"
        began = began or (tag == "p" and len(text) > _LEAD)
        yield f"<{tag}>{html.escape(text, quote=False).replace(chr(10), '<br>')}</{tag}>"


def _text(paragraph: "CT_P") -> str:
    """Give the text of a paragraph's runs, links and fields, without that of boxes in it."""
    return "".join(
        Run(run, None).text  # type: ignore[arg-type]  # of its parent only the text's part is asked
        for run in paragraph.iter(_RUN)
        if _belongs(run, paragraph)
    )


def _belongs(run: Any, paragraph: "CT_P") -> bool:
    for above in run.iterancestors():
        if above is paragraph:
            return True
        if above.tag == _PARAGRAPH or above.tag in _UNREAD:
            return False
    raise AssertionError


def _tag(paragraph: Paragraph) -> str:
    """Tell by its style, or those on which that rests, what a paragraph is."""
    style: ParagraphStyle | None = paragraph.style
    element: Any = paragraph.paragraph_format.element
    in_list = element.find(_NUMBERING) is not None
    for _ in range(_MOST_BASES):
        if style is None:
            break
        name = style.name or ""
        if name == "Title":
            return "h1"
        if heading := _HEADING.fullmatch(name):
            return f"h{min(int(heading[1]), _DEEPEST_HEADING)}"
        in_list = in_list or style.element.find(_NUMBERING) is not None
        style = style.base_style
    if in_list:
        return "li"
    in_cell = any(above.tag == _CELL for above in element.iterancestors())
    return "td" if in_cell else "p"

"""Files of every kind, made by hand: what tests read."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import docx

__all__ = ["Line", "docx_of", "eml_of", "page_of", "pdf_of", "repacked"]

# Advance widths of Helvetica for the characters from 32 to 126, in thousandths of its size (Adobe
# Font Metrics); letters with marks are as wide as without.
_WIDTHS = re.findall(
    r"\d+",
    """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556
    556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833
    722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556
    556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334
    260 334 584
    """,
)
_LATIN = bytes(range(32, 256)).decode("cp1252", "ignore")
_ACROSS, _DOWN = 595, 842  # A4, in points
_LEFT, _RIGHT, _TOP = 70, 525, 770


@dataclass(frozen=True)
class Line:
    """A line of a page: where it begins, in points from below, its size and its text."""

    x: float
    y: float
    size: float
    text: str


def docx_of(*paragraphs: tuple[str, str] | str) -> bytes:
    """Write a Word document of paragraphs, each with a style or without."""
    document = docx.Document()
    for paragraph in paragraphs:
        text, style = (paragraph, None) if isinstance(paragraph, str) else paragraph
        document.add_paragraph(text, style=style)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def repacked(archive: bytes, changes: Mapping[str, bytes]) -> bytes:
    """Pack an archive again with some of its files changed or added."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        names = dict.fromkeys((*before.namelist(), *changes))
        for name in names:
            after.writestr(name, changes[name] if name in changes else before.read(name))
    return file.getvalue()


def eml_of(text: str = "", *, subject: str = "", html: str = "") -> EmailMessage:
    """Write an e-mail with a plain text, HTML or both."""
    message = EmailMessage()
    message["From"] = "presse@example.org"
    message["Subject"] = subject
    if text:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return message


def width_of(text: str, size: float) -> float:
    """Tell how wide a text of Helvetica is, in points."""
    plain = text.translate(str.maketrans("äöüÄÖÜß", "aouAOUb"))
    return sum(int(_WIDTHS[ord(c) - 32]) if " " <= c <= "~" else 556 for c in plain) * size / 1000


def page_of(
    *paragraphs: str, size: float = 11, top: float = _TOP, divided: bool = False
) -> list[Line]:
    """Lay paragraphs out as a word processor would: ragged right, with space between them.

    Args:
        paragraphs: the paragraphs.
        size: that of the letters.
        top: where the first line stands.
        divided: whether long words are divided where they don't fit.
    """
    lines, y = [], top
    for paragraph in paragraphs:
        for text in _wrapped(paragraph, size, divided=divided):
            lines.append(Line(_LEFT, y, size, text))
            y -= 1.2 * size
        y -= size
    return lines


def _wrapped(paragraph: str, size: float, *, divided: bool) -> list[str]:
    lines, line = [], ""
    for word in paragraph.split():
        longer = f"{line} {word}".strip()
        half = f"{line} {word[:6]}-"
        if width_of(longer, size) <= _RIGHT - _LEFT:
            line = longer
        elif (
            divided and word.isalpha() and len(word) > 9 and width_of(half, size) <= _RIGHT - _LEFT
        ):
            lines.append(half)
            line = word[6:]
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def pdf_of(pages: Sequence[Sequence[Line]], *, count: int | None = None) -> bytes:
    """Write a PDF: Latin lines in Helvetica, others in a font of which only a map is there.

    Args:
        pages: the lines of each page.
        count: number of pages that it claims to have; as many as there are if None.
    """
    others = sorted({c for page in pages for line in page for c in line.text} - set(_LATIN))
    codes = {character: code for code, character in enumerate([*others, *_LATIN], 1)}
    kids = " ".join(f"{7 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count or len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        (
            b"<< /Type /Font /Subtype /Type0 /BaseFont /O /Encoding /Identity-H"
            b" /DescendantFonts [5 0 R] /ToUnicode 6 0 R >>"
        ),
        (
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /O /DW 500"
            b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
        ),
        _stream(_to_unicode(codes)),
    ]
    for place, page in enumerate(pages):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /L 3 0 R /O 4 0 R >> >>"
            + b" /MediaBox [0 0 %d %d] /Contents %d 0 R >>" % (_ACROSS, _DOWN, 8 + 2 * place),
            _stream(b"\n".join(_shown(line, codes) for line in page)),
        ]
    return _file(objects)


def _shown(line: Line, codes: Mapping[str, int]) -> bytes:
    if set(line.text) <= set(_LATIN):
        font, shown = "L", line.text.encode("cp1252").hex()
    else:
        font, shown = "O", "".join(f"{codes[c]:04x}" for c in line.text)
    return f"BT /{font} {line.size} Tf 1 0 0 1 {line.x} {line.y} Tm <{shown}> Tj ET".encode()


def _to_unicode(codes: Mapping[str, int]) -> bytes:
    rows = [f"<{code:04x}> <{c.encode('utf-16-be').hex()}>" for c, code in codes.items()]
    blocks = [rows[i : i + 100] for i in range(0, len(rows), 100)]
    maps = "\n".join(f"{len(b)} beginbfchar\n" + "\n".join(b) + "\nendbfchar" for b in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{maps}\nendcmap end end"
    ).encode()


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    return head + packed + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    file, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        file
        + b"xref\n0 %d\n0000000000 65535 f \n" % size
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(file))
    )

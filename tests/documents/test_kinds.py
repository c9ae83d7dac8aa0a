import io
import zipfile

import pytest

from depesche.documents import MEDIA_TYPES, SUFFIXES
from depesche.documents.kinds import kind_of
from depesche.errors import InvalidRequest
from tests.documents.samples import docx_of, page_of, pdf_of

_DOCX = docx_of("Text")
_PDF = pdf_of([page_of("Text")])
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"application/vnd.oasis.opendocument.text")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "media_type", "kind"),
    [
        (_PDF, "release.pdf", "", "pdf"),
        (_PDF, "release.docx", "", "pdf"),
        (_PDF, "release.txt", "text/plain", "pdf"),
        (b"\xef\xbb\xbf\r\n" + _PDF, "", "", "pdf"),
        (b"From: mail\r\n\r\n" + _PDF, "release.PDF", "", "pdf"),
        (_DOCX, "", "", "docx"),
        (_DOCX, "release.pdf", "application/pdf", "docx"),
        (b"<p>", "release.HTM", "", "html"),
        (b"<p>", "release", "text/html; charset=utf-8", "html"),
        (b"Subject: x\n\ny", "release.eml", "text/plain", "eml"),
        (b"Subject: x\n\ny", "", "message/rfc822", "eml"),
        (b"Subject: x\n\ny", "", "", "text"),
        (b"MZ-Redaktion: %PDF-1.7", "release.unknown", "application/octet-stream", "text"),
        (b"", "", "", "text"),
    ],
)
def test_content_goes_before_name_and_name_before_type(
    content: bytes, name: str, media_type: str, kind: str
) -> None:
    """What a file holds tells its kind if it can; else its name does, and then its media type."""
    assert kind_of(content, name, media_type) == kind


@pytest.mark.parametrize(
    ("content", "name", "media_type", "rule"),
    [
        (b"Text", "release.pdf", "", "is no PDF, though its name or type says so"),
        (b"Text", "", _WORD, "is no Word document (.docx), though its name or type says so"),
        (b"{\\rtf1 Text}", "release.txt", "", "is Rich Text (.rtf); accepted are text, HTML, Word"),
        (_archive("mimetype"), "a.odt", "", "is OpenDocument (.odt); accepted are"),
        (_archive("xl/workbook.xml"), "a.docx", "", "is an archive or another office file; acc"),
        (b"\x89PNG\r\n\x1a\n", "release.txt", "", "is an image; accepted are"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg", "is an image; accepted are"),
        (b"\x1f\x8b\x08", "release.gz", "", "is an archive; accepted are"),
        (b"\x7fELF", "release", "", "is a program; accepted are"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "", "is of an old office format (.doc"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.docx",
            "",
            "is encrypted; save it without a password",
        ),
    ],
)
def test_what_is_refused(content: bytes, name: str, media_type: str, rule: str) -> None:
    """Other kinds are refused by what they are, and so is a file that isn't what it is named."""
    with pytest.raises(InvalidRequest) as refused:
        kind_of(content, name, media_type)

    assert refused.value.violations[0].field == "file"
    assert refused.value.violations[0].description.startswith(rule)


def test_all_accepted_kinds_have_names_and_types() -> None:
    """Every kind can be told by a name and by a media type."""
    assert set(SUFFIXES.values()) == set(MEDIA_TYPES.values())

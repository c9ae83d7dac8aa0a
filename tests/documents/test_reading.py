"""Text and HTML, their character sets, and what holds for all kinds."""

import pytest

from depesche.documents import Document, Limits, read
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat
from tests.documents.samples import docx_of, eml_of, page_of, pdf_of

_RUSSIAN = "Россия и АСЕАН"
_GERMAN = "Köln „öffnet“ die Brücke"


@pytest.mark.parametrize(
    ("content", "name", "media_type", "text"),
    [
        (_RUSSIAN.encode(), "a.txt", "", _RUSSIAN),
        (_RUSSIAN.encode("utf-8-sig"), "a.txt", "", "\ufeff" + _RUSSIAN),
        (_RUSSIAN.encode("utf-16"), "a.txt", "", _RUSSIAN),
        (b"\xfe\xff" + _RUSSIAN.encode("utf-16-be"), "a.html", "", _RUSSIAN),
        (_RUSSIAN.encode("cp1251"), "a.txt", "text/plain; charset=windows-1251", _RUSSIAN),
        (_RUSSIAN.encode("koi8-r"), "", "text/plain; charset=KOI8-R", _RUSSIAN),
        (_GERMAN.encode("cp1252"), "", "text/plain; charset=iso-8859-1", _GERMAN),
        (_RUSSIAN.encode(), "", "text/plain; charset=windows-1251", _RUSSIAN),
        (_RUSSIAN.encode(), "", "text/plain;\ncharset=x", _RUSSIAN),
        (
            b"eins\r\nzwei\0drei, vier, und so weiter",
            "",
            "",
            "eins\r\nzwei\0drei, vier, und so weiter",
        ),
    ],
)
def test_characters(content: bytes, name: str, media_type: str, text: str) -> None:
    """Text is UTF-16 by its mark, UTF-8, or what is declared; line ends stay as they are."""
    assert read(content, name, media_type).text == text


@pytest.mark.parametrize(
    "head",
    [
        "<meta charset=windows-1251>",
        "<META CHARSET='windows-1251'>",
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
def test_a_page_declares_its_character_set(head: str) -> None:
    """HTML is read by the character set that it names."""
    page = f"{head}<p>{_RUSSIAN}</p>"

    document = read(page.encode("cp1251"), "page.html")

    assert document == Document(page, ContentFormat.HTML, "", "html")


@pytest.mark.parametrize(
    ("content", "media_type", "rule"),
    [
        (b"Br\xfccke", "", "isn't UTF-8: byte 2 is 0xfc"),
        (
            b"Br\xfccke",
            "text/plain; charset=x-own",
            "isn't UTF-8: byte 2 is 0xfc; the character set that it names isn't known",
        ),
        (b"Br\xfccke", "text/plain; charset=utf-7", "isn't UTF-8: byte 2 is 0xfc; the character"),
        (
            b"Br\xfccke \x98",
            "text/plain; charset=windows-1251",
            "isn't UTF-8: byte 2 is 0xfc; nor is it windows-1251, as it says",
        ),
        (b"\xff\xfe\x00", "", "isn't UTF-16, though its byte order mark says so"),
        (_RUSSIAN.encode("utf-16-le"), "", "isn't text: it has zero bytes; UTF-16 needs a byte"),
        (b"\0" * 1000, "", "isn't text: it has zero bytes"),
    ],
)
def test_no_character_set_is_guessed(content: bytes, media_type: str, rule: str) -> None:
    """Bytes that nothing explains are refused with the place of the first one."""
    with pytest.raises(InvalidRequest) as refused:
        read(content, "release.txt", media_type)

    assert refused.value.violations[0].description.startswith(rule)


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.docx", "a.pdf", "a.eml"])
def test_a_file_that_is_too_large(name: str) -> None:
    """The size is limited, and the limit is told."""
    with pytest.raises(InvalidRequest, match=r"file: has 101 bytes; the limit is 100$"):
        read(b"x" * 101, name, limits=Limits(file_bytes=100))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (docx_of(_GERMAN), "a.docx"),
        (pdf_of([page_of("Die Brücke ist offen.")]), "a.pdf"),
        (eml_of(_GERMAN).as_bytes(), "a.eml"),
    ],
)
def test_a_text_that_is_too_long(content: bytes, name: str) -> None:
    """The text that a file is read into is limited."""
    with pytest.raises(InvalidRequest, match=r"file: holds .*; the limit is 20|which is the limit"):
        read(content, name, limits=Limits(characters=20))

import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from depesche.documents import Document, Limits, read
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat
from tests.documents.samples import docx_of, eml_of, page_of, pdf_of

_SENTENCE = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet. "
_RELEASE = (_SENTENCE * 6).strip()
_NOTE = "Anbei die Mitteilung."
_WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document"


def _read(message: EmailMessage | bytes) -> Document:
    return read(message if isinstance(message, bytes) else message.as_bytes(policy=SMTP), "a.eml")


def _refused(message: EmailMessage | bytes, limits: Limits | None = None) -> str:
    content = message if isinstance(message, bytes) else message.as_bytes()
    with pytest.raises(InvalidRequest) as refused:
        read(content, "a.eml", limits=limits or Limits())
    return refused.value.violations[0].description


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Köln öffnet eine Brücke", "Köln öffnet eine Brücke"),
        ("AW: WG: Re[2]: Neue Brücke", "Neue Brücke"),
        ("Fwd: fw: Neue Brücke: ein Bericht", "Neue Brücke: ein Bericht"),
        ("Отв: Новый мост", "Новый мост"),
        ("Regen: wenig", "Regen: wenig"),
        ("", ""),
    ],
)
def test_the_subject_is_the_title(subject: str, title: str) -> None:
    """The subject is the title, without what mail programs put before it."""
    assert _read(eml_of(_RELEASE, subject=subject)) == Document(
        f"{_RELEASE}\n", ContentFormat.PLAIN, title, "eml"
    )


def test_plain_text_goes_before_html() -> None:
    """Of the two, the plain text is taken, but not where it only says that there is HTML."""
    page = f"<html><body><p>{_RELEASE}</p></body></html>"
    both = _read(eml_of(_RELEASE, html=page))
    empty = _read(eml_of("Bitte schalten Sie HTML ein.", html=page))
    alone = _read(eml_of(html=page))

    assert both.content_format is ContentFormat.PLAIN
    assert empty.content_format is alone.content_format is ContentFormat.HTML
    assert empty.text.strip() == alone.text.strip() == page


@pytest.mark.parametrize("coding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "iso-8859-1"])
def test_codings_and_character_sets(charset: str, coding: str) -> None:
    """A text is read as it is declared to be written."""
    message = EmailMessage()
    message.set_content(_RELEASE, charset=charset, cte=coding)

    assert _read(message).text.strip() == _RELEASE


def test_a_character_set_that_is_not_declared() -> None:
    """A text in UTF-8 needs no declaration; another one without it is refused."""
    head = b"Subject: x\r\n\r\n"

    assert _read(head + "Москва".encode()).text == "Москва"
    assert _refused(head + "Москва".encode("cp1251")).startswith("isn't UTF-8: byte 0")


def test_html_declares_its_own_character_set() -> None:
    """HTML in a mail may name its character set itself."""
    head = b"Content-Type: text/html\r\n\r\n<meta charset=windows-1251><p>"

    assert _read(head + "Москва".encode("cp1251")).text.endswith("<p>Москва")


@pytest.mark.parametrize(
    ("delsp", "body", "text"),
    [
        (
            "no",
            "Die Brücke \r\nist offen.\r\n Sie ist lang.",
            "Die Brücke ist offen.\nSie ist lang.",
        ),
        ("yes", "Die Brü \r\ncke.\r\n-- \r\nPresse", "Die Brücke.\n-- \nPresse"),
    ],
)
def test_flowed_text(delsp: str, body: str, text: str) -> None:
    """Lines that the sender's program wrapped are joined (RFC 3676)."""
    head = f"Content-Type: text/plain; charset=utf-8; format=flowed; delsp={delsp}\r\n\r\n"

    assert _read((head + body).encode()).text.strip() == text


def test_a_cover_note_to_one_file() -> None:
    """Where the text is a note at most, the one file that is attached is the release."""
    word, pdf = eml_of(_NOTE, subject="Neue Brücke"), eml_of(_NOTE, subject="Neue Brücke")
    word.add_attachment(
        docx_of(_RELEASE), maintype="application", subtype="octet-stream", filename="x.DOCX"
    )
    word.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="logo.gif")
    pdf.add_attachment(pdf_of([page_of(_RELEASE)]), maintype="application", subtype="pdf")

    assert _read(word) == Document(f"<p>{_RELEASE}</p>", ContentFormat.HTML, "Neue Brücke", "eml")
    assert _read(pdf) == Document(_RELEASE, ContentFormat.PLAIN, "Neue Brücke", "eml")


def test_a_release_with_a_file() -> None:
    """Where the text is the release, what is attached is left aside."""
    message = eml_of(_RELEASE)
    message.add_attachment(docx_of("Hintergrund"), maintype="application", subtype=_WORD)

    assert _read(message).text.strip() == _RELEASE


def test_a_cover_note_to_several_files() -> None:
    """Which of several files is the release isn't guessed."""
    message = eml_of(_NOTE)
    message.add_attachment(docx_of(_RELEASE), maintype="application", subtype=_WORD)
    message.add_attachment(pdf_of([page_of(_RELEASE)]), maintype="application", subtype="pdf")

    assert _refused(message) == "is a cover note to 2 files; send that which counts by itself"


def test_what_is_wrong_with_the_attached_file() -> None:
    """An attached file that can't be read is told as such."""
    message = eml_of(_NOTE)
    message.add_attachment(pdf_of([[]]), maintype="application", subtype="pdf")

    assert _refused(message) == "holds no text; it may be a scan"


def test_a_forwarded_mail() -> None:
    """An e-mail that is forwarded as a part or as a file is the release, with its subject."""
    inner = eml_of(_RELEASE, subject="Neue Brücke")
    part, file = eml_of(_NOTE, subject="WG: Neue Brücke"), eml_of(_NOTE)
    part.add_attachment(inner)
    file.add_attachment(
        inner.as_bytes(), maintype="application", subtype="octet-stream", filename="Neue.eml"
    )

    assert (
        _read(part)
        == _read(file)
        == Document(f"{_RELEASE}\n", ContentFormat.PLAIN, "Neue Brücke", "eml")
    )


def test_several_texts() -> None:
    """Plain texts around an attachment, as some programs write them, are one."""
    message = eml_of("Die Brücke ist offen.")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif")
    message.attach(eml_of("Sie ist lang."))

    assert _read(message).text == "Die Brücke ist offen.\n\n\nSie ist lang.\n"


def test_an_empty_mail() -> None:
    """A mail without text and without a file is refused."""
    message = eml_of(subject="Neue Brücke")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif")

    assert _refused(message) == "holds no text"


def test_something_else() -> None:
    """What has no header isn't an e-mail, whatever its name says."""
    assert _refused(b"\r\n\r\nText") == "is no e-mail, though its name or type says so"


@pytest.mark.parametrize("kind", ["multipart/encrypted; boundary=x", "application/pkcs7-mime"])
def test_an_encrypted_mail(kind: str) -> None:
    """An encrypted e-mail is told as such."""
    assert _refused(f"Content-Type: {kind}\r\n\r\n--x\r\n".encode()) == "is encrypted"


def _nested(depth: int) -> bytes:
    content = "Content-Type: multipart/mixed; boundary=a0\r\n\r\n"
    for i in range(depth):
        content += f"--a{i}\r\nContent-Type: multipart/mixed; boundary=a{i + 1}\r\n\r\n"
    return f"{content}--a{depth}\r\n\r\nText".encode()


def test_parts_within_parts() -> None:
    """How deep an e-mail nests its parts is limited, so deep as to hurt the reader too."""
    started = time.monotonic()

    assert _read(_nested(5)).text == "Text"
    assert _refused(_nested(20)) == "holds parts within parts too deep"
    assert _refused(_nested(1000)) == "is nested too deep to be read"
    assert time.monotonic() - started < 10


def test_mails_within_mails() -> None:
    """How often an e-mail may be forwarded is limited."""
    message = eml_of(_RELEASE)
    for _ in range(4):
        outer = eml_of(_NOTE)
        outer.add_attachment(message)
        message = outer

    assert _read(message).text.strip() == _RELEASE
    assert _refused(message, Limits(depth=2)) == "holds parts within parts too deep"


def test_nothing_but_forwarding() -> None:
    """E-mails that hold nothing but an e-mail are limited too."""
    shell = b"Content-Type: message/rfc822\r\n\r\n"

    assert _read(shell * 5 + b"Subject: x\r\n\r\nText").text == "Text"
    assert _refused(shell * 15 + b"Subject: x\r\n\r\nText") == "holds parts within parts too deep"


def test_many_parts() -> None:
    """The number of parts is limited."""
    message = eml_of("Text")
    for _ in range(101):
        message.add_attachment(b"x", maintype="image", subtype="gif")

    assert _refused(message) == "holds more than 100 parts, which is the limit"

"""Documents as plain text."""

import pytest

from depesche.documents import Document, extract, read
from depesche.documents.plain import as_plain
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat
from tests.documents.samples import docx_of, eml_of

_LINES = (
    "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet.",
    "Sie kostete 12 Millionen Euro und ist 400 Meter lang.",
)
_PAGE = (
    "<!doctype html><html><head><title>Brücke | Stadt</title><script>alert(1)</script></head>"
    "<body><nav><a href=/>Start</a></nav><article><h1>Neue\n Brücke</h1>"
    f"<p>{_LINES[0]} {_LINES[1]}</p><p>Sie hat&nbsp;zwei Teile:</p>"
    "<ul><li>einen Fahrweg</li></ul></article></body></html>"
)
_PLAIN = f"{_LINES[0]} {_LINES[1]}\n\nSie hat zwei Teile:\n\n- einen Fahrweg"  # fmt: skip


def _html(text: str, title: str = "") -> Document:
    return Document(text, ContentFormat.HTML, title, "html")


async def test_a_page_is_its_article() -> None:
    """Without navigation and scripts, its headline apart, read in a process."""
    expected = Document(_PLAIN, ContentFormat.PLAIN, "Neue Brücke", "html")

    assert await extract(_PAGE.encode(), "a.html", plain=True) == expected
    assert read(_PAGE.encode("cp1252"), "", "text/html; charset=cp1252", plain=True) == expected


async def test_without_being_asked_html_stays() -> None:
    """As it was sent."""
    assert (await extract(_PAGE.encode(), "a.html")).text == _PAGE


def test_word_and_mail() -> None:
    """Whatever is HTML after it was read, becomes plain; what was plain stays."""
    word = read(docx_of(*_LINES), "a.docx", plain=True)
    assert word == Document("\n\n".join(_LINES), ContentFormat.PLAIN, "", "docx")

    mail = read(eml_of(_LINES[0], subject="Neue Brücke").as_bytes(), "a.eml", plain=True)
    assert (mail.text.strip(), mail.title) == (_LINES[0], "Neue Brücke")

    text = read(_LINES[0].encode(), "a.txt", plain=True)
    assert text == Document(_LINES[0], ContentFormat.PLAIN, "", "text")


def test_a_title_of_its_own_goes_first() -> None:
    """Then the headline stays in the text."""
    given = _html("<h1>Kopf</h1><p>Ein Satz.</p>", "Betreff")

    assert as_plain(given).title == "Betreff"
    assert as_plain(given).text == "Kopf\n\nEin Satz."


@pytest.mark.parametrize("text", ["", "<script>var a</script>", "<h1>Nur ein Kopf</h1>"])
def test_without_text(text: str) -> None:
    """It is refused as other kinds are."""
    with pytest.raises(InvalidRequest, match=r"^file: holds no text$"):
        as_plain(_html(text))

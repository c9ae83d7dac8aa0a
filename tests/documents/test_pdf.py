import textwrap
from pathlib import Path

import pytest

from depesche.documents import Document, Limits, read
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat
from tests.documents.samples import Line, page_of, pdf_of

_EXAMPLES = Path(__file__).parents[2] / "examples"


def _example(language: str) -> list[str]:
    text = (_EXAMPLES / f"release.{language}.txt").read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line]


def _paragraphs(*pages: list[Line]) -> list[str]:
    return read(pdf_of(pages), "release.pdf").text.split("\n\n")


def _refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read(content, "release.pdf", limits=limits or Limits())
    return refused.value.violations[0].description


def test_paragraphs_are_whole_again() -> None:
    """Wrapped lines are joined, and words that were divided; so it is over a page's end."""
    text = _example("de")
    lines = [line for part in text for line in page_of(part, divided=True)]
    pages = _flowing(text, per_page=9)

    assert sum(line.text.endswith("-") for line in lines) >= 2
    assert len(pages) > 2
    assert _paragraphs(*pages) == text


def _flowing(text: list[str], per_page: int) -> list[list[Line]]:
    """Lay a text out on pages of so many lines."""
    lines = page_of(*text, divided=True)
    pages = []
    for start in range(0, len(lines), per_page):
        page = lines[start : start + per_page]
        down = 770 - page[0].y
        pages.append([Line(x.x, x.y + down, x.size, x.text) for x in page])
    return pages


def test_russian() -> None:
    """Cyrillic text is read by its map to Unicode."""
    text = _example("ru")
    lines = [
        line for part in text for line in (*textwrap.wrap(part, 80, break_on_hyphens=False), "")
    ]

    assert _paragraphs(_set(lines)) == text


def test_khmer_stays_without_spaces() -> None:
    """Khmer, which has no spaces between words, gets none where a line ends."""
    text = [part for part in _example("km") if "\u200b" not in part][:9]
    lines = [line for part in text for line in (*_cut(part, 60), "")]

    assert any(len(part) > 60 for part in text)
    assert _paragraphs(_set(lines)) == text


def _cut(text: str, width: int) -> list[str]:
    return [text[i : i + width] for i in range(0, len(text), width)]


def _set(lines: list[str]) -> list[Line]:
    return [Line(70, 800 - 13 * i, 11, line) for i, line in enumerate(lines) if line]


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [
        ("die stellver-", "tretende Ministerin", "die stellvertretende Ministerin"),
        ("Fragen der IKT-", "Sicherheit", "Fragen der IKT-Sicherheit"),
        ("die Vor-", "und Nachteile", "die Vor- und Nachteile"),
        ("in den Jahren 2021-", "2025", "in den Jahren 2021-2025"),
        ("am Montag -", "und danach", "am Montag - und danach"),
        ("die Sicher\xad", "heit", "die Sicherheit"),
    ],
)
def test_hyphens(above: str, below: str, joined: str) -> None:
    """A hyphen that only divides a word goes; one that is the word's own stays."""
    filler = "x" * 40

    page = [Line(70, 700, 11, f"{filler} {above}"), Line(70, 687, 11, f"{below} {filler}")]

    assert _paragraphs(page) == [f"{filler} {joined} {filler}"]


def test_running_heads_and_page_numbers_go() -> None:
    """What stands at the edge of the pages is left out, and the text around it goes on."""
    text = ["Die Stadt hat eine Brücke.", "Sie kostete viel.", "Sie ist lang und breit."]
    pages = [
        [
            Line(70, 810, 9, "Presse- und Informationsamt"),
            *page_of(text[number - 1]),
            Line(280, 40, 9, f"Seite {number} von 3"),
            Line(70, 30, 9, f"- {number} -"),
        ]
        for number in (1, 2, 3)
    ]

    assert _paragraphs(*pages) == text


def test_a_sentence_goes_on_over_the_page() -> None:
    """A paragraph that a page's end divides is one, unless a list item begins there."""
    first = Line(70, 700, 11, "Die Stadt hat am Montag nach einer langen Zeit des Bauens eine neue")
    whole, item = (Line(70, 770, 11, text) for text in ("Brücke eröffnet.", "• Brücke"))

    assert _paragraphs([first], [whole]) == [f"{first.text} {whole.text}"]
    assert _paragraphs([first], [item]) == [first.text, item.text]


def test_columns() -> None:
    """Two columns are read one after the other."""
    left = [Line(70, 700 - 13 * i, 11, f"links {i} und noch mehr") for i in range(3)]
    right = [Line(320, 700 - 13 * i, 11, f"rechts {i} und noch mehr") for i in range(3)]

    (text,) = _paragraphs([*left, *right])

    assert text.startswith("links 0 und noch mehr links 1")
    assert text.endswith("rechts 2 und noch mehr")


def test_lists_headings_and_indents() -> None:
    """List items, headings of the text's own size and indented lines begin paragraphs."""
    full = "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke"
    lines = [
        (70, "Kosten"),
        (70, full),
        (70, "eröffnet. Sie ist lang und breit und für alle da und sehr schön."),
        (90, "Der Bau begann am 3. August des vergangenen Jahres, und zwar am"),
        (70, "9. August, wie es heißt, und dauerte dann ein ganzes Jahr lang:"),
        (70, "• Beton für die Pfeiler"),
        (70, "• Stahl für die Seile"),
    ]
    page = [Line(x, 700 - 13 * i, 11, text) for i, (x, text) in enumerate(lines)]

    assert _paragraphs(page) == [
        "Kosten",
        f"{full} {lines[2][1]}",
        f"{lines[3][1]} {lines[4][1]}",
        "• Beton für die Pfeiler",
        "• Stahl für die Seile",
    ]


def test_the_title_is_the_largest_line() -> None:
    """The largest paragraph before the text is the title, of several lines if it has them."""
    page = [
        Line(70, 810, 30, "PRESSE"),
        Line(70, 780, 20, "Köln eröffnet eine neue Brücke über"),
        Line(70, 756, 20, "den Rhein"),
        Line(70, 730, 14, "Sie ist vierhundert Meter lang"),
        *page_of("Die Stadt hat sie am Montag eröffnet. " * 8, top=700),
    ]

    document = read(pdf_of([page]), "release.pdf")

    assert document.title == "Köln eröffnet eine neue Brücke über den Rhein"
    assert document.text.startswith("PRESSE\n\nSie ist vierhundert Meter lang\n\nDie Stadt hat")


def test_a_text_of_one_size_has_no_title() -> None:
    """Nothing is called a title that doesn't stand out."""
    document = read(pdf_of([page_of("Neue Brücke in Köln", "Sie ist offen.")]), "release.pdf")

    assert document == Document(
        "Neue Brücke in Köln\n\nSie ist offen.", ContentFormat.PLAIN, "", "pdf"
    )


@pytest.mark.parametrize("pages", [[[]], [[Line(70, 700, 11, "1")]], [[Line(70, 400, 11, " ")]]])
def test_a_scan(pages: list[list[Line]]) -> None:
    """A PDF without text is refused with a hint at what it may be."""
    assert _refused(pdf_of(pages)) == "holds no text; it may be a scan"


def test_too_many_pages() -> None:
    """The number of pages is limited, whether they are there or only claimed."""
    page = page_of("Die Brücke ist offen.")

    assert _refused(pdf_of([page] * 201)) == "has 201 pages; the limit is 200"
    assert _refused(pdf_of([page], count=1_000_000)).startswith("has 1000000 pages; the limit")


def test_a_page_that_is_not_there() -> None:
    """A page that the file only claims to have is told."""
    assert _refused(pdf_of([page_of("Text")], count=2)) == "is broken: page 2 can't be read"


@pytest.mark.parametrize("kept", [9, 100, 1000])
def test_a_file_cut_short(kept: int) -> None:
    """A file that isn't whole is refused."""
    whole = pdf_of([page_of(*_example("de"))])

    assert _refused(whole[:kept]) == "is broken: it can't be opened as a PDF"


def test_an_encrypted_file() -> None:
    """A PDF that asks for a password is told as such."""
    encryption = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b">"
        b" /U <" + b"42" * 32 + b"> >> /ID [<01> <01>] /Root"
    )
    content = pdf_of([page_of("Text")]).replace(b"/Root", encryption)

    assert _refused(content) == "is encrypted; save it without a password"

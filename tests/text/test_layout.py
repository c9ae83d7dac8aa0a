import pytest

from depesche.text.layout import ends_sentence, list_marker, paragraphs
from depesche.text.normalize import normalize
from depesche.types import Span

WRAPPED = """\
Die Stadtwerke erneuern im kommenden Jahr drei Brücken über den Fluss.
Das hat der Vorstand am Montag beschlossen. Die Arbeiten an der IKT-
Leitung beginnen im März; sie dauern voraussichtlich acht Monate, und
kosten rund 12 Millionen Euro.
Während der Bauzeit ist der Radweg am Ufer gesperrt. Eine Umleitung über
die Schulstraße wird ausgeschildert.
"""


def _texts(source: str) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(normalize(source))]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("", []),
        ("\n \n", []),
        ("Ein Absatz.", ["Ein Absatz."]),
        ("Erster Absatz.\nZweiter Absatz.", ["Erster Absatz.", "Zweiter Absatz."]),
        ("Erster.\r\n\r\nZweiter.\r\n", ["Erster.", "Zweiter."]),
        ("Titel\n\nErster.\nZweiter.", ["Titel", "Erster.", "Zweiter."]),
    ],
)
def test_line_ends_and_blank_lines_end_paragraphs(source: str, texts: list[str]) -> None:
    """Without hard wrapping each line is a paragraph."""
    assert _texts(source) == texts


def test_hard_wrapped_lines_are_joined() -> None:
    """Full lines go on in the next one; a line that had room left ends its paragraph."""
    first, second = _texts(WRAPPED)
    assert "der Vorstand am Montag beschlossen. Die Arbeiten an der IKT-Leitung beginnen" in first
    assert first.endswith("Millionen Euro.")
    assert second.startswith("Während der Bauzeit")
    assert second.endswith("über die Schulstraße wird ausgeschildert.")


def test_list_items_stay_apart_in_wrapped_text() -> None:
    """A bullet begins a new item, and the item's own lines are joined."""
    items = (
        "- Die Brücke an der Mühle wird als erste und vollständig gesperrt, bis\n  Mai.\n- Ende."
    )
    assert _texts(WRAPPED + items)[2:] == [
        "- Die Brücke an der Mühle wird als erste und vollständig gesperrt, bis Mai.",
        "- Ende.",
    ]


def test_a_date_or_dash_within_a_wrapped_sentence_is_no_list_item() -> None:
    """Below a full line that doesn't end a sentence, the sentence goes on."""
    text = f"{WRAPPED}Die Brücke an der Mühle ist nach dem Plan des Amtes gesperrt bis zum\n9. Mai."
    assert _texts(text)[-1].endswith("bis zum 9. Mai.")


def test_long_lines_are_paragraphs_each() -> None:
    """A line beyond 100 columns shows that the text isn't wrapped."""
    lines = ["der Anfang " * 12, "das Ende " * 14]
    assert _texts("\n".join(lines)) == [line.strip() for line in lines]


def test_short_verses_are_not_joined() -> None:
    """Lines that break off where they like are no wrapped text."""
    verses = [
        "Der Mond ist aufgegangen,",
        "die goldnen Sternlein prangen",
        "am Himmel hell und klar:",
    ]
    assert _texts("\n".join(verses)) == verses


def test_joined_paragraphs_keep_their_place() -> None:
    """The span of a joined paragraph runs over its line ends."""
    first = paragraphs(normalize(WRAPPED))[0]
    end = WRAPPED.index("Euro.") + len("Euro.")
    assert first.span(0, len(first)) == Span(0, end)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("- Punkt", 2),
        ("• Punkt", 2),
        ("– Punkt", 2),
        ("* Punkt", 2),
        ("3) Punkt", 3),
        ("a) Punkt", 3),
        ("б) пункт", 3),
        ("12. Punkt", 4),
        ("១. ចំណុច", 3),
        ("-5 Grad", None),
        ("A. Müller sagte", None),
        ("2021. Punkt", None),
        ("-", None),
        ("— Мы рады, — сказал директор.", None),
        ("— новые классы", 2),
    ],
)
def test_list_markers(text: str, end: int | None) -> None:
    """Bullets, letters and numbers open a list item; a dash of direct speech doesn't."""
    marker = list_marker(text)
    assert (marker.end() if marker else None) == end


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Es regnet.", True),
        ("«Es regnet.»", True),
        ("„Regnet es?“ ", False),
        ("„Regnet es?“", True),
        ("ភ្លៀង។", True),
        ("Die Ziele:", True),
        ("Regen in Kassel", False),
        ("Dank der «Rose»", False),
        ("", False),
    ],
)
def test_sentence_ends(text: str, *, ends: bool) -> None:
    """Closing quotation marks and brackets may follow the mark."""
    assert ends_sentence(text) is ends

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.errors import InvalidRequest
from depesche.text.document import Block, read
from depesche.text.normalize import normalize
from depesche.types import BlockKind, ContentFormat, Origin, Release

FULL = """\
Pressemitteilung Nr. 12/2021
Berlin, 24. November 2021

Drei Brücken werden neu
Arbeiten beginnen im März

Von Max Müller

BERLIN (dpa) – Die Stadtwerke erneuern drei Brücken. Das ist beschlossen.

Die Bauzeit

Es geht in dieser Reihenfolge:
- Mühle
- Wehr
* * *
1. Erst wird gesperrt.
2. Dann wird gebaut.

1. Mai ist der Stichtag.

Kontakt:
Tel. 0561 12345
"""


def _kinds(
    text: str, title: str = "", content_format: ContentFormat = ContentFormat.PLAIN
) -> list[tuple[str, str]]:
    blocks = read(Release(text, content_format, title))
    return [(block.kind.value, block.content.text) for block in blocks]


def test_every_kind_of_block() -> None:
    """A release with all that may frame it."""
    assert _kinds(FULL) == [
        ("byline", "Pressemitteilung Nr. 12/2021"),
        ("dateline", "Berlin, 24. November 2021"),
        ("title", "Drei Brücken werden neu"),
        ("heading", "Arbeiten beginnen im März"),
        ("byline", "Von Max Müller"),
        ("dateline", "BERLIN (dpa)"),
        ("paragraph", "Die Stadtwerke erneuern drei Brücken. Das ist beschlossen."),
        ("heading", "Die Bauzeit"),
        ("paragraph", "Es geht in dieser Reihenfolge:"),
        ("list_item", "Mühle"),
        ("list_item", "Wehr"),
        ("list_item", "Erst wird gesperrt."),
        ("list_item", "Dann wird gebaut."),
        ("paragraph", "1. Mai ist der Stichtag."),
        ("byline", "Kontakt:"),
        ("byline", "Tel. 0561 12345"),
    ]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Es regnet", ["paragraph"]),
        ("Es regnet.", ["paragraph"]),
        ("Foto: Max", ["paragraph"]),
        ("Regen in Kassel\nEs regnet.", ["title", "paragraph"]),
        ("Regen in Kassel\nEs regnet", ["title", "paragraph"]),
        ("Es regnet.\nEs schneit.", ["paragraph", "paragraph"]),
        ("Regen " * 40 + "\nEs schneit.", ["paragraph", "paragraph"]),
        ("Дождь в Москве\n\nИдёт дождь.", ["title", "paragraph"]),
        ("ភ្លៀងនៅភ្នំពេញ\nភ្នំពេញ៖ មានភ្លៀង។", ["title", "dateline", "paragraph"]),
        (
            "Es regnet.\nTrocken bleibt\nnichts hier\nEs schneit.",
            ["paragraph", "paragraph", "heading", "paragraph"],
        ),
        ("Autor: Max\n\nQuelle: dpa", ["paragraph", "paragraph"]),
    ],
)
def test_titles_and_headings_never_swallow_the_text(text: str, kinds: list[str]) -> None:
    """They are short, end in no mark, and text follows; something is always left to brief."""
    assert [kind for kind, _ in _kinds(text)] == kinds


@pytest.mark.parametrize("repeated", ["Regen in Kassel\n", "REGEN  IN KASSEL!\n\n", "***\n", ""])
def test_a_title_comes_first_and_once(repeated: str) -> None:
    """A title field is a block of its own, and its repetition in the text is dropped."""
    blocks = read(Release(f"{repeated}Kassel im Herbst\nEs regnet.", title="Regen in\nKassel"))
    assert blocks[0].content.text == "Regen in Kassel"
    assert [(block.kind, block.origin) for block in blocks] == [
        (BlockKind.TITLE, Origin.TITLE),
        (BlockKind.HEADING, Origin.TEXT),
        (BlockKind.PARAGRAPH, Origin.TEXT),
    ]


def test_html_gives_the_same_blocks() -> None:
    """Tags tell kinds, a dateline is split off, and <br> ends a line."""
    source = (
        "<p>Kurz notiert</p><h1>Regen</h1><p>BERLIN (dpa) &ndash; Es regnet.<br><br>Es schneit.</p>"
        "<h3>Und?</h3><ul><li>Ja.</ul>"
    )
    assert _kinds(source, content_format=ContentFormat.HTML) == [
        ("paragraph", "Kurz notiert"),
        ("title", "Regen"),
        ("dateline", "BERLIN (dpa)"),
        ("paragraph", "Es regnet."),
        ("paragraph", "Es schneit."),
        ("heading", "Und?"),
        ("list_item", "Ja."),
    ]


def test_html_offsets_point_into_the_html() -> None:
    """A block's span is the raw HTML behind it, tags and entities included."""
    source = "<h1>Regen</h1>\n<p>In K&ouml;ln <b>reg</b>net es.</p>"
    block = read(Release(source, ContentFormat.HTML))[1]
    span = block.content.span(0, len(block.content))
    assert source[span.start : span.end] == "In K&ouml;ln <b>reg</b>net es."


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Eins\nZwei", ["Eins", "Zwei"]),
        ("Eins\n\n- Zwei\n", ["Eins", "", "- Zwei"]),
        ("Eins\r\n  Zwei\u2028Drei \r\n", ["Eins", "Zwei Drei"]),
        ("***", ["***"]),
        ("\n\n", ["", ""]),
    ],
)
def test_lines_stay_lines(text: str, lines: list[str]) -> None:
    """In the lines format each line feed ends a paragraph, and nothing is interpreted."""
    assert _kinds(text, content_format=ContentFormat.LINES) == [
        ("paragraph", line) for line in lines
    ]


def test_blank_lines_cost_next_to_nothing() -> None:
    """Many of them are read in the time of a few written ones."""
    begun = time.process_time()
    blocks = read(Release("\n \n" * 50_000, ContentFormat.LINES))
    assert time.process_time() - begun < 2
    assert len(blocks) == 100_000


def test_lines_know_their_place() -> None:
    """The second line's offsets count from the beginning of the text."""
    block = read(Release("a\n bc", ContentFormat.LINES))[1]
    assert list(block.content.starts) == [3, 4]


@pytest.mark.parametrize(
    ("text", "content_format"),
    [
        ("***", ContentFormat.PLAIN),
        ("\u200b\x07", ContentFormat.PLAIN),
        ("1.234", ContentFormat.PLAIN),
        ("1.234", ContentFormat.HTML),
        ("<p>&nbsp;</p>", ContentFormat.HTML),
        ("<nav>Menü</nav>", ContentFormat.HTML),
        ("<html><script>var a</script></html>", ContentFormat.HTML),
    ],
)
def test_a_release_without_words_is_refused(text: str, content_format: ContentFormat) -> None:
    """The error names the field; words in the title alone don't help."""
    with pytest.raises(InvalidRequest) as refusal:
        read(Release(text, content_format, title="Regen in Kassel"))
    assert [violation.field for violation in refusal.value.violations] == ["release.text"]


LINE = st.one_of(
    st.text("aBü .–-:1", max_size=90),
    st.sampled_from(
        [
            "",
            "- Punkt",
            "BERLIN (dpa) – Es",
            "1. Mai",
            "2. Juni",
            "***",
            "Von Max Müller",
            "ភ្នំពេញ៖ មាន",
        ]
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(LINE, max_size=12).map("\n".join))
def test_every_word_is_in_one_block(text: str) -> None:
    """Blocks don't overlap, keep the order, and miss only markers, dashes and symbols."""
    try:
        blocks = read(Release(text))
    except InvalidRequest:
        assert not any(map(str.isalpha, text))
        return
    _assert_in_order(blocks)
    covered = {place for block in blocks for place in block.content.starts}
    missed = "".join(c for place, c in enumerate(text) if place not in covered)
    assert set(missed) <= set("–-*:.៖\n 12")
    assert all(
        block.content.text == normalize(block.content.text).text.replace("\n", " ")
        for block in blocks
    )


def _assert_in_order(blocks: tuple[Block, ...]) -> None:
    last = 0
    for block in blocks:
        assert block.content.text == block.content.text.strip() != ""
        span = block.content.span(0, len(block.content))
        assert last <= span.start
        last = span.end

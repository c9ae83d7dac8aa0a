import pytest

from depesche.text.html import read_html

LEAD = (
    "Die Stadtwerke erneuern im kommenden Jahr drei Br&uuml;cken &uuml;ber den Fluss, "
    "teilte der <b>Vor</b>stand am Montag mit."
)
DETAIL = (
    "Die Arbeiten beginnen im M&auml;rz und dauern voraussichtlich acht Monate; "
    "der Radweg am Ufer bleibt so lange gesperrt."
)
PAGE = f"""<!DOCTYPE html>
<html><head><title>Neue Brücken | Stadtwerke</title><script>var a = "<p>x</p>";</script></head>
<body>
<header><a href="/">Start</a><nav><ul><li>Politik</li><li>Kontakt</li></ul></nav></header>
<main><article><h1>Neue Brücken</h1>
<p>{LEAD}</p>
<h2>Bauzeit</h2>
<p>{DETAIL}<br>Eine Umleitung ist ausgeschildert.</p>
<ul><li>Brücke an der Mühle</li><li>Brücke &amp; Steg am Wehr</li></ul>
</article></main>
<aside><p>Lesen Sie auch: Der Strompreis bleibt in diesem Jahr, wie er ist.</p></aside>
<footer><p>Impressum Datenschutz Copyright 2021</p></footer>
</body></html>
"""


def _read(source: str) -> list[tuple[str, str]]:
    return [(element.tag, element.content.text[:20]) for element in read_html(source)]


def test_the_article_of_a_page_is_found() -> None:
    """Menus, asides and footers aren't part of it; title, headings and lists are."""
    assert _read(PAGE) == [
        ("h1", "Neue Brücken"),
        ("p", "Die Stadtwerke erneu"),
        ("h2", "Bauzeit"),
        ("p", "Die Arbeiten beginne"),
        ("li", "Brücke an der Mühle"),
        ("li", "Brücke & Steg am Weh"),
    ]


def test_offsets_point_into_the_page_as_sent() -> None:
    """The span of a paragraph is exactly its raw HTML."""
    lead = read_html(PAGE)[1].content
    span = lead.span(0, len(lead))
    assert PAGE[span.start : span.end] == LEAD


@pytest.mark.parametrize(
    ("page", "headline"),
    [
        (PAGE.replace("<h1>Neue Brücken</h1>", ""), ("title", "Neue Brücken | Stadtw")[0:1]),
        (
            PAGE.replace("<h1>Neue Brücken</h1>", "").replace("<main>", "<h1>Oben</h1><main>"),
            ("h1",),
        ),
    ],
)
def test_a_headline_outside_the_article_comes_first(page: str, headline: tuple[str]) -> None:
    """It is the last <h1> before the article, or else the page's <title>."""
    assert _read(page)[0][:1] == headline


@pytest.mark.parametrize(
    ("source", "elements"),
    [
        ("<p>Eins.</p><p>Zwei.</p>", [("p", "Eins."), ("p", "Zwei.")]),
        ("Nur Text", [("p", "Nur Text")]),
        (
            "<h1>T</h1><nav><p>Menü</p></nav><p>Eins.</p><form><p>Suche</p></form>",
            [("h1", "T"), ("p", "Eins.")],
        ),
        ("<p>***</p><p>Eins.</p>", [("p", "Eins.")]),
        ("<table><tr><td>Umsatz<td>5 Mio.</table><p>Eins.", [("p", "Eins.")]),
        ("", []),
        ("<nav>Menü</nav>", []),
        ("<html><body></body></html>", []),
    ],
)
def test_a_fragment_is_the_article(source: str, elements: list[tuple[str, str]]) -> None:
    """Without a page around it, all counts but navigation, forms, table cells and bare symbols."""
    assert _read(source) == elements


def test_nesting_too_deep_for_a_parser_is_read_by_the_tags() -> None:
    """Ten thousand nested elements don't hide the text."""
    source = "<html><body>" + "<div>" * 10_000 + LEAD
    assert _read(source) == [("p", "Die Stadtwerke erneu")]


def test_text_in_which_nothing_is_found_is_read_by_the_tags() -> None:
    """A page too short to hold an article for trafilatura still has its text."""
    assert _read("<html><body><nav>Menü</nav><p>Kurz.</p></body></html>") == [("p", "Kurz.")]


def test_characters_that_utf_8_cannot_hold_do_not_hide_the_text() -> None:
    """A lone surrogate is dropped, and the text around it is read."""
    assert _read(f"<html><body><p>\ud800{LEAD}</p></body></html>") == [
        ("p", "Die Stadtwerke erneu")
    ]

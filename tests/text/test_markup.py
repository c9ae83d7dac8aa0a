import html
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.markup import parse
from depesche.text.normalize import normalize

# Pieces of a paragraph: text as it may stand in HTML, and inline markup that shows nothing.
_TEXTS = [
    "Wort",
    "Größe",
    "ពាក្យ",
    "u\u0308",
    "😀",
    " ",
    "\r\n",
    "\n",
    "\u00a0",
    "\u200b",
    "& ",
    "AT&T",
]
_REFERENCES = ["&amp;", "&uuml;", "&#x1784;", "&#8211;", "&nbsp;", "&copy2021", "&unknown;"]
_TAGS = ["<b>", "</b>", "<a href='x>y'>", "<!-- <p> -->", "<wbr>", "<script>x<p></script>"]
PIECES = st.sampled_from(_TEXTS + _REFERENCES + _TAGS)
TAG = re.compile(r"<!--.*?-->|<script>.*?</script>|<[/a-z](?:'.*?'|[^>'])*>", re.DOTALL)


@pytest.mark.parametrize(
    ("source", "elements"),
    [
        ("", []),
        ("Nur Text", [("p", "Nur Text")]),
        ("<p>Eins</p><p>Zwei</p>", [("p", "Eins"), ("p", "Zwei")]),
        (
            "<h1>A</h1><h2>B</h2><ul><li>C<li>D</ul>E",
            [*zip(("h1", "h2", "li", "li", "p"), "ABCDE", strict=True)],
        ),
        ("<li><p>A</p><p>B</p></li>", [("li", "A"), ("li", "B")]),
        ("<P CLASS=x>A<BR/>B</P>", [("p", "A\nB")]),
        ("<p>Stadt<b>werke</b> f&uuml;r &lt;alle&gt;", [("p", "Stadtwerke für <alle>")]),
        ("<p>A\r\n\tB</p>", [("p", "A B")]),
        ("<pre>A\nB</pre>", [("p", "A\nB")]),
        ("<p>A<script>if (a<b) '</p>'</script>B<style>p{}</style></p>", [("p", "AB")]),
        ("<p>A<!-- </p> -->B<!-->C", [("p", "ABC")]),
        ("<p>A<svg/>B<svg><title>x</title></svg>C", [("p", "ABC")]),
        ("<p title=\"a>b\" lang='>'>A", [("p", "A")]),
        ("<p don't>A</p><p>isn't</p>", [("p", "A"), ("p", "isn't")]),
        ("a < b & c <3 </ x>", [("p", "a < b & c <3 ")]),
        ("<td>A<td>B<tr><th>C", [("td", "A"), ("td", "B"), ("th", "C")]),
        ("<dl><dt>A<dd>B<dt>C</dl>D", [("dt", "A"), ("dd", "B"), ("dt", "C"), ("p", "D")]),
        ("A<hr>B<h2>C<p>D", [("p", "A"), ("p", "B"), ("h2", "C"), ("p", "D")]),
        ("</p></div>A<p", [("p", "A")]),
        ("<script>A", []),
        ("<p>&#0;&#xD800;&#99999999999;</p>", [("p", "\ufffd\ufffd\ufffd9;")]),
    ],
)
def test_text_of_block_elements(source: str, elements: list[tuple[str, str]]) -> None:
    """Inline tags don't break words, hidden text is left out, and nothing malformed fails."""
    assert [(element.tag, element.content.text) for element in parse(source)] == elements


@pytest.mark.parametrize(
    ("source", "apart"),
    [
        ("<nav><ul><li>A</li></ul></nav>", True),
        ("<header><h1>A</h1></header>", True),
        ("<article><header><h1>A</h1></header></article>", False),
        ("<form><p>A</form>", True),
        ("<body><form><p>A</form>", False),
        ("<aside>x</aside><p>A</p>", False),
    ],
)
def test_parts_of_the_page_that_are_no_article(source: str, *, apart: bool) -> None:
    """Navigation and the like are marked; the article's header and ASP.NET's form aren't."""
    assert parse(source)[-1].apart is apart


def test_a_reference_maps_to_all_of_its_characters() -> None:
    """One character of text covers the whole entity; a tag between two is inside their span."""
    (element,) = parse("<p>a<b>&uuml;</b>c</p>")
    assert (list(element.content.starts), list(element.content.ends)) == ([3, 7, 17], [4, 13, 18])


@settings(deadline=None, max_examples=200)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_spans_hold_the_text_that_they_map(inner: str) -> None:
    """Untagged and unescaped, the raw HTML behind a paragraph is its text."""
    source = f"<div><p>{inner}</p><p>Ende</p></div>"
    for element in parse(source):
        content = element.content
        span = content.span(0, len(content))
        raw = re.sub(r"[\r\n]+", " ", TAG.sub("", source[span.start : span.end]))
        assert normalize(html.unescape(raw)).text == normalize(content.text).text


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(), st.text("<>/&;=\"'!-# \nabp1x"), st.lists(PIECES).map("".join)))
def test_any_source_is_taken_apart(source: str) -> None:
    """Whatever is sent, ranges are ordered, and inside the source."""
    places = [
        place for e in parse(source) for place in zip(e.content.starts, e.content.ends, strict=True)
    ]
    assert all(0 <= start < end <= len(source) for start, end in places)
    assert all(first <= second for first, second in pairwise(places))


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<div>a",
        "<",
        "<a ",
        "<a b='",
        "<!--",
        "<script>",
        "<script></script",
        "&",
        "&x",
        "<a =",
        "= ",
        "<ul><li>a",
        "</p>",
    ],
)
def test_time_is_linear(unit: str) -> None:
    """Half a million characters take seconds, whatever they are."""
    begun = time.process_time()
    parse("<div>" * 10_000 + unit * (500_000 // len(unit)))
    assert time.process_time() - begun < 10

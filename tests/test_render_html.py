"""Briefs as HTML, from messages made by hand."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche import render
from depesche.render.parts import clean
from depesche.v1 import types_pb2

_FINDING = types_pb2.Finding(message="An amount isn't in the English", expected="€1.2 billion")
_GERMAN = ("Haushalt", "Der Bundestag stimmt zu.", "Er sieht 1,2 Milliarden Euro vor.", "Ende.")
_ENGLISH = ("Budget", "The Bundestag agrees.", "It provides for spending.", "The end.")
_TAGS = frozenset(
    {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "sup", "a", "ul"),
        *("ol", "li", "section", "span", "footer", "p", "code"),
    }
)


def _brief(text: str = "Budget") -> types_pb2.Brief:
    brief = types_pb2.Brief(
        headline=types_pb2.BriefSentence(text=text, sentence_indices=[0]),
        key_sentences=[
            types_pb2.BriefSentence(text=_ENGLISH[1], sentence_indices=[1, 0]),
            types_pb2.BriefSentence(
                text=_ENGLISH[2],
                sentence_indices=[2],
                findings=[_FINDING],
                strategy=types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE,
            ),
        ],
        detection=types_pb2.Detection(language="de", confidence=1),
        signature=types_pb2.Signature(line="depesche:0|splitter:1"),
    )
    for index, (german, english) in enumerate(zip(_GERMAN, _ENGLISH, strict=True)):
        brief.translation.add(index=index, normalised_source=german, text=english)
    return brief


class _Page(HTMLParser):
    """A document taken apart, as far as the tests look."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.languages: dict[str, str] = {}
        self._lang = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        self._lang = found.get("lang") or ""
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._lang = ""

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._lang and data.strip():
            self.languages[data.strip()] = self._lang


def test_a_document() -> None:
    """It needs no other file, and has what a brief has."""
    document = render.html(_brief())

    start, _, rest = document.partition("<style>")
    assert start == (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Budget</title>\n"
    )
    body = rest.partition("<body>\n")[2]
    assert body == (
        "<main>\n"
        '<h1>Budget<sup><a id="reference-1" href="#source-1" aria-label="Source 1">[1]</a></sup>'
        "</h1>\n"
        "<ul>\n"
        "<li>The Bundestag agrees."
        '<sup><a id="reference-2" href="#source-2" aria-label="Source 2">[2]</a></sup>'
        '<sup><a id="reference-3" href="#source-1" aria-label="Source 1">[1]</a></sup></li>\n'
        "<li>≈ ⚠ It provides for spending."
        '<sup><a id="reference-4" href="#source-3" aria-label="Source 3">[3]</a></sup>'
        '<ul class="findings">\n'
        "<li>An amount isn&#x27;t in the English (expected: €1.2 billion)</li>\n"
        "</ul></li>\n"
        "</ul>\n"
        "<section>\n<h2>Sources</h2>\n<ol>\n"
        '<li id="source-1" value="1"><span lang="de">Haushalt</span>'
        ' <a href="#reference-1" aria-label="Back to place 1">↩</a>'
        ' <a href="#reference-3" aria-label="Back to place 2">↩</a></li>\n'
        '<li id="source-2" value="2"><span lang="de">Der Bundestag stimmt zu.</span>'
        ' <a href="#reference-2" aria-label="Back to place 1">↩</a></li>\n'
        '<li id="source-3" value="3"><span lang="de">Er sieht 1,2 Milliarden Euro vor.</span>'
        ' <a href="#reference-4" aria-label="Back to place 1">↩</a></li>\n'
        "</ol>\n</section>\n"
        "</main>\n"
        "<footer>\n"
        "<p>German, 4 sentences, 0 to check; ≈ marks what a model summed up in its own words</p>\n"
        "<p><code>depesche:0|splitter:1</code></p>\n"
        "</footer>\n</body>\n</html>\n"
    )


def test_links_lead_both_ways() -> None:
    """Each has its end in the document, and each end is there once."""
    brief = _brief()
    brief.translation[3].findings.append(_FINDING)
    page = _Page(render.html(brief))

    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} == set(page.ids)
    assert page.open == []
    assert page.languages == dict.fromkeys(_GERMAN, "de")


def test_what_is_elsewhere_and_the_glossary() -> None:
    """Sentences to check that the brief doesn't rest on, and terms, have sections of their own."""
    brief = _brief()
    brief.translation[3].findings.append(_FINDING)
    term = types_pb2.GlossaryTerm(source="Rat", target="<council>")
    brief.glossary.add(term=term, outcome=types_pb2.GLOSSARY_OUTCOME_APPLIED)
    document = render.html(brief)

    assert "<h2>To check elsewhere</h2>\n<ul>\n<li>⚠ The end.<sup>" in document
    assert '<li id="source-4" value="4">' in document
    assert "<h2>Glossary</h2>\n<ul>\n<li>Applied: Rat → &lt;council&gt;</li>\n</ul>" in document


def test_what_is_not_there_leaves_nothing() -> None:
    """No empty list, section or paragraph."""
    document = render.html(types_pb2.Brief(headline=types_pb2.BriefSentence(text="x")))

    assert "<main>\n<h1>x</h1>\n</main>" in document
    assert "<p><code>" not in document


@pytest.mark.parametrize("language", ["", "de\" onload='x'", "DE", "x"])
def test_a_language_that_is_none(language: str) -> None:
    """It doesn't come into an attribute."""
    brief = _brief()
    brief.detection.language = language

    assert "<span>Haushalt</span>" in render.html(brief)


_HOSTILE = st.text(max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</title><img src=x onerror=alert(1)>",
        "--><svg/onload=alert(1)>",
        "'\"><a href=javascript:alert(1)>",
        "&lt;script&gt;",
        "]]>\u2028</style>",
    ]
)


@given(_HOSTILE)
def test_nothing_of_a_release_becomes_markup(text: str) -> None:
    """Wherever it stands, it is text: the document has the tags and links that it has without."""
    plain = _Page(render.html(_filled("x")))
    page = _Page(render.html(_filled(text)))

    assert page.tags == plain.tags <= _TAGS
    assert (page.ids, page.links, page.open) == (plain.ids, plain.links, [])
    shown = " ".join("".join(page.texts).split())
    assert f"⚠ {clean(f's{text}')}[1]" in shown


def _filled(text: str) -> types_pb2.Brief:
    """Make a brief that has a text wherever one can stand."""
    finding = types_pb2.Finding(message=f"m{text}", expected=text, found=text)
    sentence = types_pb2.BriefSentence(text=f"s{text}", sentence_indices=[0], findings=[finding])
    brief = types_pb2.Brief(headline=sentence, key_sentences=[sentence])
    brief.translation.add(index=0, source=text, normalised_source=f"n{text}", text=text)
    brief.translation.add(index=1, source=text, text=text, findings=[finding])
    term = types_pb2.GlossaryTerm(source=text, target=text)
    brief.glossary.add(term=term, outcome=types_pb2.GLOSSARY_OUTCOME_REFUSED)
    brief.signature.line = f"l{text}"
    return brief

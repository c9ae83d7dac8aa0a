"""The article of a web page, with offsets into the page's HTML as it was sent."""

import re
from dataclasses import replace

from depesche.text.markup import Element, parse
from depesche.text.normalize import normalize, skeleton

__all__ = ["read_html"]

_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)

# Letters and digits by which a line of the extraction is known again in the page. Two paragraphs
# of one article that begin alike for longer than this are the same; a shorter text must be equal.
_KEY = 40


def read_html(source: str) -> list[Element]:
    """Find the article in `source` and take it apart, with its headline first where it has one.

    A whole page is searched for its article by trafilatura (Barbaresi 2021, "Trafilatura: A Web
    Scraping Library and Command-Line Tool for Text Discovery and Extraction"). A fragment without
    <html>, <head> or <body> is the article, and so is a page in which nothing is found, save what
    stands in navigation, header, footer, aside or form.

    Returns:
        The article's elements, normalised, in document order; none where there is no text.
    """
    elements = [element for element in map(_normalised, parse(source)) if _size(element)]
    article = _extracted(elements, source) if _PAGE.search(source) else []
    article = article or [element for element in elements if _in_article(element)]
    return [*_headline(elements, article), *article]


def _normalised(element: Element) -> Element:
    content = normalize(element.content.text).onto(element.content)
    return replace(element, content=content.strip())


def _size(element: Element) -> int:
    return len(skeleton(element.content.text))


def _in_article(element: Element) -> bool:
    """Tell from the tags alone whether an element is part of the article."""
    cell = element.tag in {"caption", "td", "th"} and _size(element) < _KEY
    return not (element.apart or cell or element.tag == "title")


def _extracted(elements: list[Element], source: str) -> list[Element]:
    """Choose the elements that trafilatura finds in the article."""
    lines = {skeleton(line)[:_KEY] for line in normalize(_extract(source)).text.split("\n")}
    return [
        element
        for element in elements
        if any(skeleton(line)[:_KEY] in lines for line in element.content.text.split("\n"))
        and element.tag != "title"
        and (_in_article(element) or _size(element) >= _KEY)
    ]


def _extract(source: str) -> str:
    """Have trafilatura find the article's text; "" where it finds none, or fails."""
    import trafilatura  # noqa: PLC0415 - takes 0.2 s, and plain text does without

    try:
        return trafilatura.extract(source, include_comments=False) or ""
    except Exception:  # noqa: BLE001 - whatever its parsers raise, the tags are still there
        return ""


def _headline(elements: list[Element], article: list[Element]) -> list[Element]:
    """Find the headline of an article that doesn't hold it: the last <h1> before it, or <title>."""
    if not article or any(element.tag == "h1" for element in article):
        return []
    begin = article[0].content.starts[0]
    headings = [e for e in elements if e.tag == "h1" and e.content.starts[0] < begin]
    titles = [e for e in elements if e.tag == "title"]
    return headings[-1:] or titles[:1]

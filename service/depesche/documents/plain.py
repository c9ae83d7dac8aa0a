"""A document in HTML as plain text, for those who show it before they send it on."""

from dataclasses import replace

from depesche.documents.document import Document, refuse
from depesche.text.html import read_html
from depesche.types import ContentFormat

__all__ = ["as_plain"]

_TITLES = frozenset({"h1", "title"})


def as_plain(document: Document) -> Document:
    """Give the article of a document as plain text, with blank lines between its paragraphs.

    Its headline becomes the title if the document has none. Plain text stays as it is.

    Raises:
        InvalidRequest: it holds no text.
    """
    if document.content_format is not ContentFormat.HTML:
        return document
    elements = read_html(document.text)
    title = document.title
    if not title and elements and elements[0].tag in _TITLES:
        title = " ".join(elements.pop(0).content.text.split())
    lines = ["- " * (e.tag == "li") + e.content.text for e in elements]
    if not lines:
        raise refuse("holds no text")
    return replace(
        document, text="\n\n".join(lines), title=title, content_format=ContentFormat.PLAIN
    )

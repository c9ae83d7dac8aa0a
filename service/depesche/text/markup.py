"""HTML taken apart into the texts of its block elements, with exact offsets.

A small reader of its own, because no library keeps an offset for each character. It follows the
HTML Standard (section 13.2.5, "Tokenization") as far as text goes, never fails, and takes time
linear in the length of the source.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from depesche.text.mapped import MappedText

__all__ = ["Element", "parse"]

# Quotation marks count only after "=", so that a stray apostrophe doesn't swallow the page; a tag
# without its ">" runs to the end of the source.
_ATTRIBUTES = r"""(?:[^=>]++|=\s*+(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))?)*+"""
_UNSEEN = (
    "audio|button|canvas|iframe|label|math|noembed|noframes|noscript|object|script|select|style"
    "|svg|template|textarea|video|xmp"
)
_TOKEN = re.compile(
    rf"""
    <!--(?:-?>|.*?(?:--!?>|\Z)) | <[!?][^>]*(?:>|\Z) | </[^a-z>][^>]*(?:>|\Z)
    | <(?P<unseen>{_UNSEEN})(?=[\s/>]){_ATTRIBUTES}(?<!/)>
      .*?(?:</(?P=unseen)(?=[\s/>])[^>]*(?:>|\Z)|\Z)
    | <(?P<end>/?)(?P<name>[a-z][^\s/>]*){_ATTRIBUTES}(?:>|\Z)
    | (?P<reference>&(?:\#[0-9]{{1,10}};?|\#x[0-9a-f]{{1,8}};?|[^\t\n\f\r <&\#;]{{1,32}};?))
    | (?P<space>[\t\n\f\r]+)
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CELLS = frozenset({"td", "th"})
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|dialog|div|dl|dt|fieldset"
    "|figcaption|figure|footer|form|h[1-6]|head|header|hgroup|hr|html|legend|li|main|menu|nav|ol"
    "|option|p|pre|section|summary|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
# What a text is, is told by the innermost of these around it.
_TELLING = _HEADINGS | _CELLS | frozenset({"caption", "dd", "dt", "li", "title"})
_APART = frozenset({"aside", "figcaption", "footer", "form", "header", "menu", "nav"})


@dataclass(frozen=True, slots=True)
class Element:
    """The text of one block element.

    Attributes:
        tag: `title`, `h1` to `h6`, `li`, `dt`, `dd`, `td`, `th` or `caption` where the text
            stands in one, else `p`.
        content: the text, with a line feed for each <br>.
        apart: whether it stands in a part of the page that isn't its article, such as <nav>.
    """

    tag: str
    content: MappedText
    apart: bool = False


def parse(source: str) -> list[Element]:
    """Take `source` apart, in document order; text that no browser shows is left out."""
    reader = _Reader(source)
    done = 0
    for token in _TOKEN.finditer(source):
        reader.text(done, token.start())
        reader.token(token)
        done = token.end()
    reader.text(done, len(source))
    reader.close_element()
    return reader.elements


class _Open(NamedTuple):
    """An open block element, with what it hands down to those inside."""

    name: str
    tag: str
    apart: bool


class _Reader:
    """The elements so far, the open ones, and the text of the one being read."""

    def __init__(self, source: str) -> None:
        self.elements: list[Element] = []
        self._source = source
        self._open = [_Open("", "p", apart=False)]
        self._depth: Counter[str] = Counter()
        self._start = self._end = -1
        self._edits: list[tuple[int, int, str]] = []

    def text(self, start: int, end: int) -> None:
        """Take text as it stands in the source."""
        if start == end:
            return
        if self._start < 0:
            self._start = start
        self._end = end

    def token(self, token: re.Match[str]) -> None:
        """Take a tag, a comment, a character reference or white space."""
        name = (token["name"] or "").lower()
        if _BLOCK.fullmatch(name):
            self.close_element()
            (self._end_tag if token["end"] else self._start_tag)(name)
        elif token["reference"]:
            self.text(*token.span())
            self._edit(token, html.unescape(token[0]))
        elif token["space"]:
            self._edit(token, token[0] if self._depth["pre"] else " ")
        else:
            self._edit(token, "\n" if name == "br" else "")

    def close_element(self) -> None:
        """End the text that is being read."""
        if self._start >= 0:
            text = MappedText.identity(self._source[self._start : self._end], self._start)
            base = self._start
            edits = [(start - base, end - base, new) for start, end, new in self._edits]
            inside = self._open[-1]
            self.elements.append(Element(inside.tag, text.rewrite(edits), inside.apart))
        self._start = -1
        self._edits = []

    def _edit(self, token: re.Match[str], replacement: str) -> None:
        """Replace a token inside text; before any text it goes."""
        if self._start < 0:
            return
        self._end = token.end()
        if replacement != token[0]:
            self._edits.append((token.start(), token.end(), replacement))

    def _start_tag(self, name: str) -> None:
        while _ends(self._open[-1].name, name):
            self._pop()
        if name == "hr":
            return
        parent = self._open[-1]
        tag = name if name in _TELLING else parent.tag
        self._open.append(_Open(name, tag, parent.apart or self._is_apart(name, parent.name)))
        self._depth[name] += 1

    def _end_tag(self, name: str) -> None:
        if self._depth[name]:
            while self._pop() != name:
                pass

    def _pop(self) -> str:
        name = self._open.pop().name
        self._depth[name] -= 1
        return name

    def _is_apart(self, name: str, parent: str) -> bool:
        """Tell whether an element is apart from the article.

        Not so are the header of the article itself and a form around the whole page.
        """
        if name == "header":
            return not (self._depth["article"] or self._depth["main"])
        return name in _APART and not (name == "form" and parent == "body")


def _ends(open_name: str, name: str) -> bool:
    """Tell whether the start tag `name` ends the open element, whose end tag may be left out."""
    if open_name in _CELLS:
        return name in _CELLS or name == "tr"
    if open_name in _HEADINGS:
        return name in _HEADINGS or name == "p"
    if open_name in {"dd", "dt"}:
        return name in {"dd", "dt"}
    return open_name == "p" or (open_name in {"li", "tr"} and open_name == name)

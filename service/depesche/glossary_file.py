"""Glossaries as files: a term a line, a tab, and its English."""

from collections.abc import Iterator

from depesche.errors import InvalidRequest, Violation
from depesche.types import GlossaryTerm

__all__ = ["read_glossary"]

_COMMENT = "#"
_KEEP = "="
_BYTE_ORDER_MARK = "\ufeff"


def read_glossary(text: str, name: str) -> tuple[GlossaryTerm, ...]:
    """Read a glossary: each line holds a term, a tab, and its English, or `=` to keep the term.

    Blank lines and lines that begin with `#` are passed over.

    Args:
        text: the file's text.
        name: the file's name, for errors.

    Raises:
        InvalidRequest: a line is written otherwise, or its term stands in an earlier one; the first
            such line is named.
    """
    terms: dict[str, GlossaryTerm] = {}
    lines: dict[str, int] = {}
    for number, line in _lines(text):
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a term and its English
            rule = "must be a term, one tab, and its English, or = to keep the term"
            raise _refused(name, number, rule)
        source, target = parts
        if source in terms:
            raise _refused(name, number, f"has the term of line {lines[source]} again")
        terms[source] = GlossaryTerm(source, "" if target == _KEEP else target)
        lines[source] = number
    return tuple(terms.values())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1):
        if line.strip() and not line.startswith(_COMMENT):
            yield number, line


def _refused(name: str, number: int, rule: str) -> InvalidRequest:
    return InvalidRequest([Violation(f"{name} line {number}", rule)])

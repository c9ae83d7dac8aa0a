"""Glossaries as files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.errors import InvalidRequest
from depesche.glossary_file import read_glossary
from depesche.types import GlossaryTerm


def test_a_term_a_line() -> None:
    """Term, tab, English; = keeps the term; blank lines and comments are passed over."""
    text = (
        "\ufeff# desk\r\nHaushalt\tbudget\r\n\n  \nBundestag\t=\n"
        "Europäischer Rat \t European Council"
    )

    assert read_glossary(text, "terms.tsv") == (
        GlossaryTerm("Haushalt", "budget"),
        GlossaryTerm("Bundestag", ""),
        GlossaryTerm("Europäischer Rat", "European Council"),
    )
    assert read_glossary("", "terms.tsv") == ()


@pytest.mark.parametrize(
    "line", ["Haushalt", "Haushalt\t", "\tbudget", "a\tb\tc", "a b", "\t", "=\t"]
)
def test_a_line_that_is_written_otherwise_is_named(line: str) -> None:
    """The error names file and line, and the form that a line must have; it repeats no term."""
    if not line.strip():
        line = f"{line}x"
    with pytest.raises(InvalidRequest) as refused:
        read_glossary(f"# first\n{line}\nHaushalt\tbudget", "terms.tsv")

    assert str(refused.value) == (
        "terms.tsv line 2: must be a term, one tab, and its English, or = to keep the term"
    )


def test_a_term_stands_once() -> None:
    """A second line of the same term is refused, and the first one named."""
    with pytest.raises(InvalidRequest, match=r"^terms\.tsv line 3: has the term of line 1 again$"):
        read_glossary("Rat\tcouncil\n\nRat\tadvice", "terms.tsv")


@given(st.text("a=#\t\r\n é", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a file holds, it gives whole terms or the one error."""
    try:
        terms = read_glossary(text, "x")
    except InvalidRequest as error:
        refused, terms = str(error), ()
    else:
        refused = "x line "

    assert refused.startswith("x line ")
    assert all(term.source.strip() for term in terms)
    assert len({term.source for term in terms}) == len(terms)

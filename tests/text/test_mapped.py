from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.mapped import MappedText
from depesche.types import Span


def test_identity_maps_each_character_onto_itself() -> None:
    """A text that stands at an offset maps each character to one source character."""
    text = MappedText.identity("abc", 5)
    assert (list(text.starts), list(text.ends)) == ([5, 6, 7], [6, 7, 8])


def test_rewrite_maps_a_replacement_to_the_whole_range_that_it_replaces() -> None:
    """Both characters of the replacement come from all three that they replace."""
    text = MappedText.identity("a123b").rewrite([(1, 4, "xy")])
    assert text.text == "axyb"
    assert (list(text.starts), list(text.ends)) == ([0, 1, 1, 4], [1, 4, 4, 5])


def test_rewrite_drops_a_range_without_replacement() -> None:
    """A span across a deleted range covers it in the source."""
    text = MappedText.identity("a--b").rewrite([(1, 3, "")])
    assert (text.text, text.span(0, 2)) == ("ab", Span(0, 4))


def test_onto_follows_both_maps() -> None:
    """A text derived from a derived text points into the first source."""
    base = MappedText.identity("<b>x&amp;y").rewrite([(0, 3, ""), (4, 9, "&")])
    text = MappedText.identity(base.text).rewrite([(0, 2, "z")])
    mapped = text.onto(base)
    assert (mapped.text, list(mapped.starts), list(mapped.ends)) == ("zy", [3, 9], [9, 10])


def test_strip_of_white_space_alone_is_empty() -> None:
    """Nothing is left of spaces and line feeds."""
    assert len(MappedText.identity(" \n ").strip()) == 0


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_slices_keep_their_place_in_the_source(text: str, first: int, second: int) -> None:
    """Whatever is cut out, its span finds the same text in the source."""
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    piece = MappedText.identity(text).slice(start, end)
    if piece.text:
        span = piece.span(0, len(piece))
        assert text[span.start : span.end] == piece.text

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.normalize import has_words, normalize
from depesche.types import Span

# Letters, marks and invisible characters that interact, in a higher share than chance gives them.
HARD = (
    "aüÄ \t\n\r\v\u2028\u00a0\u00ad\u200b\u200d\u202e\ufeff\u0301\u0316\u0344\u1100\u1161\u11a8😀👩"
)
KHMER = "កខគដតនបមរលវសហអឥ\u17d2\u17d2\u17d2ាិីឹុូេោំះ់៉៊៌៍័ៈ៝។៖១\u200b\u200c\u200d\u17b4 "
TEXT = st.one_of(st.text(), st.text(HARD), st.text(KHMER), st.text(HARD + KHMER))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        (" \u00a0\t ", ""),
        ("a\u00a0b\u2009c\u3000d\te", "a b c d e"),
        ("a \u00a0 \u200b b", "a b"),
        ("10\u202f000\u00a0€", "10 000 €"),
        ("A\r\nB\rC\u2028D\u0085E\u2029F\vG\fH", "A\nB\nC\nD\nE\nF\nG\nH"),
        ("a\vb \fc\u0085d\u2028 e\u2029f", "a b c d e\nf"),
        ("a\n\fb\v\vc\u2028", "a\n\nb\n\nc\n"),
        ("\x1b[1;31ma\x1b[0m \x1b[K b\x1b[m\n", "a b\n"),
        ("a\x1b[12", "a[12"),
        ("a  \r\n\r\n  b", "a\n\nb"),
        ("  a \n", "a\n"),
        ("Presse\u00admitteilung", "Pressemitteilung"),
        ("\ufeffTitel", "Titel"),
        ("\u202eabc\u202c \u2066x\u2069\u200f", "abc x"),
        ("a\x00b\x1bc\x9dd", "abcd"),
        ("a\ud800b", "ab"),
        ("u\u0308ber", "über"),
        ("\u212b", "Å"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
        ("и\u0306", "й"),
        ("a\u200b\u0301", "á"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("👩🏽\u200d❤\ufe0f\u200d👩", "👩🏽\u200d❤\ufe0f\u200d👩"),
        ("a\u200db \u200d", "ab"),
        ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),
        ("a\n\u0340b", "a\n\u0300b"),
        ("«Ja», sagte er – „nein“.", "«Ja», sagte er – „nein“."),
    ],
)
def test_spaces_breaks_marks_and_invisible_characters(source: str, text: str) -> None:
    """Each text is written one way, and nothing that can be seen changes."""
    assert normalize(source).text == text


@pytest.mark.parametrize(
    ("typed", "ordered"),
    [
        ("ស្រី", "ស្រី"),
        ("សី្រ", "ស្រី"),
        ("ក្រ្ត", "ក្ត្រ"),
        ("ខេី", "ខើ"),
        ("ស\u17d2\u178aេច", "ស\u17d2\u178fេច"),
    ],
)
def test_khmer_syllables_have_one_order(typed: str, ordered: str) -> None:
    """Vowels after subscripts, coeng ro last, split vowels joined, subscript da as subscript ta."""
    assert normalize(f"«{typed}»").text == f"«{ordered}»"


@pytest.mark.parametrize(
    ("source", "start", "end", "span"),
    [
        ("fu\u0308r", 1, 2, Span(1, 3)),
        ("a \u00a0\t b", 1, 2, Span(1, 5)),
        ("a\u200bb", 1, 2, Span(2, 3)),
        ("\ufeffabc", 0, 1, Span(1, 2)),
        ("a\r\nb", 1, 2, Span(1, 3)),
        ("a\x1b[31mb", 1, 2, Span(6, 7)),
        ("a \fb", 1, 2, Span(1, 3)),
        ("កសី្រខ", 1, 5, Span(1, 5)),
        ("កសី្រខ", 2, 3, Span(1, 5)),
        ("កសី្រខ", 5, 6, Span(5, 6)),
    ],
)
def test_each_character_knows_its_source(source: str, start: int, end: int, span: Span) -> None:
    """What was composed, collapsed or reordered maps to all that it was made from."""
    assert normalize(source).span(start, end) == span


@settings(deadline=None, max_examples=300)
@given(TEXT)
def test_map_is_ordered_and_inside_the_source(source: str) -> None:
    """Starts and ends never go back, and every range is one of the source and not empty."""
    text = normalize(source)
    assert len(text.text) == len(text.starts) == len(text.ends)
    assert all(a <= b for a, b in pairwise(text.starts))
    assert all(a <= b for a, b in pairwise(text.ends))
    assert all(
        0 <= start < end <= len(source) for start, end in zip(text.starts, text.ends, strict=True)
    )


@settings(deadline=None, max_examples=300)
@given(TEXT)
def test_second_time_changes_nothing(source: str) -> None:
    """A normalised text is its own normal form."""
    once = normalize(source).text
    assert normalize(once).text == once


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(), st.text(HARD)))
def test_nothing_visible_is_lost(source: str) -> None:
    """Apart from space and invisible characters the text is the source in Form C."""
    kept = unicodedata.normalize("NFC", "".join(c for c in source if _visible(c)))
    assert (
        unicodedata.normalize("NFC", "".join(c for c in normalize(source).text if _visible(c)))
        == kept
    )


@settings(deadline=None, max_examples=200)
@given(TEXT)
def test_each_character_can_be_found_again(source: str) -> None:
    """Normalising the source range of a whole line gives that line."""
    text = normalize(source)
    start = 0
    for line in text.text.split("\n"):
        if line:
            span = text.span(start, start + len(line))
            assert normalize(source[span.start : span.end]).text == line
        start += len(line) + 1


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "a\u200b",
        "\r\n",
        "u\u0308",
        "\u0301\u0316",
        "្រ",
        "ក្រ្កេី",
        "😀\u200d",
        "\u200d\u200b",
        "\x1b[1",
        "\x1b[m",
    ],
)
def test_time_is_linear(unit: str) -> None:
    """A million characters of one line take seconds, whatever they are."""
    begun = time.process_time()
    normalize("ក" + unit * (1_000_000 // len(unit)))
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [("– a", True), ("1.", True), ("ក", True), ("«…» – ៖\n", False), ("", False)],
)
def test_words_are_letters_and_digits(text: str, *, expected: bool) -> None:
    """Marks and space alone are no words."""
    assert has_words(text) is expected


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    invisible = category in {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
    return not invisible and character not in "\u17b4\u17b5\u2065"

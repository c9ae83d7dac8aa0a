from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.errors import InvalidRequest
from depesche.text.document import Block, read
from depesche.text.mapped import MappedText
from depesche.text.segment import sentences
from depesche.types import BlockKind, ContentFormat, Language, Origin, Release, Span

PIECES = st.sampled_from(
    [
        *("Der Minister kam. ", "Er sagte: «Ja!» ", "Dr.\u00a0Sok\u200b blieb. ", "– ", "\n\n"),
        *("Ko\u0308ln, 24. November – ", "5 %. ", "Von Max Müller\n", "…", "  ", "\r\n"),
    ]
)
MARKUP = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "&uuml;", "&nbsp;", "<br>", "<h2>", "</h2>"]
)


def _blocks(text: str, *kinds: BlockKind) -> list[Block]:
    content = MappedText.identity(text)
    return [Block(kind, content, Origin.TEXT) for kind in kinds]


def test_lists_sentences_with_their_places() -> None:
    """Each sentence knows its place in the document and in the text as sent."""
    release = Release("Er kam.  Sie ging.\n\nAlle blieben.", title="Ein Treffen")
    found = sentences(read(release), release, Language.GERMAN)
    assert [(s.index, s.text, s.block, s.origin) for s in found] == [
        (0, "Ein Treffen", 0, Origin.TITLE),
        (1, "Er kam.", 1, Origin.TEXT),
        (2, "Sie ging.", 1, Origin.TEXT),
        (3, "Alle blieben.", 2, Origin.TEXT),
    ]
    assert found[2].span == Span(9, 18)
    assert found[0].source == "Ein Treffen"


def test_bylines_and_datelines_stay_whole() -> None:
    """What frames a release is one sentence a block, whatever marks stand in it."""
    text = "Kontakt: Amt! Zimmer 5"
    blocks = _blocks(text, BlockKind.BYLINE, BlockKind.DATELINE, BlockKind.HEADING)
    found = sentences(blocks, Release(text), Language.GERMAN)
    assert [(s.index, s.block, s.kind, s.text) for s in found] == [
        (0, 0, BlockKind.BYLINE, text),
        (1, 1, BlockKind.DATELINE, text),
        (2, 2, BlockKind.HEADING, "Kontakt: Amt!"),
        (3, 2, BlockKind.HEADING, "Zimmer 5"),
    ]


def test_no_word_of_a_release_is_lost() -> None:
    """The sentences together hold every word, those of datelines and contacts included."""
    text = (
        "Pressemitteilung\nRegen in Kassel\nBERLIN (dpa) – Es regnet. Es schneit.\n"
        "Rückfragen: Der Minister tritt am 3. Dezember 2025 zurück.\nKontakt: Max Müller"
    )
    found = sentences(read(Release(text)), Release(text), Language.GERMAN)
    assert " ".join(s.text for s in found) == text.replace(" – ", " ").replace("\n", " ")
    assert found[5].kind is BlockKind.PARAGRAPH


def test_stray_marks_are_no_sentences() -> None:
    """A piece without a letter or figure is left out."""
    text = "Er kam. – !! Sie ging."
    found = sentences(_blocks(text, BlockKind.PARAGRAPH), Release(text), Language.GERMAN)
    assert [s.text for s in found] == ["Er kam.", "Sie ging."]
    assert [
        s.text
        for s in sentences(_blocks("…! –", BlockKind.PARAGRAPH), Release("…! –"), Language.GERMAN)
    ] == []


@given(
    pieces=st.lists(st.one_of(PIECES, MARKUP), min_size=1),
    content_format=st.sampled_from([ContentFormat.PLAIN, ContentFormat.HTML]),
    title=st.sampled_from(["", " Titel: ein Treffen. Und mehr "]),
)
@settings(deadline=None)
def test_sources_stand_at_their_spans(
    pieces: list[str], content_format: ContentFormat, title: str
) -> None:
    """The text as sent, at a sentence's span, is its source; spans are in order and disjoint."""
    release = Release("".join(pieces), content_format, title)
    try:
        found = sentences(read(release), release, Language.GERMAN)
    except InvalidRequest:
        return
    fields = {Origin.TEXT: release.text, Origin.TITLE: release.title}
    last = dict.fromkeys(Origin, 0)
    for index, sentence in enumerate(found):
        assert sentence.index == index
        assert sentence.source == fields[sentence.origin][sentence.span.start : sentence.span.end]
        assert last[sentence.origin] <= sentence.span.start < sentence.span.end
        last[sentence.origin] = sentence.span.end

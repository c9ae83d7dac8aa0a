import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.config import Settings
from depesche.errors import InvalidRequest, LanguageUncertain
from depesche.inference.fake import FakeBackend
from depesche.lines import Line, split_lines, translate_lines
from depesche.local import LocalClient
from depesche.types import Language
from tests.support import fake_loader

_GERMAN = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet."


def _translate(
    lines: list[str],
    backend: FakeBackend | None = None,
    language: Language | None = Language.GERMAN,
    **limits: int,
) -> list[Line]:
    """Translate lines by the whole pipeline on a fake model."""
    chosen = Settings(decode_again=False, **limits)  # type: ignore[arg-type]

    async def run() -> list[Line]:
        loader = fake_loader(backend or FakeBackend(str.upper))
        async with await LocalClient.load(chosen, loader) as client:
            return [line async for line in translate_lines(client, lines, language, chosen)]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\n\r\nb\r\n", ["a", "", "b"]),
        ("a\u2028b\x85c\vd\n", ["a\u2028b\x85c\vd"]),
        ("a\n\n", ["a", ""]),
    ],
)
def test_lines_end_at_line_feeds(text: str, lines: list[str]) -> None:
    """Only a line feed ends a line, and the last one needn't have it."""
    assert split_lines(text) == lines


def test_each_line_has_its_english() -> None:
    """Lines keep their order and blank ones stay; the sentences of a line are joined."""
    lines = _translate(["Guten Tag. Es regnet heute.", "", "  ", "Die Sonne scheint."])

    assert [line.text for line in lines] == [
        "GUTEN TAG. ES REGNET HEUTE.",
        "",
        "",
        "DIE SONNE SCHEINT.",
    ]
    assert [len(line.sentences) for line in lines] == [2, 0, 0, 1]


def test_lines_without_words_stay() -> None:
    """There is nothing to translate in a line of signs, and a model isn't asked to."""
    backend = FakeBackend(str.upper)

    lines = _translate(["***", "Guten Tag.", "—"], backend)
    signs = _translate(["***", ""], backend, language=None)

    assert [line.text for line in lines] == ["***", "GUTEN TAG.", "—"]
    assert [line.text for line in signs] == ["***", ""]
    assert "***" not in itertools.chain.from_iterable(backend.history)


def test_english_holds_no_line_break() -> None:
    """Whatever the model writes, and whatever breaks the source holds, one line stays one."""
    backend = FakeBackend(lambda _: "one\ntwo\r\nthree\u2028four\x85five")

    lines = _translate(["Guten\rTag\u2028und\x85gute\vNacht."], backend)

    assert [line.text.splitlines() for line in lines] == [["one two three four five."]]


def test_the_language_is_detected_once() -> None:
    """A line that tells no language is read in that of the whole text."""
    lines = _translate([_GERMAN, "Ja.", _GERMAN], language=None)

    assert lines[1].text == "JA."


def test_an_uncertain_language_is_refused() -> None:
    """Lines that tell no language together are refused, not guessed."""
    with pytest.raises(LanguageUncertain):
        _translate(["Ja.", "Nein."], language=None)


def test_many_lines_take_several_requests() -> None:
    """Lines are sent in parts that stay within the limits on sentences and characters."""
    texts = [f"Zeile {number}. Noch ein Satz. Und noch einer." for number in range(60)]

    by_sentences = _translate(texts, max_sentences=10)
    by_characters = _translate(texts, max_text_characters=100)

    expected = [text.upper() for text in texts]
    assert [line.text for line in by_sentences] == expected
    assert [line.text for line in by_characters] == expected


def test_a_line_over_the_limit_is_refused() -> None:
    """A line that no request can hold is the caller's to shorten."""
    with pytest.raises(InvalidRequest, match=r"release\.text: has 120 characters; the limit is"):
        _translate(["Gut", "x" * 120], max_text_characters=100)


_line = st.text(
    st.one_of(
        st.sampled_from("aä Žж១ក\u200b\ufeff\r\v\x1c\x85\u2028.!?…។«»„“\"'*-–1,\t\0"),
        st.characters(exclude_characters="\n", exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_line, max_size=8), st.sampled_from(Language), st.integers(1, 200))
def test_as_many_lines_come_out(lines: list[str], language: Language, limit: int) -> None:
    """Any n lines give n lines, none of which holds a break, however they are cut up."""
    translated = _translate(lines, language=language, max_text_characters=40 + limit)

    assert len(translated) == len(lines)
    assert all(len(line.text.splitlines()) <= 1 for line in translated)

"""The glossary's English takes the place of the model's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.fidelity.term_swap import bare_words, swap_terms
from depesche.text.terms import TermPlace
from depesche.types import Span


def place(english: str) -> TermPlace:
    return TermPlace(0, "Begriff", Span(0, 7), (english,))


@pytest.mark.parametrize(
    ("target", "own", "english", "swapped"),
    [
        ("The game was won.", "game", "match", "The match was won."),
        ("Diseases spread.", "disease", "illness", "Illnesses spread."),
        ("all countries", "country", "territory", "all territories"),
        ("the days", "day", "box", "the boxes"),
        ("the shows", "show", "series", "the series"),
        ("the program’s end", "program", "broadcast", "the broadcast’s end"),
        ("Won. Game over.", "game", "match", "Won. Match over."),
        ('"Game over"', "game", "match", '"Match over"'),
        ("saw an explosion", "explosion", "blast", "saw a blast"),
        ("saw a game", "game", "event", "saw an event"),
        ("A game", "game", "hour", "An hour"),
        ("a game", "game", "European match", "a European match"),
        ("a game", "game", "unit", "a unit"),
        ("a game", "game", "FDP rally", "an FDP rally"),
        ("a game", "game", "NATO rally", "a NATO rally"),
        ("The parliament met", "parliament", "the Bundestag", "The Bundestag met"),
        ("in the parliament", "parliament", "the Bundestag", "in the Bundestag"),
        ("in parliament", "parliament", "the Bundestag", "in the Bundestag"),
        ("the US army", "US", "U.S.", "the U.S. army"),
        ("let us go", "US", "EU", "let us go"),
        ("the games", "match", "event", "the games"),
        ("game", "", "match", "game"),
    ],
)
def test_words_are_swapped(target: str, own: str, english: str, swapped: str) -> None:
    """Number, genitive, capital and article follow; what isn't there isn't swapped."""
    assert swap_terms(target, [place(english)], [[own]]) == swapped


def test_no_word_is_swapped_that_may_stand_for_another() -> None:
    """The words must stand as often as the term is missing."""
    assert swap_terms("a game after a game", [place("match")], [["game"]]) == "a game after a game"
    twice = [place("match")] * 2
    assert swap_terms("a game after a game", twice, [["game"]] * 2) == "a match after a match"
    assert swap_terms("a match after a game", twice, [[], ["game"]]) == "a match after a match"


def test_the_likeliest_words_come_first() -> None:
    """Further words are tried where the first aren't there."""
    assert swap_terms("a game", [place("match")], [["play", "game"]]) == "a match"


def test_the_english_of_another_term_stays() -> None:
    """Words that are the English of another term aren't the model's own."""
    places = [place("game night"), place("match")]

    assert swap_terms("a game night", places, [[], ["game"]]) == "a game night"
    assert swap_terms("a game night, a game", places, [[], ["game"]]) == "a game night, a match"


def test_what_one_term_brings_in_is_not_swapped_by_another() -> None:
    """All terms are looked for in what the model wrote."""
    places = [place("game"), place("event")]

    assert swap_terms("a match, a show", places, [["match"], ["show"]]) == "a game, an event"
    assert swap_terms("a show", places, [["show"], ["show"]]) == "a game"


@pytest.mark.parametrize(
    ("text", "bare"),
    [("The budget.", "budget"), (" an hour! ", "hour"), ('"Game"', "Game"), ("...", ""), ("", "")],
)
def test_bare_words(text: str, bare: str) -> None:
    """What the model says of a term alone is stripped of article and marks."""
    assert bare_words(text) == bare


_WORDS = st.text("aAnthe sy.'’-‑1ß", max_size=30)


@given(_WORDS, st.lists(st.tuples(_WORDS.filter(str.strip), _WORDS), max_size=3))
def test_anything_can_be_swapped(target: str, pairs: list[tuple[str, str]]) -> None:
    """No text breaks it, and without the model's words nothing changes."""
    places = [place(english) for english, _ in pairs]

    assert isinstance(swap_terms(target, places, [[own] for _, own in pairs]), str)
    assert swap_terms(target, places, [[] for _ in pairs]) == target

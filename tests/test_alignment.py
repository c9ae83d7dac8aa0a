"""Sentences of a summary find the sentences that they rest on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from depesche.alignment import align, explains
from depesche.inference.fake_encoder import FakeEncoder

TEXT = [
    "The city of Cologne opened a new bridge across the Rhine on Monday.",
    "Its construction took three years and cost 12 million euros.",
    "Mayor Anna Schmidt praised the engineers of the Brown company.",
    "Traffic will be allowed from next spring, the police announced.",
]


def rests(*summary: str) -> list[tuple[int, ...]]:
    encoder = FakeEncoder()
    return align(TEXT, summary, encoder.encode(TEXT), encoder.encode(summary))


def test_a_sentence_rests_on_itself() -> None:
    """Each of the text's."""
    assert rests(*TEXT) == [(0,), (1,), (2,), (3,)]


def test_other_forms_of_the_words_will_do() -> None:
    """Announced or announcement, engineer or engineers."""
    assert rests("An announcement of the police allows traffic in spring.")[0][0] == 3


def test_a_fusion_rests_on_both() -> None:
    """The one that explains more stands first."""
    (found,) = rests("Cologne opened a bridge across the Rhine, and it cost 12 million euros.")
    assert set(found) == {0, 1}


def test_what_nothing_explains_rests_on_nothing() -> None:
    """Foreign sentences, empty ones, and all where there is no text."""
    foreign = "Scientists discovered unknown species of fish near Antarctica."
    assert rests(foreign, "", "It is.") == [(), (), ()]
    empty = np.zeros((0, 256), np.float32)
    assert align([], ["A bridge."], empty, FakeEncoder().encode(["A bridge."])) == [()]


def test_a_passage_without_a_source() -> None:
    """Words of its own here and there are a paraphrase; four in a row come from elsewhere."""
    source = TEXT[0]
    assert explains(source, source)
    assert explains(source, "Cologne proudly opened its long awaited bridge across the Rhine.")
    assert not explains(source, "Cologne opened a bridge before farmers harvested frozen wheat.")
    assert explains(source, "")
    assert not explains("", "Farmers harvested frozen wheat.")


@given(st.lists(st.text(max_size=60), max_size=5), st.lists(st.text(max_size=60), max_size=5))
def test_places_are_in_the_text(text: list[str], summary: list[str]) -> None:
    """Different ones, three at most, whatever the texts are."""
    encoder = FakeEncoder()
    found = align(text, summary, encoder.encode(text), encoder.encode(summary))

    assert len(found) == len(summary)
    for places in found:
        assert len(set(places)) == len(places) <= 3
        assert all(0 <= place < len(text) for place in places)

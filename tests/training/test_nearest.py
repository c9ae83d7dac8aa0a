import itertools

import pytest

from models.training.nearest import groups, nearest, score, sources
from models.training.text import Pair

PAIR = Pair("Der Minister nannte 12 Gründe", "The minister gave 12 reasons", "de", "pud")
WORDS = "one two three four five six seven"


def test_the_nearest_translation_replaces_the_reference() -> None:
    """Of several, the one that shares most with the reference is learnt from."""
    drawn = ["A cat sat", "The minister named 12 reasons", "Reasons were 12"]
    assert nearest(PAIR, drawn) == Pair(PAIR.source, drawn[1], "de", "pud")


def test_the_reference_stays_where_no_translation_is_near() -> None:
    """A model that can't translate a sentence yet learns it from its reference."""
    assert nearest(PAIR, ["A cat sat on the mat", "Nothing of it"]) == PAIR


def test_a_lost_number_outweighs_a_nearer_wording() -> None:
    """The wording of the reference with another figure is worse than other words with the right."""
    target = "On Monday the minister gave 12 reasons why the railway line is late"
    pair = Pair("Am Montag nannte der Minister 12 Gründe", target, "de", "pud")
    wrong, right = target.replace("12", "21"), target.replace("gave", "named")
    assert score(pair, wrong) < score(pair, right)
    assert nearest(pair, [wrong, right]).target == right


@pytest.mark.parametrize(
    ("pair", "fits"),
    [
        (Pair("a", WORDS, "de", "pud"), True),
        (Pair("a", "too short", "de", "pud"), False),
        (Pair("a", " ".join([WORDS] * 7), "de", "pud"), False),
        (Pair("a", WORDS, "de", "multi30k"), False),
        (Pair("a", WORDS, "ru", "pud"), False),
    ],
)
def test_sources_are_running_text_of_the_languages_wanted(pair: Pair, fits: bool) -> None:
    """Corpora of little weight, and sentences that are short or long, are left out."""
    assert sources([pair], {"de": 3}, 1) == [pair] * fits


def test_no_more_sources_than_wanted_and_the_same_each_time() -> None:
    """The choice is reproducible, so that a stopped run can go on."""
    pairs = [Pair(str(number), WORDS, "de", "pud") for number in range(20)]
    chosen = sources(pairs, {"de": 5}, 1)
    assert len({pair.source for pair in chosen}) == 5
    assert chosen == sources(pairs, {"de": 5}, 1)


def test_groups_hold_every_position_once_and_like_lengths_together() -> None:
    """A group's lengths don't overlap another's, and the groups don't come by length."""
    lengths = [position * 7 % 40 for position in range(40)]
    found = list(groups(lengths, 8, 1))
    assert sorted(position for group in found for position in group) == list(range(40))
    ranges = [(min(lengths[p] for p in group), max(lengths[p] for p in group)) for group in found]
    assert all(after[0] > before[1] for before, after in itertools.pairwise(sorted(ranges)))
    assert ranges != sorted(ranges)

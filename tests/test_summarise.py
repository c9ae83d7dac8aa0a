from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.inference.encoder import CTranslateEncoder
from depesche.inference.encoder_queue import EncoderQueue
from depesche.inference.fake_encoder import FakeEncoder
from depesche.inference.slots import Slots
from depesche.models.store import ModelStore
from depesche.summarise import Summariser, choose
from depesche.types import ModelIdentity

MODELS = Path(__file__).parents[1] / "models"
IDENTITY = ModelIdentity("summary", "fake", "1", "0" * 64, "none", "Apache-2.0")

BRIDGE = "The city opens a new railway bridge over the river on Monday."
COST = "The bridge over the river has cost the city 40 million euros."
TRAINS = "Trains to the north will take ten minutes less from next week."
PICNIC = "A local bakery handed out sandwiches while the children danced."


def alike(count: int) -> np.ndarray:
    """Make embeddings that are alike by one half, each with each."""
    return np.linalg.cholesky(np.full((count, count), 0.5) + np.eye(count) / 2).astype(np.float32)


def test_all_equal() -> None:
    """The lead wins where nothing else tells sentences apart."""
    texts = [f"The mayor of the town said {word} again." for word in ("one", "two", "six", "ten")]
    assert choose(texts, alike(4), 2) == [0, 1]


def test_document_order() -> None:
    """The chosen stand in document order, whatever their relevance."""
    texts = [PICNIC, BRIDGE, COST, TRAINS]
    chosen = choose(texts, FakeEncoder().encode(texts), 3)
    assert chosen == sorted(chosen)
    assert len(set(chosen)) == 3


def test_central_before_odd() -> None:
    """A sentence that the rest of the text takes up goes before one that it doesn't."""
    texts = [PICNIC, BRIDGE, COST, TRAINS]
    assert choose(texts, FakeEncoder().encode(texts), 1) == [1]


@pytest.mark.parametrize(
    "again", [BRIDGE, "The city opens the new railway bridge over the river on Monday."]
)
def test_repetition(again: str) -> None:
    """What says the same as a chosen sentence isn't chosen too while there is anything else."""
    texts = [BRIDGE, again, COST, PICNIC, TRAINS]
    chosen = choose(texts, FakeEncoder().encode(texts), 4)
    assert chosen == [0, 2, 3, 4]


@pytest.mark.parametrize(
    "text",
    [
        "Press contact: Maria Muster, head of the press office of the town",
        "Phone: please call the number of the office that is nearest to you",
        "For further information please write to the office of the mayor.",
        "Write to us about the bridge at press@example.org if you like.",
        "See the pictures of the new bridge at https://example.org/bridge and share them.",
        "© 2024 by the city, which permits any use of this text.",
        "All rights reserved by the city and by those who work for it.",
        "Last updated: on the evening of the day when the bridge was opened",
        "By Maria Muster",
        "City Opens New Railway Bridge Over River",
        "Read on below.",
        "Will the new railway bridge over the river help the town?",
        "“Will the railway bridge over the river help the town?”",
    ],
)
def test_boilerplate(text: str) -> None:
    """Boilerplate, fragments and questions are chosen after any plain sentence."""
    texts = [text, BRIDGE, PICNIC]
    assert choose(texts, alike(3), 2) == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "Revenue rose by 12% to 3.4 million euros.",
        "“we are proud of the new bridge”, Ms Doe said.",
        "The contact between the towns has grown: trade is up by a third.",
        "Sources: even the mayor's own party had doubts about the bridge.",
    ],
)
def test_not_boilerplate(text: str) -> None:
    """A plain sentence keeps its place, even with words of boilerplate or few letters."""
    assert choose([text, BRIDGE, PICNIC], alike(3), 1) == [0]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ["?", "a@"])
def test_long_runs_of_marks_take_linear_time(unit: str) -> None:
    """A sentence of a hundred thousand marks is judged at once; quadratic time would be minutes."""
    text = f"This is a sentence of marks {unit * (100_000 // len(unit))}a"
    assert choose([text, BRIDGE, PICNIC], alike(3), 1) == [0]


def test_boilerplate_is_no_topic() -> None:
    """A long imprint doesn't make central what it is about."""
    imprint = [f"Contact: press office, desk {n}, of the bakery that handed out" for n in range(9)]
    texts = [PICNIC, BRIDGE, COST, TRAINS, *imprint]
    assert choose(texts, FakeEncoder().encode(texts), 1) == [1]


def test_penalties() -> None:
    """A sentence with a penalty gives way to one without."""
    texts = [BRIDGE, COST, TRAINS]
    assert choose(texts, alike(3), 1) == [0]
    assert choose(texts, alike(3), 1, [1.0, 0.0, 0.0]) == [1]
    assert choose(texts, alike(3), 3, [1.0, 1.0, 1.0]) == [0, 1, 2]


@pytest.mark.parametrize(("count", "expected"), [(0, []), (3, [0, 1, 2]), (9, [0, 1, 2])])
def test_count(count: int, expected: list[int]) -> None:
    """As many are chosen as asked, or all there are."""
    texts = [BRIDGE, "By Maria Muster", COST]
    assert choose(texts, alike(3), count) == expected


def test_empty() -> None:
    """Of nothing, nothing is chosen."""
    assert choose([], FakeEncoder().encode([]), 3) == []


def test_one_sentence() -> None:
    """A text of one sentence is its own summary, even if it holds no word."""
    assert choose(["…"], FakeEncoder().encode(["…"]), 3) == [0]


async def test_summariser() -> None:
    """The summariser embeds what it is given once, and hands penalties on."""
    encoder = FakeEncoder()
    summariser = Summariser(EncoderQueue("fake", encoder, Slots(1)), IDENTITY)
    assert await summariser.summarise([BRIDGE, COST], 1, [1.0, 0.0]) == [1]
    assert await summariser.summarise([], 1) == []
    assert encoder.history == [[BRIDGE, COST]]
    assert summariser.identity is IDENTITY


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=40), max_size=12), st.integers(0, 15))
def test_any_text(texts: list[str], count: int) -> None:
    """Any text gives ascending, distinct, valid indices, as many as can be."""
    chosen = choose(texts, FakeEncoder().encode(texts), count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, len(texts))
    assert all(0 <= index < len(texts) for index in chosen)


@pytest.mark.model
async def test_embedded_encoder() -> None:
    """The shipped encoder tells a paraphrase and an aside from the news."""
    store = ModelStore(MODELS)
    encoder = CTranslateEncoder(store.verify("minilm").path)
    summariser = Summariser(EncoderQueue("minilm", encoder, Slots(1)), IDENTITY)
    texts = [
        "The city council opens a new railway bridge across the river on Monday.",
        "On Monday, a new railway bridge across the river is opened by the city council.",
        "The weather is expected to be mild.",
        "The bridge has cost 40 million euros, a third more than planned.",
        "Trains across the bridge will be ten minutes faster.",
        "Contact: city press office, phone 555 0100",
    ]
    assert await summariser.summarise(texts, 3) == [0, 3, 4]

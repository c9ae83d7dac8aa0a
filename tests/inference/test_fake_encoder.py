import numpy as np

from depesche.inference.fake_encoder import FakeEncoder


def test_likeness_is_shared_words() -> None:
    """Sentences are the more alike the more words they share, in whatever order and case."""
    rows = FakeEncoder().encode(["A b c d", "d c b a", "a b x y", "u v w z"])
    likeness = rows @ rows.T
    np.testing.assert_allclose(likeness[0], [1, 1, 0.5, 0], atol=1e-6)


def test_rows_are_unit_or_zero() -> None:
    """A row has length 1, or 0 where there is no word."""
    rows = FakeEncoder(dimensions=8).encode(["one two three", "…"])
    assert rows.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0], atol=1e-6)


def test_same_in_every_process() -> None:
    """Components don't depend on the process, as Python's hash of a string would."""
    assert FakeEncoder().encode(["depesche"]).argmax() == 199


def test_close() -> None:
    """It closes as a real encoder does."""
    FakeEncoder().close()

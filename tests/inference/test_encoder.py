from pathlib import Path

import numpy as np
import pytest

from depesche.errors import ModelError
from depesche.inference.encoder import CTranslateEncoder, unit_rows

MINILM = Path(__file__).parents[2] / "models" / "minilm" / "1"


@pytest.fixture(scope="module")
def encoder() -> CTranslateEncoder:
    return CTranslateEncoder(MINILM)


def test_unit_rows() -> None:
    """Rows are scaled to length 1; zeros stay zeros."""
    rows = unit_rows(np.array([[3, 4], [0, 0]], np.float32))
    assert rows.ravel().tolist() == pytest.approx([0.6, 0.8, 0, 0])


@pytest.mark.parametrize("present", [[], ["tokenizer.json"]])
def test_missing_files(tmp_path: Path, present: list[str]) -> None:
    """A folder without the model's files is a model error that names it."""
    for name in present:
        (tmp_path / name).write_bytes((MINILM / name).read_bytes())
    with pytest.raises(ModelError, match=tmp_path.name):
        CTranslateEncoder(tmp_path)


@pytest.mark.model
def test_meaning(encoder: CTranslateEncoder) -> None:
    """A paraphrase without a shared noun is nearer than another topic with one."""
    rows = encoder.encode(
        [
            "The firm dismissed fifty staff.",
            "The company laid off 50 employees.",
            "The staff of the hotel wore red.",
        ]
    )
    likeness = rows @ rows.T
    assert likeness[0, 1] > 0.7
    assert likeness[0, 1] > likeness[0, 2] + 0.3


@pytest.mark.model
def test_shape(encoder: CTranslateEncoder) -> None:
    """There is a row of length 1 for each sentence, in the order given; none for none."""
    texts = ["A much longer sentence than the one that comes after it.", "Short.", ""]
    rows = encoder.encode(texts)
    assert rows.shape == (3, 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[1] @ encoder.encode(["Short."])[0] > 0.999
    assert len(encoder.encode([])) == 0


@pytest.mark.model
def test_long_sentence(encoder: CTranslateEncoder) -> None:
    """Of a sentence beyond 256 word pieces, the first 256 stand for the whole."""
    head = "rain " * 254  # and two pieces that mark start and end
    rows = encoder.encode([head, head + "sun " * 300])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert not np.allclose(rows[0], encoder.encode(["rain " * 253 + "sun"])[0], atol=1e-6)


@pytest.mark.model
def test_many_sentences(encoder: CTranslateEncoder) -> None:
    """Sentences beyond one batch come back in order, the same every time."""
    texts = [f"Report {n} on the town" + " and its river" * (n % 40) + "." for n in range(120)]
    rows = encoder.encode(texts)
    np.testing.assert_array_equal(rows, encoder.encode(texts))
    for index in (0, 39, 119):
        assert rows[index] @ encoder.encode([texts[index]])[0] > 0.995


@pytest.mark.model
def test_quantisation(encoder: CTranslateEncoder) -> None:
    """The compute type in use is an int8 one."""
    assert encoder.quantisation.startswith("int8")


@pytest.mark.model
def test_close() -> None:
    """A closed encoder encodes no more."""
    encoder = CTranslateEncoder(MINILM)
    encoder.close()
    with pytest.raises(RuntimeError):
        encoder.encode(["Good day."])

import threading
from collections.abc import Sequence

import pytest

from depesche.errors import ModelError
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.inference.resident import Resident


class Reloadable(FakeBackend):
    """A fake that knows whether its weights are in memory.

    Attributes:
        loads: how often they were read.
        present: whether they are there.
    """

    def __init__(self) -> None:
        super().__init__(str.upper)
        self.loads, self.present = 1, True

    def unload(self) -> None:
        """Forget the weights."""
        assert self.present
        self.present = False

    def reload(self) -> None:
        """Read the weights."""
        assert not self.present
        self.loads += 1
        self.present = True

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate; see `FakeBackend`."""
        assert self.present
        result = super().translate(batch, beam_size=beam_size)
        assert self.present
        return result


def allow() -> None:
    """Let the weights be read."""


def translate(resident: Resident, text: str) -> str:
    (hypothesis,) = resident.translate([resident.tokenize(text)], beam_size=1)
    return hypothesis.text


def test_an_idle_model_leaves_memory_and_comes_back() -> None:
    """It unloads once nobody has used it for the time, and loads for the next batch."""
    backend = Reloadable()
    resident = Resident(backend, allow)

    assert not resident.unload_if_idle(60)
    assert translate(resident, "ja") == "JA"
    assert resident.unload_if_idle(0)
    assert (resident.loaded, backend.present) == (False, False)
    assert not resident.unload_if_idle(0)
    assert resident.tokenize("ja doch") == ["ja", "doch"]
    assert translate(resident, "doch") == "DOCH"
    assert (resident.loaded, backend.loads) == (True, 2)


def test_a_model_in_use_stays() -> None:
    """However long its batch takes."""
    backend = Reloadable()
    resident = Resident(backend, allow)
    backend.gate.clear()
    batch = threading.Thread(target=translate, args=(resident, "ja"))
    batch.start()
    while not backend.begun:
        pass

    assert not resident.unload_if_idle(0)
    backend.gate.set()
    batch.join()
    assert resident.unload_if_idle(0)


def test_one_of_many_loads_the_model() -> None:
    """Batches that come while it is out wait for one that reads the weights."""
    backend = Reloadable()
    resident = Resident(backend, allow)
    resident.unload_if_idle(0)
    batches = [threading.Thread(target=translate, args=(resident, "ja")) for _ in range(8)]
    for batch in batches:
        batch.start()
    for batch in batches:
        batch.join()

    assert (len(backend.history), backend.loads) == (8, 2)


def test_weights_that_may_not_be_read_fail_the_batch() -> None:
    """The next batch tries again: the weights may have been mended."""
    faults = iter([ModelError("model 'm': model.bin is missing")])
    backend = Reloadable()

    def check() -> None:
        for fault in faults:
            raise fault

    resident = Resident(backend, check)
    resident.unload_if_idle(0)

    with pytest.raises(ModelError, match="is missing"):
        translate(resident, "ja")
    assert not resident.loaded
    assert translate(resident, "ja") == "JA"

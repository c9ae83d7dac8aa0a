from pathlib import Path

import pytest

from depesche.errors import ModelError
from depesche.inference.budget import check_fits, memory_limit, memory_used

MIB = 2**20
MACHINE = "MemTotal:        4096 kB\nMemFree:         12 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4 * MIB),
        ({"memory.max": "max\n"}, 4 * MIB),
        ({"memory.max": f"{3 * MIB}\n"}, 3 * MIB),
        ({"memory.max": f"{9 * MIB}\n"}, 4 * MIB),
        ({"memory.max": "nonsense"}, 4 * MIB),
        ({"memory/memory.limit_in_bytes": f"{2 * MIB}\n"}, 2 * MIB),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 4 * MIB),
    ],
)
def test_the_limit_is_the_cgroups_or_the_machines(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    """Whichever is less counts."""
    (tmp_path / "meminfo").write_text(MACHINE, "ascii")
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "ascii")

    assert memory_limit(tmp_path, tmp_path) == expected


def test_nothing_is_known_where_nothing_can_be_read(tmp_path: Path) -> None:
    """Then no model is refused."""
    assert memory_limit(tmp_path, tmp_path) is None
    assert memory_used(tmp_path) == 0
    check_fits("m", 2**60, 1, limit=None, used=0)


def test_this_process_holds_memory() -> None:
    """A Python with NumPy takes more than 10 MiB, and less than the machine has."""
    limit = memory_limit()
    assert limit is not None
    assert 10 * MIB < memory_used() < limit


def test_a_model_that_fits_passes() -> None:
    """Weights and working memory of all workers count."""
    check_fits("m", 80 * MIB, 2, limit=1_000 * MIB, used=800 * MIB)


def test_a_model_that_does_not_fit_is_refused_with_the_numbers() -> None:
    """The operator must see what to change, and by how much."""
    with pytest.raises(ModelError) as refused:
        check_fits("m", 200 * MIB, 2, limit=1_000 * MIB, used=800 * MIB)
    assert str(refused.value).startswith(
        "model 'm' needs about 380 MiB, and 200 of the 1000 MiB that this process may use are free;"
    )

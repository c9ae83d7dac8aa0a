import os
from pathlib import Path

import pytest

from depesche.inference.cpu import available_cpus

AFFINITY = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, AFFINITY),
        ({"cpu.max": "max 100000\n"}, AFFINITY),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "150000 100000\n"}, 1),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, min(64, AFFINITY)),
        ({"cpu.max": "nonsense"}, AFFINITY),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, AFFINITY),
    ],
)
def test_counts_cpus_of_quota_and_affinity(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    """The lesser of quota and affinity counts, whole CPUs only, and at least one."""
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="ascii")

    assert available_cpus(tmp_path) == expected

import subprocess
import sys

import pytest

from depesche.inference.memory import limit_heaps, release_free_memory

# A child process, since what the allocator holds depends on all that ran before in this one.
_CHILD = """
from pathlib import Path
from depesche.inference.memory import limit_heaps, release_free_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

limit_heaps()
blocks = [bytearray(100_000) for _ in range(2_000)]
keep = bytearray(100_000)
del blocks
before = resident()
release_free_memory()
print(before - resident())
"""


def test_free_memory_is_given_back() -> None:
    """Memory freed below a block in use returns to the system."""
    command = [sys.executable, "-c", _CHILD]
    child = subprocess.run(command, check=True, capture_output=True, text=True)

    assert int(child.stdout) > 100


def test_it_may_be_called_at_any_time(capfd: pytest.CaptureFixture[str]) -> None:
    """Calling twice changes nothing and says nothing."""
    for _ in range(2):
        limit_heaps()
        release_free_memory()

    assert capfd.readouterr() == ("", "")

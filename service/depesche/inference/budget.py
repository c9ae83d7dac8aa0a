"""How much memory this process may use, and whether one more model fits."""

from pathlib import Path

from depesche.errors import ModelError

__all__ = ["check_fits", "memory_limit", "memory_need", "memory_used"]

_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
_MIB = 2**20

# Measured on the embedded model with two workers, by unloading it: of 142 MiB of files, 217 MiB
# were in memory once loaded, and 285 MiB after batches of 256 tokens.
_WEIGHTS_SHARE = 1.5
_WORKER_BYTES = 40 * _MIB
# Version 1 of cgroups says "no limit" by a number near 2⁶³.
_NO_LIMIT = 2**60


def memory_limit(cgroup: Path = _CGROUP, proc: Path = _PROC) -> int | None:
    """Tell how many bytes this process may use: the cgroup's limit or the machine's memory.

    Args:
        cgroup: root of the cgroup file system, version 1 or 2.
        proc: root of the process file system.

    Returns:
        The lesser of both; None where neither can be read.
    """
    limits = (
        _number(cgroup / "memory.max"),
        _number(cgroup / "memory" / "memory.limit_in_bytes"),
        _kilobytes(proc / "meminfo", "MemTotal:"),
    )
    known = [limit for limit in limits if limit is not None and limit < _NO_LIMIT]
    return min(known, default=None)


def memory_used(proc: Path = _PROC) -> int:
    """Tell how many bytes of memory this process holds now; 0 where it can't be read."""
    return _kilobytes(proc / "self" / "status", "VmRSS:") or 0


def memory_need(weights: int, workers: int) -> int:
    """Tell about how many bytes a model needs: its weights, and what its workers keep.

    Args:
        weights: the size of its files in bytes.
        workers: batches that it runs at once.
    """
    return round(_WEIGHTS_SHARE * weights) + workers * _WORKER_BYTES


def check_fits(name: str, weights: int, workers: int, *, limit: int | None, used: int) -> None:
    """See that one more model fits beside what the process holds.

    Args:
        name: the model's name, for the message.
        weights: the size of its files in bytes.
        workers: batches that it runs at once.
        limit: bytes that the process may use, or None where nothing is known.
        used: bytes that it holds, or will hold, without the model.

    Raises:
        ModelError: it doesn't fit; the message has the numbers.
    """
    need = memory_need(weights, workers)
    if limit is not None and used + need > limit:
        raise ModelError(
            f"model '{name}' needs about {need // _MIB} MiB,"
            f" and {max(0, limit - used) // _MIB} of the {limit // _MIB} MiB that this process may"
            " use are free; raise the memory limit or load fewer models"
        )


def _number(path: Path) -> int | None:
    """Read a file that holds a number, or `max` for no limit."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _kilobytes(path: Path, key: str) -> int | None:
    """Read the line of a key, such as `MemTotal: 1024 kB`, in bytes."""
    try:
        lines = path.read_text("utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
    except (OSError, ValueError, IndexError, StopIteration):
        return None

"""How many CPUs this process may use."""

import math
import os
from pathlib import Path

__all__ = ["available_cpus"]

_CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """Count the CPUs of the affinity mask and the cgroup's quota, whichever is less; at least 1.

    CTranslate2 and `os.cpu_count` see the machine's CPUs and not the quota, and threads beyond it
    stall one another.

    Args:
        cgroup: root of the cgroup file system, version 1 or 2.
    """
    # Only Linux has affinity masks and cgroups.
    has_mask = hasattr(os, "sched_getaffinity")
    cpus = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count() or 1
    quota = _quota_v2(cgroup / "cpu.max") or _quota_v1(cgroup / "cpu")
    return max(1, min(cpus, math.floor(quota))) if quota else cpus


def _quota_v2(path: Path) -> float | None:
    """Read `cpu.max`: quota and period in microseconds, or `max` for no quota."""
    try:
        quota, period = path.read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(folder: Path) -> float | None:
    """Read version 1's two files; a quota of -1 means none."""
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None

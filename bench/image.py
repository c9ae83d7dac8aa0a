"""Measure the image that `make image` built: what its files weigh, and how soon it is ready.

    python bench/image.py [--starts N]

It is run by `.ci/image/run.sh`, so as root, with a read-only root and as the image's user.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_BUILT = _ROOT / ".image" / "server"
_RUN = (
    str(_ROOT / ".ci" / "image" / "run.sh"),
    *(f"DEPESCHE_{name}=127.0.0.1:0" for name in ("LISTEN", "HEALTH_LISTEN", "METRICS")),
)
_MB = 10**6
_LARGEST = 8


def weigh() -> Iterator[tuple[str, str]]:
    """Give rows of what lies where, and of the largest packages."""
    parts: Counter[str] = Counter()
    packages: Counter[str] = Counter()
    root = (_BUILT / "root").resolve()
    for folder, _, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        size = sum((Path(folder) / name).lstat().st_size for name in files)
        parts[_part(inside)] += size
        if "site-packages" in inside.parts[:-1]:
            name = inside.parts[inside.parts.index("site-packages") + 1]
            packages[name.removesuffix(".libs")] += size
    yield "files in all", f"{parts.total() / _MB:.0f} MB"
    yield from ((name, f"{size / _MB:.0f} MB") for name, size in parts.most_common())
    for name, size in packages.most_common(_LARGEST):
        yield f"  of the packages: {name}", f"{size / _MB:.0f} MB"


def _part(inside: Path) -> str:
    if inside.is_relative_to("usr/share/depesche/models"):
        return "models"
    if inside.is_relative_to("opt/depesche"):
        return "Python packages"
    return "base"


def start() -> float:
    """Run the image's server until it is ready, and return how many seconds that took."""
    started = time.monotonic()
    with subprocess.Popen(_RUN, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own script
        assert process.stdout is not None  # noqa: S101 - for the types
        ready = json.loads(process.stdout.readline())
        seconds = time.monotonic() - started
        process.send_signal(signal.SIGKILL)
    assert ready["event"] == "ready"  # noqa: S101 - the first line, or the figure is none
    return seconds


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the built image.")
    parser.add_argument("--starts", type=int, default=5, help="how many starts")
    arguments = parser.parse_args()
    seconds = [start() for _ in range(arguments.starts)]
    rows = [
        *weigh(),
        ("ready after, median", f"{statistics.median(seconds):.1f} s"),
        ("ready after, longest", f"{max(seconds):.1f} s"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value:>8}")


if __name__ == "__main__":
    main()

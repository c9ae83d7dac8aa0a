"""Draw a replay of `bench/autoscaling.py`.

pip install -r bench/requirements-autoscaling.in
python bench/autoscaling_plot.py FILE [FILE ...] IMAGE
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt

_BIN = 30.0
_LINES = ("-", "--", "-.", ":")


def binned(calls: Sequence[dict[str, Any]], key: str) -> tuple[list[float], list[float]]:
    """Give the 95th percentile of the calls that were due in each half minute, by minutes."""
    done = [call for call in calls if call["fate"] == "done"]
    bins = sorted({int(call["due"] // _BIN) for call in done})
    values = [
        float(np.quantile([c[key] for c in done if int(c["due"] // _BIN) == number], 0.95))
        for number in bins
    ]
    return [(number + 0.5) * _BIN / 60 for number in bins], values


def draw(runs: dict[str, Any], image: Path) -> None:
    """Draw what arrived, replicas, waits, latencies and refusals, one below the other."""
    figure, panels = plt.subplots(5, 1, figsize=(9, 10), sharex=True, layout="constrained")
    first = next(iter(runs.values()))["calls"]
    edges = np.arange(0, max(call["due"] for call in first) + _BIN, _BIN)
    for priority, colour in (("interactive", "C7"), ("bulk", "C8")):
        due = [call["due"] for call in first if call["priority"] == priority]
        counts, _ = np.histogram(due, edges)
        panels[0].stairs(counts * 60 / _BIN, edges / 60, fill=True, color=colour, label=priority)
    titles = (
        *("releases a minute", "replicas", "queue wait, p95, s", "brief, p95, s"),
        "refused, in half a minute",
    )
    for number, (name, run) in enumerate(runs.items()):
        style = {"color": f"C{number}", "linestyle": _LINES[number % len(_LINES)], "label": name}
        calls = [call for call in run["calls"] if call["priority"] == "interactive"]
        minutes = [moment["at"] / 60 for moment in run["moments"]]
        replicas = [moment["replicas"] for moment in run["moments"]]
        panels[1].step(minutes, replicas, where="post", **style)
        panels[2].plot(*binned(calls, "wait"), **style)
        panels[3].plot(*binned(calls, "seconds"), **style)
        refused, _ = np.histogram([c["due"] for c in calls if c["fate"] == "refused"], edges)
        panels[4].stairs(refused, edges / 60, **style)
    for panel, title in zip(panels, titles, strict=True):
        panel.set_ylabel(title)
        panel.grid(alpha=0.3)
        panel.set_ylim(bottom=0)
    panels[0].legend(fontsize="small")
    panels[-1].legend(fontsize="small")
    panels[-1].set_xlabel("minutes")
    figure.savefig(image, dpi=80)


def main() -> None:
    """Read the replays and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="written by bench/autoscaling.py")
    parser.add_argument("image", type=Path, help="where the PNG goes")
    arguments = parser.parse_args()
    runs = {
        name: run
        for file in arguments.files
        for name, run in json.loads(file.read_text("utf-8")).items()
    }
    draw(runs, arguments.image)


if __name__ == "__main__":
    main()

"""Write the documents that are made from the code: `make docs`. A test compares them."""

from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic_core import PydanticUndefined
from typer.main import get_command

from depesche.cli import app
from depesche.config import Settings
from depesche.server.catalogue import METRICS, PROCESS_METRICS, Label, Metric

__all__ = ["DOCUMENTS", "cli", "configuration", "metrics"]

_FOLDER = Path(__file__).parent


def configuration() -> str:
    """Make the table of settings."""
    rows = [
        "# Configuration",
        "",
        "Each setting is an environment variable, or a file of that name in the folder that",
        "`DEPESCHE_SECRETS_DIR` names. Settings are read once, at start.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        if name == "models_dir":
            default = "`models` in a checkout, else `./models`"
        rows.append(f"| `DEPESCHE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def cli() -> str:
    """Make the manual of the commands from their help."""
    command = get_command(app)
    parts = ["# Commands", ""]
    queue = [("depesche", command)]
    while queue:
        name, current = queue.pop(0)
        context = typer.Context(current, info_name=name, terminal_width=96, max_content_width=96)
        parts += [f"## {name}", "", "```", current.get_help(context).strip(), "```", ""]
        queue += [
            (f"{name} {key}", value) for key, value in getattr(current, "commands", {}).items()
        ]
    return "\n".join(parts)


def metrics() -> str:
    """Make the tables of metrics, their labels and their buckets."""
    rows = [
        "# Metrics",
        "",
        "Prometheus reads them at `/metrics` of the address in `DEPESCHE_METRICS`. No label ever",
        "holds anything that a caller sent.",
        "",
        "| metric | type | labels | what it is | what to do with it |",
        "| --- | --- | --- | --- | --- |",
        *(_metric(metric) for metric in METRICS + PROCESS_METRICS),
        "",
        "The other `process_…` metrics are the Prometheus client's own.",
        "",
        "## Labels",
        "",
        "A counter whose only label has fixed values shows all of them from the start, at 0.",
        "",
        "| label | of | what it tells | values |",
        "| --- | --- | --- | --- |",
        *_labels(),
        "",
        "## Buckets",
        "",
        "| histogram | upper bounds |",
        "| --- | --- |",
        *(
            f"| `{m.name}` | {', '.join(f'{b:g}' for b in m.buckets)} |"
            for m in METRICS
            if m.buckets
        ),
    ]
    return "\n".join(rows) + "\n"


def _metric(metric: Metric) -> str:
    labels = ", ".join(f"`{label.name}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} | {metric.use} |"


def _labels() -> Iterator[str]:
    users: dict[Label, list[str]] = {}
    for metric in METRICS:
        for label in metric.labels:
            users.setdefault(label, []).append(f"`{metric.name}`")
    for label, names in users.items():
        values = ", ".join(f"`{value}`" for value in label.values) or "as installed"
        yield f"| `{label.name}` | {', '.join(names)} | {label.meaning} | {values} |"


DOCUMENTS = {"configuration.md": configuration, "cli.md": cli, "metrics.md": metrics}


if __name__ == "__main__":
    for file, make in DOCUMENTS.items():
        (_FOLDER / file).write_text(make(), "utf-8")

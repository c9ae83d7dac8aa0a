"""Write the documents that are made from the code: `make docs`. A test compares them."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import api
import dependencies
import typer
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from pydantic_core import PydanticUndefined
from typer.main import get_command

import chart
from depesche.cli import app
from depesche.config import Settings
from depesche.inference.budget import memory_need
from depesche.models.manifest import Manifest, ModelSpec
from depesche.server.catalogue import METRICS, PROCESS_METRICS, Label, Metric
from depesche.web.openapi import document

__all__ = ["DOCUMENTS", "catalogue", "cli", "configuration", "metrics", "openapi"]

_ROOT = Path(__file__).parents[1]


def configuration() -> str:
    """Make the table of settings."""
    rows = [
        "# Configuration",
        "",
        "Each setting is an environment variable, or a file of that name in the folder that",
        "`DEPESCHE_SECRETS_DIR` names. Settings are read once, at start; those of the models again",
        "at each reload (see [models](models.md)).",
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


def catalogue() -> str:
    """Make the tables of the models in the manifest, and of what is known of their quality."""
    models = Manifest.read(_ROOT / "models" / "manifest.toml").models
    rows = [
        "# The models of the manifest",
        "",
        "Memory is what `int8` weights and the work on them take, about, with one worker;",
        "`depesche models show NAME` tells all of a model.",
        "",
        "| name | task | languages | licence | commercial use | memory | from |",
        "| --- | --- | --- | --- | --- | ---: | --- |",
        *(_model(spec) for spec in models),
        "",
        "## Quality",
        "",
        "Measured here or published, as said; compare like with like, and better yet on texts of",
        "your own, by `depesche evaluate`. Of the other models nothing comparable was at hand.",
        "",
        "| model | language | data | metric | value | by |",
        "| --- | --- | --- | --- | ---: | --- |",
        *(
            f"| `{spec.name}` | {q.language} | {q.data} | {q.metric} | {q.value:.1f} | {q.method} |"
            for spec in models
            for q in spec.quality
        ),
    ]
    return "\n".join(rows) + "\n"


def _model(spec: ModelSpec) -> str:
    size = sum(file.size for file in spec.files) or spec.memory_bytes("int8")
    memory = f"{memory_need(size, 1) / 2**20:,.0f} MiB" if size else "by its files"
    origin = "the service" if spec.hub is None else spec.hub.repository or "an archive, by hand"
    use = "allowed" if spec.commercial else "**forbidden**"
    languages = ", ".join(spec.languages)
    cells = (f"`{spec.name}`", spec.task, languages, spec.licence, use, memory, origin)
    return f"| {' | '.join(cells)} |"


def openapi() -> str:
    """Make the OpenAPI document of the JSON edge, from the protos with their comments."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / "api.binpb"
        protos = sorted(map(str, (_ROOT / "proto" / "depesche" / "v1").glob("*.proto")))
        include = [f"-I{_ROOT / 'proto'}", f"-I{sysconfig.get_path('purelib')}"]
        options = ["--include_source_info", "--include_imports", "-o", str(made)]
        command = [sys.executable, "-m", "grpc_tools.protoc", *include, *options, *protos]
        subprocess.run(command, check=True)  # noqa: S603 - our own protos
        files = FileDescriptorSet.FromString(made.read_bytes())
    return json.dumps(document(files), indent=1, ensure_ascii=False) + "\n"


DOCUMENTS = {
    "docs/api.md": api.api,
    "docs/catalogue.md": catalogue,
    "docs/cli.md": cli,
    "docs/configuration.md": configuration,
    "docs/dependencies.md": dependencies.dependencies,
    "docs/metrics.md": metrics,
    "helm/depesche/README.md": chart.readme,
    "helm/depesche/values.schema.json": chart.schema,
    "service/depesche/web/openapi.json": openapi,
}
"""What makes each document, by its path in the repository."""


if __name__ == "__main__":
    for file, make in DOCUMENTS.items():
        (_ROOT / file).write_text(make(), "utf-8")

"""Write the documents that are made from the code: `make docs`. A test compares them."""

from pathlib import Path

import typer
from pydantic_core import PydanticUndefined
from typer.main import get_command

from depesche.cli import app
from depesche.config import Settings

__all__ = ["DOCUMENTS", "cli", "configuration"]

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


DOCUMENTS = {"configuration.md": configuration, "cli.md": cli}


if __name__ == "__main__":
    for file, make in DOCUMENTS.items():
        (_FOLDER / file).write_text(make(), "utf-8")

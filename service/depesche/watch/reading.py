"""The file that says what is watched, in TOML."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from depesche.errors import ConfigurationError
from depesche.watch.config import Plan

__all__ = ["read_plan"]


def read_plan(path: Path) -> Plan:
    """Read what is watched.

    Paths in the file are relative to its folder.

    Raises:
        ConfigurationError: it can't be read, or a key is wrong; the message names each one and
            what it must be.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: isn't UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: isn't TOML: {error}") from None
    try:
        return Plan.model_validate(_anchored(content, path.parent))
    except ValidationError as error:
        # Without the values: one might be a secret in the wrong place.
        lines = [_line(e["loc"], e["msg"]) for e in error.errors(include_input=False)]
        raise ConfigurationError(f"{path}: {'; '.join(lines)}") from None


def _anchored(value: Any, folder: Path) -> Any:
    """Make paths start from the file's folder."""
    if isinstance(value, list):
        return [_anchored(part, folder) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: folder / part
        if key in ("path", "secret_file") and isinstance(part, str)
        else _anchored(part, folder)
        for key, part in value.items()
    }


def _line(location: tuple[int | str, ...], message: str) -> str:
    """Name a key as its file does, tables counted from 1: `feed 2: url`."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in location]
    name = f"{' '.join(parts[:2])}{'.' if parts[2:] else ''}{'.'.join(parts[2:])}"
    words = message.removeprefix("Value error, ")
    return f"{name}: {words}" if name else words

"""The manifest: which models there are, pinned to the byte.

models/manifest.toml explains each key.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)

from depesche.errors import ModelError
from depesche.types import Language

__all__ = ["Manifest", "ModelFile", "ModelSpec", "Quality"]

# A part of a path begins with a letter or digit, so no path is absolute or climbs with "..".
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_PATH = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$"
_WEIGHTS = "model.bin"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Entry):
    """One file of a model.

    Attributes:
        name: its name in the model's folder.
        size: its size in bytes.
        sha256: its SHA-256 in lower-case hexadecimal.
    """

    name: str = Field(pattern=_NAME)
    size: StrictInt = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Quality(_Entry):
    """One figure of a model's measured quality.

    Attributes:
        language: language that the model read.
        data: what it was measured on.
        metric: what was measured, such as `chrF`.
        value: the figure.
        method: program, version and settings that gave it.
    """

    language: Language
    data: str
    metric: str
    value: float
    method: str


class ModelSpec(_Entry):
    """What the manifest says of a model.

    Attributes:
        name: what settings and requests call it.
        task: what it does.
        family: architecture and prompt; decides which class runs it.
        languages: languages that it reads; at least one.
        target: language that it writes, or None where it writes none.
        revision: its revision; a changed file makes a new one.
        path: its folder, relative to the manifest's.
        source: where it comes from and what was changed.
        licence: SPDX expression of its licence.
        commercial: whether the licence permits commercial use.
        quantisation: how its weights are stored.
        max_source_tokens: longest input that it handles well, in its own tokens.
        max_target_tokens: tokens after which its output is cut off; 0 where it writes none.
        files: all files that are loaded.
        quality: what was measured.
    """

    name: str = Field(pattern=_NAME)
    task: Literal["summary", "translation"]
    family: Literal["bert", "gemma"]
    languages: tuple[Language, ...] = Field(min_length=1)
    target: Language | None = None
    revision: str = Field(pattern=_NAME)
    path: str = Field(pattern=_PATH)
    source: str
    licence: str
    commercial: StrictBool
    quantisation: str
    max_source_tokens: StrictInt = Field(ge=1)
    max_target_tokens: StrictInt = Field(0, ge=0)
    files: tuple[ModelFile, ...]
    quality: tuple[Quality, ...] = ()

    @property
    def weights(self) -> ModelFile:
        """The file of the weights, whose digest stands for the model's."""
        return next(file for file in self.files if file.name == _WEIGHTS)

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.size for file in self.files)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [file.name for file in self.files]
        if _WEIGHTS not in names:
            raise ValueError(f"files must hold {_WEIGHTS}")
        if len(set(names)) < len(names):
            raise ValueError("files must differ in name")
        if self.task == "translation" and not (self.target and self.max_target_tokens):
            raise ValueError("a translation model needs target and max_target_tokens")
        return self


@dataclass(frozen=True, slots=True)
class Manifest:
    """The models that there are, in the manifest's order."""

    models: tuple[ModelSpec, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest.

        Raises:
            ModelError: it can't be read, isn't TOML, or says something that it mustn't; the message
                names the model and the key.
        """
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ModelError(f"{path} can't be read: {error.strerror}") from error
        except ValueError as error:
            raise ModelError(f"{path} isn't TOML: {error}") from error
        models = document.pop("models", {})
        if document or not isinstance(models, dict):
            raise ModelError(f"{path} must hold nothing but tables named models.NAME")
        return cls(tuple(_spec(path, name, table) for name, table in models.items()))

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self.models)


def _spec(path: Path, name: str, table: object) -> ModelSpec:
    if not isinstance(table, Mapping) or "name" in table:
        raise ModelError(f"{path}: model '{name}' must be a table, without a second name")
    try:
        return ModelSpec.model_validate({"name": name, **table})
    except ValidationError as error:
        rules = "; ".join(_rule(e["loc"], e["msg"]) for e in error.errors())
        raise ModelError(f"{path}: model '{name}': {rules}") from None


def _rule(location: tuple[int | str, ...], message: str) -> str:
    return ": ".join(filter(None, [".".join(map(str, location)), message]))

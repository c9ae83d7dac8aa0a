"""The manifest: which models there are, pinned to the byte.

models/manifest.toml explains each key.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from depesche.errors import ModelError
from depesche.types import Language

__all__ = [
    "WEIGHTS",
    "DecodingDefaults",
    "Family",
    "HubFile",
    "HubSource",
    "Installed",
    "Manifest",
    "ModelFile",
    "ModelSpec",
    "Quality",
    "Task",
    "check_files",
    "is_abstractive",
]

# A part of a path begins with a letter or digit, so no path is absolute or climbs with "..".
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_PATH = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$"

WEIGHTS = "model.bin"
"""The file that every converted model has its weights in."""

Task: TypeAlias = Literal["summary", "translation"]
Family: TypeAlias = Literal[
    "bart", "bert", "gemma", "m2m100", "madlad", "marian", "nllb", "pegasus"
]
_ABSTRACTIVE: tuple[Family, ...] = ("bart", "pegasus")


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


class HubFile(_Entry):
    """One file of a repository on the hub, or of an archive.

    Attributes:
        name: its name there; in an archive, `*` may stand for any letters, and one file must fit.
        optional: whether it is left out where it isn't there.
        size: its size in bytes, or None until the first pull records it.
        sha256: its SHA-256 in lower-case hexadecimal, or None until the first pull records it.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9*][A-Za-z0-9_.*-]*$")
    optional: StrictBool = False
    size: StrictInt | None = Field(None, ge=0)
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")


class HubSource(_Entry):
    """Where a model is had from: a repository on the hub, or an archive that is brought by hand.

    Attributes:
        repository: its name on the hub, as `owner/name`; "" for an archive.
        archive: the archive's address, for those who fetch it; "" for a repository.
        revision: of a repository, a commit of 40 hexadecimal digits, or a branch, tag or reference
            whose commit the first pull records; of an archive, its date or version.
        files: what is taken; the family's class knows what each is for.
    """

    repository: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+)?$")
    archive: str = Field("", pattern=r"^(https://\S+)?$")
    revision: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]*$")
    files: tuple[HubFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if bool(self.repository) == bool(self.archive):
            raise ValueError("repository or archive is needed, and not both")
        if self.repository and any("*" in file.name for file in self.files):
            raise ValueError("files of a repository must be named whole, without *")
        return self


class DecodingDefaults(_Entry):
    """How a model writes where nothing else is asked.

    Attributes:
        beam_size: 1 for greedy search, else the width of the beam; a summary model's only.
        length_penalty: the exponent of the length that a hypothesis's score is divided by.
        min_target_tokens: tokens before which an output may not end.
        no_repeat_ngram_size: length of token sequences that may not come twice; 0 for no rule.
    """

    beam_size: StrictInt = Field(default=1, ge=1, le=16)
    length_penalty: float = Field(default=1.0, ge=0)
    min_target_tokens: StrictInt = Field(default=0, ge=0)
    no_repeat_ngram_size: StrictInt = Field(default=0, ge=0)


class Quality(_Entry):
    """One figure of a model's measured or published quality.

    Attributes:
        language: language that the model read.
        data: what it was measured on.
        metric: what was measured, such as `chrF`.
        value: the figure.
        method: program, version and settings that gave it, or who published it and where.
    """

    language: Language
    data: str
    metric: str
    value: float
    method: str


class ModelSpec(_Entry):
    """What the manifest says of a model: a ready one, with its files, or one on the hub.

    Attributes:
        name: what settings and requests call it.
        task: what it does.
        family: architecture and prompt; decides which classes convert and run it.
        languages: languages that it reads; at least one.
        target: language that it writes, or None where it writes none.
        source: where it comes from and what was changed.
        licence: SPDX expression of its licence.
        commercial: whether the licence permits commercial use.
        parameters: how many weights it has, which tells the memory that it needs, or None where
            the size of its files does.
        max_source_tokens: longest input that it handles well, in its own tokens.
        max_target_tokens: tokens after which its output is cut off; 0 where it writes none.
        least_score: mean log-probability per token below which what it writes is doubtful, or None
            where that wasn't measured.
        codes: for a family that must be told its languages, its code for each.
        prompt: what goes before the source, for a family that is told in words what to do.
        decoding: how it writes.
        quality: what was measured or published.
        revision: a ready model's revision; a changed file makes a new one.
        path: a ready model's folder, relative to the manifest's.
        quantisation: how a ready model's weights are stored.
        files: all files of a ready model that are loaded.
        hub: where any other is pulled from.
    """

    name: str = Field(pattern=_NAME)
    task: Task
    family: Family
    languages: tuple[Language, ...] = Field(min_length=1)
    target: Language | None = None
    source: str
    licence: str
    commercial: StrictBool
    parameters: StrictInt | None = Field(None, ge=1)
    max_source_tokens: StrictInt = Field(ge=1)
    max_target_tokens: StrictInt = Field(0, ge=0)
    least_score: StrictFloat | None = Field(None, lt=0)
    codes: Mapping[Language, str] = Field(default_factory=dict)
    prompt: str = ""
    decoding: DecodingDefaults = DecodingDefaults()
    quality: tuple[Quality, ...] = ()
    revision: str | None = Field(None, pattern=_NAME)
    path: str | None = Field(None, pattern=_PATH)
    quantisation: str | None = None
    files: tuple[ModelFile, ...] = ()
    hub: HubSource | None = None

    def memory_bytes(self, quantisation: str) -> int | None:
        """Tell about how much memory the weights take, or None where the manifest doesn't say."""
        size = {"int8": 1, "int8_float32": 1, "int8_bfloat16": 1}.get(quantisation, 4)
        return self.parameters * size if self.parameters else None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        ready = (self.revision, self.path, self.quantisation, self.files or None)
        if self.hub is None and None in ready:
            raise ValueError("revision, path, quantisation and files are needed, or else hub")
        if self.hub is not None and any(ready):
            raise ValueError("hub goes with none of revision, path, quantisation and files")
        if self.files:
            check_files(self.files)
        hub_names = [file.name for file in self.hub.files] if self.hub else []
        if len(set(hub_names)) < len(hub_names):
            raise ValueError("hub.files must differ in name")
        writes = self.task == "translation" or is_abstractive(self)
        if writes and not (self.target and self.max_target_tokens):
            raise ValueError("a model that writes needs target and max_target_tokens")
        return self


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose files are here, as the manifest or the lock has them.

    Attributes:
        spec: what the manifest says of it.
        revision: its revision in the manifest, or the commit on the hub, cut to 12 digits.
        quantisation: how its weights are stored.
        root: the folder that its files may not leave, even by a link.
        path: its folder, below the root.
        files: every file in it that is loaded.
        record: what says so, `the manifest` or `the lock`.
    """

    spec: ModelSpec
    revision: str
    quantisation: str
    root: Path
    path: Path
    files: tuple[ModelFile, ...]
    record: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the weights, which stands for the model's."""
        return next(file.sha256 for file in self.files if file.name == WEIGHTS)

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.size for file in self.files)


def is_abstractive(spec: ModelSpec) -> bool:
    """Tell whether a model summarises in sentences of its own."""
    return spec.family in _ABSTRACTIVE


def check_files(files: Sequence[ModelFile]) -> None:
    """See that files can be a model's: weights among them, and no name twice.

    Raises:
        ValueError: they can't.
    """
    names = [file.name for file in files]
    if WEIGHTS not in names:
        raise ValueError(f"files must hold {WEIGHTS}")
    if len(set(names)) < len(names):
        raise ValueError("files must differ in name")


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

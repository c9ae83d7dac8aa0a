"""The lock: what was pulled, from which commit, to the byte, and under which licence.

What the manifest leaves open is recorded here by the first pull, and holds from then on.
"""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from depesche.errors import ModelError
from depesche.models.convert import Quantisation
from depesche.models.manifest import ModelFile, check_files

__all__ = ["Conversion", "Lock", "LockedModel"]

_COMMIT = r"^[0-9a-f]{40}$"
_FOLDER = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conversion(_Entry):
    """A model as it was made from what was pulled.

    Attributes:
        folder: its folder below that of the pulled models, as `NAME/FOLDER`.
        quantisation: how its weights are stored.
        converter: programs and versions that made it.
        files: every file in it that is loaded.
    """

    folder: str = Field(pattern=_FOLDER)
    quantisation: Quantisation
    converter: str
    files: tuple[ModelFile, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        check_files(self.files)
        return self


class LockedModel(_Entry):
    """What holds of a pulled model from its first pull on.

    Attributes:
        repository: its repository on the hub.
        revision: what the manifest asked for when the commit was recorded.
        commit: the commit's 40 hexadecimal digits, or None for files that were brought by hand
            with no word of it.
        files: every file that was fetched.
        licence: SPDX expression of the licence that it was pulled under.
        accepted: whether the operator agreed to a licence without commercial use.
        conversion: what was made of it, or None where that was removed.
    """

    repository: str
    revision: str
    commit: str | None = Field(pattern=_COMMIT)
    files: tuple[ModelFile, ...] = Field(min_length=1)
    licence: str
    accepted: StrictBool
    conversion: Conversion | None = None


class Lock(_Entry):
    """The models that were pulled, by their names in the manifest.

    Attributes:
        version: of the file's form.
        models: what holds of each.
    """

    version: int = Field(default=1, ge=1, le=1)
    models: dict[str, LockedModel] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a lock; where there is no file, nothing was pulled.

        Raises:
            ModelError: it can't be read, or isn't a lock.
        """
        try:
            return cls.model_validate_json(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise ModelError(f"{path} can't be read: {error.strerror}") from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{path} isn't a lock of this version; bring it back from a copy, or remove it and"
                " pull the models again"
            ) from error

    def write(self, path: Path) -> None:
        """Write a lock in place of another, so that at each moment one of them is there whole.

        Raises:
            OSError: it can't be written; the other stays.
        """
        part = path.with_name(path.name + ".partial")
        with part.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def with_model(self, name: str, model: LockedModel | None) -> Self:
        """Give a lock in which this holds of a model, or nothing."""
        others = {key: value for key, value in self.models.items() if key != name}
        models = dict(sorted((others | ({name: model} if model else {})).items()))
        return self.model_copy(update={"models": models})

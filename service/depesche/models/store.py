"""The models on disk, checked against the manifest before anything is loaded."""

import hashlib
import stat
from pathlib import Path

from depesche.errors import ModelError, ModelUnknown
from depesche.models.manifest import Manifest, ModelFile, ModelSpec

__all__ = ["ModelStore"]

_MANIFEST = "manifest.toml"


class ModelStore:
    """A folder of models and the manifest that describes them.

    Attributes:
        manifest: what the manifest says.
    """

    def __init__(self, models_dir: Path) -> None:
        """Open a folder of models.

        Raises:
            ModelError: its manifest is missing or wrong.
        """
        self._folder = models_dir
        self.manifest = Manifest.read(models_dir / _MANIFEST)

    def refresh(self) -> None:
        """Read the manifest anew; the old one stays where the new one is wrong.

        Raises:
            ModelError: the manifest is missing or wrong.
        """
        self.manifest = Manifest.read(self._folder / _MANIFEST)

    def spec(self, name: str) -> ModelSpec:
        """Find a model in the manifest.

        Raises:
            ModelUnknown: it isn't there.
        """
        for spec in self.manifest:
            if spec.name == name:
                return spec
        raise ModelUnknown(name)

    def digest(self, name: str) -> str:
        """Tell the SHA-256 of a model's weights, as the manifest has it."""
        return self.spec(name).weights.sha256

    def size(self, name: str) -> int:
        """Tell the size of all files of a model in bytes, as the manifest has it."""
        return self.spec(name).size

    def is_present(self, name: str) -> bool:
        """Tell whether every file of a model is there in its size; digests are left to `verify`."""
        spec = self.spec(name)
        try:
            for file in spec.files:
                self._locate(spec, file)
        except ModelError:
            return False
        return True

    def verify(self, name: str) -> Path:
        """Check every file of a model by size and SHA-256; do so before loading it.

        Returns:
            The model's folder.

        Raises:
            ModelUnknown: the manifest has no such model.
            ModelError: a file is missing, altered or outside the folder; the message names it.
        """
        spec = self.spec(name)
        for file in spec.files:
            digest = _digest(spec, file, self._locate(spec, file))
            if digest != file.sha256:
                raise _error(spec, file, f"has digest {digest}, the manifest says {file.sha256}")
        return self._folder / spec.path

    def _locate(self, spec: ModelSpec, file: ModelFile) -> Path:
        path = self._folder / spec.path / file.name
        try:
            status = path.stat()
        except FileNotFoundError:
            raise _error(spec, file, "is missing") from None
        except OSError as error:
            raise _error(spec, file, f"can't be read: {error.strerror}") from error
        # Links within the folder are fine: that is how volumes of Kubernetes are laid out.
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise _error(spec, file, "is a link out of the models' folder")
        if not stat.S_ISREG(status.st_mode):
            raise _error(spec, file, "isn't a file")
        if status.st_size != file.size:
            raise _error(spec, file, f"has {status.st_size} bytes, the manifest says {file.size}")
        return path


def _digest(spec: ModelSpec, file: ModelFile, path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise _error(spec, file, f"can't be read: {error.strerror}") from error


def _error(spec: ModelSpec, file: ModelFile, fault: str) -> ModelError:
    return ModelError(f"model '{spec.name}': {file.name} {fault}")

"""The models on disk, checked against manifest and lock before anything is loaded."""

import hashlib
import stat
from pathlib import Path

from depesche.errors import ModelError, ModelUnknown
from depesche.models.lock import Lock, LockedModel
from depesche.models.manifest import Installed, Manifest, ModelFile, ModelSpec

__all__ = ["LOCK", "ModelStore"]

LOCK = "lock.json"
"""The lock's name in the folder of the pulled models."""

_MANIFEST = "manifest.toml"
_PULLED = "pulled"
_COMMIT_DIGITS = 12


class ModelStore:
    """A folder of models with the manifest that describes them, and one of pulled models.

    Attributes:
        manifest: what the manifest says.
        lock: what was pulled.
        pulled_dir: folder of the pulled models.
    """

    def __init__(self, models_dir: Path, pulled_dir: Path | None = None) -> None:
        """Open a folder of models.

        Args:
            models_dir: folder of the manifest and the models that come with the service.
            pulled_dir: folder of the pulled models and their lock, by default `pulled` in the
                other; need not be there.

        Raises:
            ModelError: the manifest is missing or wrong, or the lock is wrong.
        """
        self._folder = models_dir
        self.pulled_dir = pulled_dir or models_dir / _PULLED
        self.manifest: Manifest
        self.lock: Lock
        self.refresh()

    def refresh(self) -> None:
        """Read manifest and lock anew; the old ones stay where a new one is wrong.

        Raises:
            ModelError: the manifest is missing or wrong, or the lock is wrong.
        """
        manifest = Manifest.read(self._folder / _MANIFEST)
        self.lock = Lock.read(self.pulled_dir / LOCK)
        self.manifest = manifest

    def spec(self, name: str) -> ModelSpec:
        """Find a model in the manifest.

        Raises:
            ModelUnknown: it isn't there.
        """
        for spec in self.manifest:
            if spec.name == name:
                return spec
        raise ModelUnknown(name)

    def find(self, name: str) -> Installed | None:
        """Find a model as manifest or lock have it; None where it was never pulled.

        Raises:
            ModelUnknown: the manifest has no such model.
        """
        spec = self.spec(name)
        if spec.revision and spec.path and spec.quantisation:
            return Installed(
                spec,
                spec.revision,
                spec.quantisation,
                self._folder,
                self._folder / spec.path,
                spec.files,
                "the manifest",
            )
        locked = self.lock.models.get(name)
        return None if locked is None else self._pulled(spec, locked)

    def is_present(self, name: str) -> bool:
        """Tell whether every file of a model is there in its size; digests are left to `verify`."""
        model = self.find(name)
        if model is None:
            return False
        try:
            for file in model.files:
                _locate(model, file)
        except ModelError:
            return False
        return True

    def verify(self, name: str) -> Installed:
        """Check every file of a model by size and SHA-256; do so before loading it.

        Raises:
            ModelUnknown: the manifest has no such model.
            ModelError: it was never pulled, or a file is missing, altered or outside the folder;
                the message names it.
        """
        model = self.find(name)
        if model is None:
            raise ModelError(f"model '{name}' isn't here; run: depesche models pull {name}")
        for file in model.files:
            digest = _digest(model, file, _locate(model, file))
            if digest != file.sha256:
                raise _error(model, file, f"has digest {digest}, {model.record} says {file.sha256}")
        return model

    def _pulled(self, spec: ModelSpec, locked: LockedModel) -> Installed | None:
        made = locked.conversion
        if made is None:
            return None
        # Files that were brought by hand have no commit that could be told.
        revision = locked.commit[:_COMMIT_DIGITS] if locked.commit else "imported"
        return Installed(
            spec,
            revision,
            made.quantisation,
            self.pulled_dir,
            self.pulled_dir / made.folder,
            made.files,
            "the lock",
        )


def _locate(model: Installed, file: ModelFile) -> Path:
    path = model.path / file.name
    try:
        status = path.stat()
    except FileNotFoundError:
        raise _error(model, file, "is missing") from None
    except OSError as error:
        raise _error(model, file, f"can't be read: {error.strerror}") from error
    # Links within the folder are fine: that is how volumes of Kubernetes are laid out.
    if not path.resolve().is_relative_to(model.root.resolve()):
        raise _error(model, file, "is a link out of the models' folder")
    if not stat.S_ISREG(status.st_mode):
        raise _error(model, file, "isn't a file")
    if status.st_size != file.size:
        raise _error(model, file, f"has {status.st_size} bytes, {model.record} says {file.size}")
    return path


def _digest(model: Installed, file: ModelFile, path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise _error(model, file, f"can't be read: {error.strerror}") from error


def _error(model: Installed, file: ModelFile, fault: str) -> ModelError:
    return ModelError(f"model '{model.spec.name}': {file.name} {fault}")

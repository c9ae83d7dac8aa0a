"""The shelf of one pulled model: whatever changes it goes by here, one process at a time.

Below the folder of the pulled models lie `lock.json`, and for each model a folder of its name:

    NAME/source-COMMIT/                  what comes from the hub, until it is converted
    NAME/COMMIT-QUANTISATION-DIGEST/     a converted model

What the lock doesn't name counts for nothing. So a model is made beside the one before, and the
lock is written last, in one step; what a kill leaves behind is cleared away by the next change.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

from depesche.errors import ModelError
from depesche.models.convert import Quantisation, convert
from depesche.models.disk import is_full, sync_folder
from depesche.models.lock import Conversion, LockedModel
from depesche.models.manifest import WEIGHTS, Installed, ModelFile, ModelSpec
from depesche.models.store import LOCK, ModelStore

__all__ = ["Note", "Shelf", "Wish", "check_licence", "measure", "remove"]

Note = Callable[[str], None]
"""Told what goes on, a line at a time."""

_COMMIT_DIGITS = 12
_DIGEST_DIGITS = 8
_LOCKS = ".locks"
_STORE_LOCK = ".store"  # no model's name begins with a dot


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a model that is pulled or imported.

    Attributes:
        quantisation: how to store the weights; None keeps to what there is, or else int8.
        accept_licence: whether the operator agrees to a licence without commercial use.
        forbid_noncommercial: whether such a licence is refused all the same.
        update: whether to take what differs from the lock, and record it there anew.
        keep_source: whether what was fetched stays after the conversion.
        convert_python: interpreter with the extra `convert`; None takes this one.
    """

    quantisation: Quantisation | None = None
    accept_licence: bool = False
    forbid_noncommercial: bool = False
    update: bool = False
    keep_source: bool = False
    convert_python: Path | None = None


def check_licence(spec: ModelSpec, locked: LockedModel | None, wish: Wish) -> None:
    """See that a model may be had under its licence.

    Raises:
        ModelError: it forbids commercial use, and the operator hasn't agreed or the settings
            forbid it.
    """
    if spec.commercial:
        return
    terms = f"model '{spec.name}': its licence, {spec.licence}, forbids commercial use"
    if wish.forbid_noncommercial:
        raise ModelError(f"{terms}, and forbid_noncommercial is set")
    agreed = locked is not None and locked.accepted and locked.licence == spec.licence
    if not (agreed or wish.accept_licence):
        raise ModelError(f"{terms}; --accept-licence says that yours is allowed")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A model's shelf, while this process alone may change it; made by `Shelf.hold`.

    Attributes:
        store: where it stands.
        spec: what the manifest says of the model.
        lock: the file by which other processes are kept away.
    """

    store: ModelStore
    spec: ModelSpec
    lock: int

    @classmethod
    @contextmanager
    def hold(cls, store: ModelStore, spec: ModelSpec, note: Note) -> Iterator[Self]:
        """Keep other processes from a model's shelf, waiting for one that is at it.

        Raises:
            ModelError: the folder of the pulled models can't be written.
        """
        locks = store.pulled_dir / _LOCKS
        try:
            locks.mkdir(parents=True, exist_ok=True)
            with (locks / spec.name).open("a") as file:
                _hold(file, lambda: note(f"another process is changing '{spec.name}', waiting"))
                store.refresh()
                yield cls(store, spec, file.fileno())
        except OSError as error:
            reason = error.strerror or str(error)
            advice = "make room and try again" if is_full(error) else "see DEPESCHE_PULLED_DIR"
            raise ModelError(
                f"model '{spec.name}': {store.pulled_dir} can't be written: {reason}; {advice}"
            ) from error

    @property
    def locked(self) -> LockedModel | None:
        """What the lock says of the model."""
        return self.store.lock.models.get(self.spec.name)

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return self.store.pulled_dir / self.spec.name

    def source(self, commit: str | None) -> Path:
        """Name the folder of what comes from the hub at a commit, or from elsewhere."""
        return self.folder / f"source-{_short(commit)}"

    def sound(self) -> Installed | None:
        """Give the model that the lock names, if all of its files are as it says."""
        if self.locked is None or self.locked.conversion is None:
            return None
        try:
            return self.store.verify(self.spec.name)
        except ModelError:
            return None

    def clear(self, *keep: Path) -> None:
        """Remove what neither the lock names nor is to be kept."""
        conversion = self.locked.conversion if self.locked else None
        kept = {path.name for path in keep}
        if conversion is not None:
            kept.add((self.store.pulled_dir / conversion.folder).name)
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in kept:
                _remove(path)

    def record(self, entry: LockedModel) -> None:
        """Write into the lock what holds of the model from now on."""
        pulled = self.store.pulled_dir
        with (pulled / _LOCKS / _STORE_LOCK).open("a") as file:
            _hold(file)
            self.store.refresh()
            self.store.lock.with_model(self.spec.name, entry).write(pulled / LOCK)
            sync_folder(pulled)
            self.store.refresh()

    def make(self, entry: LockedModel, source: Path, wish: Wish, note: Note) -> Installed:
        """Convert what came and have it take the place of the model before.

        That one's files stay until the next change, since a running service may want them again.

        Args:
            entry: what the lock is to say of the model, but for the conversion.
            source: folder of the files that came, checked.
            wish: how to convert.
            note: told that it begins.

        Raises:
            ModelError: they can't be converted; the model before stays.
            OSError: there is no room; likewise.
        """
        quantisation = self.quantisation(wish)
        note(f"converting '{self.spec.name}' to {quantisation}")
        part = self.folder / "conversion.partial"
        _remove(part)
        try:
            converter = convert(
                self.spec, source, part, quantisation, wish.convert_python, [self.lock]
            )
            made = self.place(entry, part, converter, quantisation)
        finally:
            _remove(part)
        if not wish.keep_source:
            _remove(source)
        return made

    def place(
        self, entry: LockedModel, part: Path, converter: str, quantisation: Quantisation
    ) -> Installed:
        """Give a converted model's folder its name, and write it into the lock.

        Raises:
            ModelError: it holds no weights.
            OSError: there is no room.
        """
        files = tuple(measure(path) for path in sorted(part.iterdir()))
        weights = next((file for file in files if file.name == WEIGHTS), None)
        if weights is None:
            raise ModelError(f"model '{self.spec.name}': the conversion made no {WEIGHTS}")
        digest = weights.sha256[:_DIGEST_DIGITS]
        target = self.folder / f"{_short(entry.commit)}-{quantisation}-{digest}"
        # There is none of this name but by an end before the lock was written, or one that is
        # spoilt: what is sound isn't made again.
        _remove(target)
        part.rename(target)
        sync_folder(self.folder)
        conversion = Conversion(
            folder=f"{self.spec.name}/{target.name}",
            quantisation=quantisation,
            converter=converter,
            files=files,
        )
        self.record(entry.model_copy(update={"conversion": conversion}))
        return self.store.verify(self.spec.name)

    def quantisation(self, wish: Wish) -> Quantisation:
        """Tell how the weights are to be stored: as wished, as they are, or in int8."""
        conversion = self.locked.conversion if self.locked else None
        return wish.quantisation or (conversion.quantisation if conversion else "int8")


def remove(store: ModelStore, name: str, note: Note) -> bool:
    """Remove a pulled model's files; what the lock has of its source holds for the next pull.

    Returns:
        Whether there was something to remove.

    Raises:
        ModelUnknown: the manifest has no such model.
        ModelError: it comes with the service, or its files can't be removed.
    """
    spec = store.spec(name)
    if spec.hub is None:
        raise ModelError(f"model '{name}' comes with the service, and stays")
    with Shelf.hold(store, spec, note) as shelf:
        there = shelf.folder.is_dir()
        if shelf.locked is not None and shelf.locked.conversion is not None:
            shelf.record(shelf.locked.model_copy(update={"conversion": None}))
        if there:
            shutil.rmtree(shelf.folder)
        return there


def measure(path: Path) -> ModelFile:
    """Tell a file's size and digest, and see that it is on the disk for good.

    Raises:
        OSError: it can't be read or written.
    """
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        os.fsync(content.fileno())
        return ModelFile(name=path.name, size=content.tell(), sha256=digest)


def _short(commit: str | None) -> str:
    return commit[:_COMMIT_DIGITS] if commit else "imported"


def _hold(file: TextIO, wait: Callable[[], None] = lambda: None) -> None:
    """Take a lock of the kernel's, which ends with the process, however it ends.

    A conversion may outlive a process that is killed, and holds the lock till it is done.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
        fcntl.flock(file, fcntl.LOCK_EX)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

"""Import what was brought by hand to where no hub can be reached.

Either a repository's files, as on the hub, which are converted here; or a folder of pulled models
with its lock, as another machine has it, which needs no conversion.
"""

import fnmatch
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from depesche.errors import ModelError
from depesche.models.bundle import Bundle, open_bundle
from depesche.models.disk import room_fault
from depesche.models.lock import Conversion, Lock, LockedModel
from depesche.models.manifest import HubFile, HubSource, Installed, ModelFile
from depesche.models.shelf import Note, Shelf, Wish, check_licence, measure
from depesche.models.store import LOCK, ModelStore

__all__ = ["import_model"]

_LOCK_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Found:
    """A converted model in what was brought: its folder there, and what its lock says."""

    folder: str
    entry: LockedModel
    conversion: Conversion


def import_model(store: ModelStore, name: str, path: Path, wish: Wish, note: Note) -> Installed:
    """Have a model here that was brought as a folder or an archive.

    What the lock or the manifest has of its files must be met, unless `wish.update` says that the
    lock is to follow; what neither has is recorded in the lock.

    Args:
        store: where it goes.
        name: what the manifest calls it.
        path: a folder, or an archive of one, with a repository's files or a store's.
        wish: how it is to be.
        note: told of each step.

    Returns:
        The model as it is here.

    Raises:
        ModelUnknown: the manifest has no such model.
        ModelError: its licence isn't agreed to; files are missing, differ from what is recorded,
            aren't safe, or can't be converted; or there is no room.
    """
    spec = store.spec(name)
    if spec.hub is None:
        raise ModelError(f"model '{name}' comes with the service; there is nothing to import")
    with open_bundle(path) as bundle, Shelf.hold(store, spec, note) as shelf:
        check_licence(spec, shelf.locked, wish)
        shelf.clear()
        found = _find(bundle, name)
        if found is None:
            return _import_source(shelf, spec.hub, bundle, wish, note)
        return _import_made(shelf, bundle, found, wish, note)


def _import_source(
    shelf: Shelf, hub: HubSource, bundle: Bundle, wish: Wish, note: Note
) -> Installed:
    """Take a repository's files, and convert them."""
    found = bundle.find(hub.files)
    if found is None:
        wanted = [file.name for file in hub.files if not file.optional]
        there = {path.rpartition("/")[2] for path in bundle.files}
        missing = [name for name in wanted if not fnmatch.filter(there, name)]
        lacks = f"lacks {', '.join(missing)}" if missing else "has them in more than one folder"
        raise ModelError(
            f"model '{shelf.spec.name}': {bundle.path} {lacks}; wanted are, in one folder,"
            f" {', '.join(wanted)}"
        )
    home, names = found
    locked = None if wish.update else shelf.locked
    commit = locked.commit if locked else None
    source = shelf.source(commit)
    note(f"importing {len(names)} files from {bundle.path}")
    try:
        files = _copy(bundle, home, names, source)
        _check(shelf, files, locked.files if locked else hub.files)
        entry = LockedModel(
            repository=hub.repository or hub.archive,
            revision=locked.revision if locked else hub.revision,
            commit=commit,
            files=files,
            licence=shelf.spec.licence,
            accepted=not shelf.spec.commercial,
        )
        return shelf.make(entry, source, wish, note)
    finally:
        if not wish.keep_source and source.is_dir():
            shutil.rmtree(source)


def _import_made(shelf: Shelf, bundle: Bundle, found: _Found, wish: Wish, note: Note) -> Installed:
    """Take a model that was converted elsewhere, as its lock has it."""
    entry, made = found.entry, found.conversion
    spec, locked = shelf.spec, None if wish.update else shelf.locked
    if entry.licence != spec.licence:
        raise ModelError(
            f"model '{spec.name}': was pulled under {entry.licence}, and the manifest says"
            f" {spec.licence}"
        )
    if wish.quantisation not in (None, made.quantisation):
        raise ModelError(
            f"model '{spec.name}': {bundle.path} has it in {made.quantisation}; another"
            " quantisation is made from the repository's files"
        )
    if locked is not None:
        _check(shelf, entry.files, locked.files)
    note(f"importing {len(made.files)} converted files from {bundle.path}")
    part = shelf.folder / "import.partial"
    try:
        copied = _copy(bundle, found.folder, [file.name for file in made.files], part)
        _check(shelf, copied, made.files)
        mine = entry.model_copy(update={"accepted": not spec.commercial})
        return shelf.place(mine, part, made.converter, made.quantisation)
    finally:
        if part.is_dir():
            shutil.rmtree(part)


def _find(bundle: Bundle, name: str) -> _Found | None:
    """Find a converted model by the lock of the store that was brought, if it is one."""
    place = bundle.find([HubFile.model_validate({"name": LOCK})])
    if place is None:
        return None
    home = place[0]
    path = f"{home}/{LOCK}" if home else LOCK
    try:
        lock = Lock.model_validate_json(bundle.read(path, _LOCK_BYTES))
    except ValidationError as error:
        raise ModelError(f"{bundle.path}: {path} isn't a lock of this version") from error
    entry = lock.models.get(name)
    if entry is None or entry.conversion is None:
        has = ", ".join(key for key, model in lock.models.items() if model.conversion) or "none"
        raise ModelError(f"model '{name}': {bundle.path} doesn't have it; it has {has}")
    folder = entry.conversion.folder
    return _Found(f"{home}/{folder}" if home else folder, entry, entry.conversion)


def _copy(bundle: Bundle, home: str, names: Iterable[str], into: Path) -> tuple[ModelFile, ...]:
    paths = [f"{home}/{name}" if home else name for name in names]
    if missing := [path for path in paths if path not in bundle.files]:
        raise ModelError(f"{bundle.path}: {missing[0]} is missing")
    if into.is_dir():
        shutil.rmtree(into)
    into.mkdir(parents=True)
    if fault := room_fault(into, sum(bundle.files[path] for path in paths)):
        raise ModelError(f"{bundle.path}: {fault}")
    for path in paths:
        bundle.copy(path, into)
    return tuple(measure(into / path.rpartition("/")[2]) for path in paths)


def _check(
    shelf: Shelf, files: Iterable[ModelFile], pins: Iterable[HubFile] | Iterable[ModelFile]
) -> None:
    """See that files are what is on record of them."""
    known: Mapping[str, HubFile | ModelFile] = {pin.name: pin for pin in pins}
    for file in files:
        pin = known.get(file.name)
        if pin is None:
            continue
        if pin.size not in (None, file.size) or pin.sha256 not in (None, file.sha256):
            raise ModelError(
                f"model '{shelf.spec.name}': {file.name} has {file.size} bytes with digest"
                f" {file.sha256}, and {pin.size} with {pin.sha256} are on record; --update takes"
                " what differs from the lock"
            )

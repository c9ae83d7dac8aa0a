"""What the commands on models do."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from depesche.config import Settings, load_settings
from depesche.errors import ModelError
from depesche.inference.budget import memory_need
from depesche.models.bring import import_model
from depesche.models.lock import LockedModel
from depesche.models.manifest import HubFile, Installed, ModelSpec, is_abstractive
from depesche.models.shelf import Wish
from depesche.models.shelf import remove as remove_from_shelf
from depesche.models.store import ModelStore
from depesche.progress import transfers
from depesche.tables import aligned

__all__ = [
    "bring_model",
    "list_models",
    "pull_models",
    "remove_model",
    "show_licences",
    "show_model",
    "verify_models",
]

_HEADER = ("NAME", "TASK", "LANGUAGES", "STATE", "REVISION", "MB", "LICENCE", "QUALITY")
_LICENCES_HEADER = ("NAME", "LICENCE", "COMMERCIAL USE", "STATE", "ACCEPTED")
_TABLES = frozenset({"files", "quality", "hub", "decoding"})
_METRIC = {"translation": "chrF", "summary": "ROUGE-Lsum"}
_EXTRA = ("httpx2", "huggingface_hub")


def list_models() -> str:
    """Write a line on each model of the manifest."""
    store = _store(load_settings())
    return aligned([_HEADER, *(_row(store, spec) for spec in store.manifest)])


def show_model(name: str) -> str:
    """Write all that the manifest and the lock say of a model.

    Raises:
        ModelUnknown: the manifest has no such model.
    """
    store = _store(load_settings())
    spec = store.spec(name)
    locked = store.lock.models.get(name)
    rows = [*_facts(spec), *(_recorded(locked) if locked else ())]
    return aligned([*rows, ("state", _state(store, name))])


def show_licences() -> str:
    """Write each model's licence, and whether the operator agreed where it isn't a free one."""
    store = _store(load_settings())
    rows = [_terms(spec, _state(store, spec.name), store.lock.models) for spec in store.manifest]
    return aligned([_LICENCES_HEADER, *rows])


def verify_models(name: str | None, write: Callable[[str], None]) -> None:
    """Check the files of one model, or of all that are here, telling of each to `write`.

    Raises:
        ModelUnknown: the manifest has no such model.
        ModelError: a file of one of them is missing or altered; all the others are checked too.
    """
    store = _store(load_settings())
    here = [spec.name for spec in store.manifest if store.find(spec.name) is not None]
    failed = []
    for each in [name] if name else here:
        try:
            model = store.verify(each)
        except ModelError as error:
            failed.append(each)
            write(f"{error}\n")
        else:
            write(f"{each}: {len(model.files)} files as in {model.record}\n")
    if failed:
        raise ModelError(f"not as recorded: {', '.join(failed)}")


def pull_models(
    names: Sequence[str],
    wish: Wish,
    write: Callable[[str], None],
    *,
    revision: str | None = None,
    offline: bool = False,
) -> None:
    """Pull models one after the other, telling of each that is here to `write`.

    Raises:
        ModelUnknown: the manifest has no such model; nothing was pulled.
        ModelError: one can't be had; see `pull`.
    """
    if missing := [module for module in _EXTRA if find_spec(module) is None]:
        raise ModelError(
            f"{' and '.join(missing)} isn't installed; `pip install 'depesche[pull]'` adds it"
        )
    from depesche.models.pull import Place, pull  # noqa: PLC0415 - only this command needs the hub

    settings = load_settings()
    store = _store(settings)
    for name in names:
        store.spec(name)
    for name in names:
        with transfers(sys.stderr) as shown:
            place = Place(revision=revision, offline=offline)
            model = pull(store, name, _wish(wish, settings), place, shown.progress, shown.note)
        write(_done(model))


def bring_model(name: str, path: Path, wish: Wish, write: Callable[[str], None]) -> None:
    """Import a model that was brought by hand; see `import_model`."""
    settings = load_settings()
    with transfers(sys.stderr) as shown:
        model = import_model(_store(settings), name, path, _wish(wish, settings), shown.note)
    write(_done(model))


def remove_model(name: str, write: Callable[[str], None]) -> None:
    """Remove a pulled model; see `shelf.remove`."""
    with transfers(sys.stderr) as shown:
        removed = remove_from_shelf(_store(load_settings()), name, shown.note)
    write(f"{name}: {'removed' if removed else 'was not here'}\n")


def _store(settings: Settings) -> ModelStore:
    return ModelStore(settings.models_dir, settings.pulled_dir)


def _wish(wish: Wish, settings: Settings) -> Wish:
    """Add to what the command line asks what the settings say."""
    return replace(
        wish,
        forbid_noncommercial=settings.forbid_noncommercial,
        convert_python=settings.convert_python,
    )


def _done(model: Installed) -> str:
    spec = model.spec
    setting = f"DEPESCHE_ROUTES={spec.languages[0]}={spec.name}"
    if is_abstractive(spec):
        setting = f"DEPESCHE_ABSTRACTIVE_MODEL={spec.name}"
    return (
        f"{spec.name}: here in {model.quantisation}, {model.size / 1e6:.0f} MB, revision"
        f" {model.revision}, under {spec.licence}; {setting} has it used\n"
    )


def _row(store: ModelStore, spec: ModelSpec) -> tuple[str, ...]:
    model = store.find(spec.name)
    return (
        spec.name,
        spec.task,
        ",".join(spec.languages),
        _state(store, spec.name),
        model.revision if model else "-",
        _size(spec, model),
        spec.licence,
        _quality(spec),
    )


def _size(spec: ModelSpec, model: Installed | None) -> str:
    """Write a model's megabytes; about those that it would have in int8 where it isn't here."""
    if model is not None:
        return f"{model.size / 1e6:.0f}"
    weights = spec.memory_bytes("int8")
    return f"~{weights / 1e6:.0f}" if weights else "-"


def _quality(spec: ModelSpec) -> str:
    """Write the figures by which models of a task are compared most."""
    metric = _METRIC[spec.task]
    figures = [f"{q.language} {q.value:.1f}" for q in spec.quality if q.metric == metric]
    return f"{metric} {', '.join(figures)}" if figures else "-"


def _facts(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    if weights := spec.memory_bytes("int8"):
        yield "memory", f"about {memory_need(weights, 1) / 2**20:.0f} MiB in int8, with one worker"
    for key, value in spec:
        if key not in _TABLES and value not in (None, "", {}):
            yield key.replace("_", " "), _value(value)
    if spec.target:
        for key, value in spec.decoding:
            yield key.replace("_", " "), _value(value)
    if spec.hub:
        yield "repository", spec.hub.repository or spec.hub.archive
        yield "asked revision", spec.hub.revision
        for pin in spec.hub.files:
            yield "wanted file", _wanted(pin)
    for file in spec.files:
        yield "file", f"{file.name}, {file.size} bytes, SHA-256 {file.sha256}"
    for q in spec.quality:
        yield "quality", f"{q.metric} {q.value:g}, {q.language}, {q.data}, {q.method}"


def _wanted(file: HubFile) -> str:
    if file.optional:
        return f"{file.name}, if it is there"
    size = "size" if file.size is None else f"{file.size} bytes"
    digest = "SHA-256" if file.sha256 is None else f"SHA-256 {file.sha256}"
    known = "" if file.size is not None and file.sha256 else " as the first pull records"
    return f"{file.name}, {size}, {digest}{known}"


def _recorded(locked: LockedModel) -> Iterator[tuple[str, str]]:
    yield "pulled commit", locked.commit or "unknown, brought by hand"
    yield "pulled under", locked.licence + (", accepted" if locked.accepted else "")
    for file in locked.files:
        yield "recorded file", f"{file.name}, {file.size} bytes, SHA-256 {file.sha256}"
    if made := locked.conversion:
        yield "converted to", f"{made.quantisation}, by {made.converter}, in {made.folder}"
        for file in made.files:
            yield "made file", f"{file.name}, {file.size} bytes, SHA-256 {file.sha256}"


def _terms(spec: ModelSpec, state: str, locked: dict[str, LockedModel]) -> tuple[str, ...]:
    entry = locked.get(spec.name)
    accepted = "yes" if entry is not None and entry.accepted else "no"
    allowed = "allowed" if spec.commercial else "forbidden"
    return (spec.name, spec.licence, allowed, state, "-" if spec.commercial else accepted)


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value)
        case dict():
            return ", ".join(f"{key}={code}" for key, code in value.items())
        case _:
            return str(value)


def _state(store: ModelStore, name: str) -> str:
    return "present" if store.is_present(name) else "absent"

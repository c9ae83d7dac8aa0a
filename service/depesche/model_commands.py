"""What the commands on models do."""

from collections.abc import Callable, Iterator, Sequence

from depesche.config import load_settings
from depesche.errors import ModelError
from depesche.models.manifest import ModelSpec
from depesche.models.store import ModelStore

__all__ = ["list_models", "show_model", "verify_models"]

_HEADER = ("NAME", "TASK", "LANGUAGES", "REVISION", "MB", "LICENCE", "STATE")
_TABLES = frozenset({"files", "quality"})


def list_models() -> str:
    """Write a line on each model of the manifest."""
    store = _store()
    return _aligned([_HEADER, *(_row(store, spec) for spec in store.manifest)])


def show_model(name: str) -> str:
    """Write all that the manifest says of a model.

    Raises:
        ModelUnknown: the manifest has no such model.
    """
    store = _store()
    return _aligned([*_facts(store.spec(name)), ("state", _state(store, name))])


def verify_models(name: str | None, write: Callable[[str], None]) -> None:
    """Check the files of one model, or of all, against the manifest, telling of each to `write`.

    Raises:
        ModelUnknown: the manifest has no such model.
        ModelError: a file of one of them is missing or altered; all the others are checked too.
    """
    store = _store()
    names = [name] if name else [spec.name for spec in store.manifest]
    failed = []
    for each in names:
        try:
            model = store.verify(each)
        except ModelError as error:
            failed.append(each)
            write(f"{error}\n")
        else:
            write(f"{each}: {len(model.files)} files as in {model.record}\n")
    if failed:
        raise ModelError(f"not as in the manifest: {', '.join(failed)}")


def _store() -> ModelStore:
    settings = load_settings()
    return ModelStore(settings.models_dir, settings.pulled_dir)


def _row(store: ModelStore, spec: ModelSpec) -> tuple[str, ...]:
    model = store.find(spec.name)
    return (
        spec.name,
        spec.task,
        _value(spec.languages),
        model.revision if model else "-",
        f"{model.size / 1e6:.0f}" if model else "-",
        spec.licence,
        _state(store, spec.name),
    )


def _facts(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    for key, value in spec:
        if key not in _TABLES and value is not None:
            yield key.replace("_", " "), _value(value)
    for file in spec.files:
        yield "file", f"{file.name}, {file.size} bytes, SHA-256 {file.sha256}"
    for q in spec.quality:
        yield "quality", f"{q.metric} {q.value:g}, {q.language}, {q.data}, {q.method}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _state(store: ModelStore, name: str) -> str:
    return "present" if store.is_present(name) else "absent"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as a table whose columns are as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)

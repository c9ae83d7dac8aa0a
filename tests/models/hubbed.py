"""A store whose manifest lists a small model on the local hub, of Marian's own form.

That form is converted without torch, so such a model is pulled in any environment.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from depesche.models.manifest import Installed
from depesche.models.pull import Place, pull
from depesche.models.shelf import Wish
from depesche.models.store import ModelStore
from tests.hub.server import HubServer

__all__ = [
    "CHECKPOINTS",
    "FILES",
    "MODEL",
    "REPOSITORY",
    "checkpoint",
    "entry",
    "make_store",
    "pull_from",
]

REPOSITORY = "owner/opus"
MODEL = "opus"
CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


def checkpoint(name: str) -> dict[str, bytes]:
    """Read a small checkpoint's files, as they are on the hub."""
    return {path.name: path.read_bytes() for path in sorted((CHECKPOINTS / name).iterdir())}


FILES = checkpoint(MODEL)
"""The model's files."""


def entry(
    *,
    name: str = MODEL,
    family: str = "marian",
    repository: str = REPOSITORY,
    files: Iterable[str] = FILES,
    licence: str = "CC-BY-4.0",
    commercial: bool = True,
    revision: str = "main",
    pins: Mapping[str, str] | None = None,
) -> str:
    """Write a model's table of the manifest; pins are what stands beside a file's name."""
    summary = family in {"bart", "pegasus"}
    listed = [f'{{ name = "{file}"{(pins or {}).get(file, "")} }}' for file in files]
    return f"""
[models.{name}]
task = "{"summary" if summary else "translation"}"
family = "{family}"
languages = ["{"en" if summary else "de"}"]
target = "en"
source = "made for tests"
licence = "{licence}"
commercial = {str(commercial).lower()}
max_source_tokens = 200
max_target_tokens = 40
hub.repository = "{repository}"
hub.revision = "{revision}"
hub.files = [{", ".join(listed)}]
"""


def make_store(folder: Path, manifest: str | None = None) -> ModelStore:
    """Make a store of nothing but a manifest, by default of the model alone."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.toml").write_text(entry() if manifest is None else manifest)
    return ModelStore(folder)


def pull_from(
    hub: HubServer,
    store: ModelStore,
    *,
    name: str = MODEL,
    wish: Wish | None = None,
    revision: str | None = None,
    offline: bool = False,
    notes: list[str] | None = None,
) -> Installed:
    """Pull from the local hub, soon again where it fails."""
    place = Place(revision=revision, offline=offline, endpoint=hub.endpoint, backoff=0.01)
    note = (notes if notes is not None else []).append
    return pull(store, name, wish or Wish(), place, lambda *_: None, note)

"""Pull a model from the hub: fetch what the manifest lists, convert it, and record what came.

Nothing that serves requests imports this; commands do when they need it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from depesche.errors import ModelError
from depesche.models.fetch import Listing, Progress, RemoteFile, fetch, list_files
from depesche.models.lock import LockedModel
from depesche.models.manifest import HubSource, Installed, ModelFile, ModelSpec
from depesche.models.shelf import Note, Shelf, Wish, check_licence
from depesche.models.store import ModelStore

__all__ = ["Place", "pull"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_PICKLES = re.compile(r"pytorch_model.*\.bin|.*\.(pt|pth|ckpt|pkl)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model is pulled from, beyond what the manifest says.

    Attributes:
        revision: branch, tag, reference or commit to take instead of the manifest's.
        offline: whether only what was fetched before is taken.
        endpoint: address of the hub; None takes HF_ENDPOINT, or else huggingface.co.
        backoff: seconds before the first new try; see `fetch`.
    """

    revision: str | None = None
    offline: bool = False
    endpoint: str | None = None
    backoff: float = 1.0


@dataclass(frozen=True, slots=True)
class _Origin:
    """What exactly is fetched."""

    revision: str
    commit: str
    files: tuple[RemoteFile, ...]


def pull(
    store: ModelStore,
    name: str,
    wish: Wish,
    place: Place,
    progress: Progress,
    note: Note,
) -> Installed:
    """Have a model of the manifest here, converted; at once where it is here as wished.

    The first pull records the commit and each file's digest in the lock, and from then on nothing
    else is taken unless `wish.update` or another revision asks for it. Whatever ends it, even a
    kill, the model before stays; what was fetched of a commit is gone on from the next time.

    Args:
        store: where it goes.
        name: what the manifest calls it; a model that comes with the service is verified.
        wish: how it is to be.
        place: where it comes from.
        progress: told what has come; see `fetch`.
        note: told of each step.

    Returns:
        The model as it is here, verified or just made.

    Raises:
        ModelUnknown: the manifest has no such model.
        ModelError: its licence isn't agreed to, it can't be had or converted, it differs from what
            was recorded, or there is no room; the message says what to do.
    """
    spec = store.spec(name)
    if spec.hub is None:
        return store.verify(name)
    if spec.hub.archive:
        raise ModelError(
            f"model '{name}' isn't on the hub; fetch {spec.hub.archive} by hand, and run: depesche"
            f" models import {name} FILE"
        )
    with Shelf.hold(store, spec, note) as shelf:
        check_licence(spec, shelf.locked, wish)
        anew = wish.update or place.revision is not None
        if not anew and (here := _ready(shelf, wish)) is not None:
            return here
        origin = _origin(shelf, spec.hub, place, anew=anew)
        same = shelf.locked is not None and shelf.locked.commit == origin.commit
        if same and (here := _ready(shelf, wish)) is not None:
            return here
        return _bring(shelf, spec.hub, origin, wish, place, progress, note)


def _ready(shelf: Shelf, wish: Wish) -> Installed | None:
    """Give the model if it is here as wished, with the operator's consent on record."""
    here, locked = shelf.sound(), shelf.locked
    if here is None or locked is None or here.quantisation != shelf.quantisation(wish):
        return None
    terms = {"licence": shelf.spec.licence, "accepted": not shelf.spec.commercial}
    if terms != {"licence": locked.licence, "accepted": locked.accepted}:
        shelf.record(locked.model_copy(update=terms))
    return here


def _bring(
    shelf: Shelf,
    hub: HubSource,
    origin: _Origin,
    wish: Wish,
    place: Place,
    progress: Progress,
    note: Note,
) -> Installed:
    source = shelf.source(origin.commit)
    shelf.clear(source)
    note(f"fetching {len(origin.files)} files of {hub.repository}, commit {origin.commit[:12]}")
    fetched = fetch(
        hub.repository,
        origin.commit,
        origin.files,
        source,
        progress,
        endpoint=place.endpoint,
        offline=place.offline,
        backoff=place.backoff,
    )
    entry = LockedModel(
        repository=hub.repository,
        revision=origin.revision,
        commit=origin.commit,
        files=tuple(ModelFile(name=f.name, size=f.size, sha256=f.sha256) for f in fetched),
        licence=shelf.spec.licence,
        accepted=not shelf.spec.commercial,
    )
    if shelf.sound() is None:  # what came holds, even if it can't be converted here
        shelf.record(entry)
    return shelf.make(entry, source, wish, note)


def _origin(shelf: Shelf, hub: HubSource, place: Place, *, anew: bool) -> _Origin:
    """Find the commit and what is known of each file: by the lock, the manifest, or the hub."""
    locked = None if anew else shelf.locked
    revision = place.revision or (locked.revision if locked else hub.revision)
    commit = locked.commit if locked else None
    if commit is None and _COMMIT.fullmatch(revision):
        commit = revision
    if _COMMIT.fullmatch(hub.revision) and place.revision is None and commit != hub.revision:
        raise ModelError(
            f"model '{shelf.spec.name}': the lock has commit {commit}, and the manifest now pins"
            f" {hub.revision}; --update takes that one"
        )
    pins = dict(_pins(shelf.spec, hub, locked, pinned=place.revision is None))
    known = [pin for pin in pins.values() if pin.sha256 and pin.size is not None]
    # What was optional and wasn't there at the first pull isn't missed.
    wanted = [f for f in hub.files if not (f.optional and locked)]
    if commit is not None and {file.name for file in wanted} <= {pin.name for pin in known}:
        return _Origin(revision, commit, tuple(known))
    if place.offline:
        raise ModelError(
            f"model '{shelf.spec.name}': never pulled whole, so nothing tells what to take, and"
            " offline the hub can't be asked"
        )
    listing = list_files(
        hub.repository, commit or revision, endpoint=place.endpoint, backoff=place.backoff
    )
    return _Origin(revision, listing.commit, tuple(_merged(hub, revision, pins, listing)))


def _pins(
    spec: ModelSpec, hub: HubSource, locked: LockedModel | None, *, pinned: bool
) -> Iterator[tuple[str, RemoteFile]]:
    """Give what manifest and lock know of each file; the manifest's only of its own revision."""
    recorded: Mapping[str, ModelFile] = {f.name: f for f in locked.files} if locked else {}
    for file in hub.files:
        pin = RemoteFile(file.name, file.size, file.sha256) if pinned else RemoteFile(file.name)
        known = recorded.get(file.name)
        if known is not None:
            if pin.sha256 not in (None, known.sha256):
                raise ModelError(
                    f"model '{spec.name}': {file.name} has digest {known.sha256} in the lock and"
                    f" {pin.sha256} in the manifest; --update takes the manifest's"
                )
            pin = RemoteFile(file.name, known.size, known.sha256)
        yield file.name, pin


def _merged(
    hub: HubSource, revision: str, pins: Mapping[str, RemoteFile], listing: Listing
) -> Iterator[RemoteFile]:
    """Add to what is pinned what the hub says of the rest."""
    listed = {file.name: file for file in listing.files}
    for file in hub.files:
        name, pin = file.name, pins[file.name]
        found = listed.get(name)
        if found is None:
            if file.optional:
                continue
            raise ModelError(
                f"{hub.repository}: {name} isn't there at revision {revision}{_hint(name, listed)}"
            )
        if None not in (pin.sha256, found.sha256) and pin.sha256 != found.sha256:
            raise ModelError(
                f"{hub.repository}: {name} has digest {found.sha256} on the hub, and {pin.sha256}"
                " is pinned; check the manifest and the mirror"
            )
        size = found.size if pin.size is None else pin.size
        yield RemoteFile(name, size, pin.sha256 or found.sha256)


def _hint(name: str, listed: Mapping[str, RemoteFile]) -> str:
    """Tell a way out where a repository has its weights in a form that isn't taken."""
    pickles = [other for other in listed if _PICKLES.fullmatch(other)]
    if not name.endswith(".safetensors") or not pickles:
        return ""
    return (
        f", which has its weights only as pickles ({', '.join(sorted(pickles))}); --revision takes"
        " another one, such as a pull request refs/pr/NUMBER that brings them as safetensors"
    )

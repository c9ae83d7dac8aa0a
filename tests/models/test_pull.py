"""Pulling a model, against the local hub."""

import errno
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from depesche.errors import ModelError, ModelUnknown
from depesche.inference.codecs import Rules
from depesche.inference.seq2seq import Seq2SeqBackend
from depesche.models.lock import Lock
from depesche.models.manifest import Installed
from depesche.models.shelf import Wish, remove
from depesche.models.store import LOCK, ModelStore
from depesche.types import Language
from tests.hub.server import Cut, HubServer, Refuse, Serve
from tests.models.hubbed import FILES, MODEL, REPOSITORY, entry, make_store, pull_from

_WEIGHTS = "opus.npz"
NEWER = {**FILES, "decoder.yml": FILES["decoder.yml"] + b"# newer\n"}


@pytest.fixture
def commit(hub: HubServer) -> str:
    return hub.add(REPOSITORY, FILES)


@pytest.fixture
def store(commit: str, tmp_path: Path) -> ModelStore:  # noqa: ARG001 - the hub must have it
    """Make a store beside a hub that has its model."""
    return make_store(tmp_path / "models")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left(store: ModelStore) -> list[str]:
    """Name what is on the model's shelf."""
    folder = store.pulled_dir / MODEL
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def translated(model: Installed) -> str:
    backend = Seq2SeqBackend(
        model.path,
        Rules("marian"),
        workers=1,
        threads_per_worker=1,
        max_source_tokens=100,
        max_target_tokens=10,
    )
    (hypothesis,) = backend.translate([backend.tokenize("Guten Tag", Language.GERMAN)], beam_size=1)
    backend.close()
    return hypothesis.text


def test_a_model_is_pulled_converted_and_translates(
    hub: HubServer, store: ModelStore, commit: str
) -> None:
    """What came is in the lock to the byte, and the source is gone."""
    notes: list[str] = []
    model = pull_from(hub, store, notes=notes)

    assert model == store.verify(MODEL)
    assert (model.revision, model.quantisation) == (commit[:12], "int8")
    assert translated(model)
    locked = Lock.read(store.pulled_dir / LOCK).models[MODEL]
    assert (locked.repository, locked.revision, locked.commit) == (REPOSITORY, "main", commit)
    assert {f.name: (f.size, f.sha256) for f in locked.files} == {
        name: (len(content), digest(content)) for name, content in FILES.items()
    }
    assert locked.conversion is not None
    assert "ctranslate2" in locked.conversion.converter
    assert left(store) == [model.path.name]
    assert notes == [
        f"fetching 5 files of {REPOSITORY}, commit {commit[:12]}",
        f"converting '{MODEL}' to int8",
    ]


def test_what_is_here_is_not_pulled_again(hub: HubServer, store: ModelStore) -> None:
    """The hub isn't even asked."""
    model = pull_from(hub, store)
    asked = len(hub.requests)

    assert pull_from(hub, store) == model
    assert pull_from(hub, store, offline=True) == model
    assert len(hub.requests) == asked


def test_an_unknown_model_is_the_callers_fault(hub: HubServer, store: ModelStore) -> None:
    """Nothing is asked for it."""
    with pytest.raises(ModelUnknown, match="huge"):
        pull_from(hub, store, name="huge")
    assert not hub.requests


def test_altered_files_are_made_anew(hub: HubServer, store: ModelStore) -> None:
    """From the commit on record."""
    model = pull_from(hub, store)
    (model.path / "model.bin").write_bytes(b"spoilt")

    assert pull_from(hub, store) == model
    assert store.verify(MODEL) == model


def test_the_first_pull_pins_the_digests(hub: HubServer, store: ModelStore) -> None:
    """Other bytes under the same commit are refused, also after the model was removed."""
    pull_from(hub, store)
    assert remove(store, MODEL, print)
    hub.script("source.spm", Serve(FILES["source.spm"][:-1] + b"x"))

    with pytest.raises(ModelError, match=r"source\.spm has digest \w+, which isn't the one pinned"):
        pull_from(hub, store)
    assert store.find(MODEL) is None
    assert pull_from(hub, store) == store.verify(MODEL)


def test_the_first_pull_pins_the_commit(hub: HubServer, store: ModelStore, commit: str) -> None:
    """A branch that moves moves nothing here, until an update is asked for."""
    pull_from(hub, store)
    remove(store, MODEL, print)
    newer = hub.add(REPOSITORY, NEWER)

    with pytest.raises(ModelError, match="the repository has no such revision"):
        pull_from(hub, store)
    assert [r.path for r in hub.requests[-2:] if commit in r.path]
    assert pull_from(hub, store, wish=Wish(update=True)).revision == newer[:12]
    assert store.lock.models[MODEL].commit == newer


def test_an_update_takes_over_when_it_is_whole(hub: HubServer, store: ModelStore) -> None:
    """The one before stays on the disk until the next change, for services that run on it."""
    before = pull_from(hub, store)
    newer = hub.add(REPOSITORY, NEWER)
    hub.script(_WEIGHTS, *[Cut(10)] * 6)
    with pytest.raises(ModelError, match=r"couldn't be fetched in 6 tries"):
        pull_from(hub, store, wish=Wish(update=True))
    assert store.verify(MODEL) == before

    after = pull_from(hub, store, wish=Wish(update=True))
    assert after.revision == newer[:12]
    assert left(store) == sorted([before.path.name, after.path.name])
    assert pull_from(hub, store, wish=Wish(update=True)) == after
    pull_from(hub, store, wish=Wish("float32"))
    assert before.path.name not in left(store)


def test_a_revision_can_be_named(hub: HubServer, tmp_path: Path) -> None:
    """And holds from then on."""
    store = make_store(tmp_path / "models", entry(revision="elsewhere"))
    commit = hub.add(REPOSITORY, FILES, branches=["main", "refs/pr/7"])
    with pytest.raises(ModelError, match="the repository has no such revision"):
        pull_from(hub, store)

    assert pull_from(hub, store, revision="refs/pr/7").revision == commit[:12]
    assert store.lock.models[MODEL].revision == "refs/pr/7"
    assert pull_from(hub, store).revision == commit[:12]


def test_a_commit_that_the_manifest_pins(hub: HubServer, store: ModelStore, commit: str) -> None:
    """Is taken, and one that differs from the lock asks for an update."""
    pull_from(hub, store)
    newer = hub.add(REPOSITORY, NEWER)
    (store.pulled_dir.parent / "manifest.toml").write_text(entry(revision=newer))
    remove(store, MODEL, print)

    with pytest.raises(ModelError, match=f"has commit {commit}, .* pins {newer}; --update"):
        pull_from(hub, store)
    assert pull_from(hub, store, wish=Wish(update=True)).revision == newer[:12]


def test_digests_of_the_manifest_are_enforced(hub: HubServer, tmp_path: Path, commit: str) -> None:
    """Against the hub, against what is sent, and against the lock."""
    right = {name: f', size = {len(c)}, sha256 = "{digest(c)}"' for name, c in FILES.items()}
    wrong = {**right, _WEIGHTS: f', size = {len(FILES[_WEIGHTS])}, sha256 = "{"0" * 64}"'}
    store = make_store(tmp_path / "a", entry(pins={_WEIGHTS: wrong[_WEIGHTS]}))
    with pytest.raises(ModelError, match=rf"opus\.npz has digest .* on the hub, and {'0' * 64} is"):
        pull_from(hub, store)
    store = make_store(tmp_path / "b", entry(pins=wrong, revision=commit))
    with pytest.raises(ModelError, match=r"opus\.npz: has digest|opus\.npz has digest"):
        pull_from(hub, store)
    store = make_store(tmp_path / "c", entry(pins=right, revision=commit))
    asked = len(hub.requests)
    pull_from(hub, store)
    assert not [r for r in hub.requests[asked:] if r.stage == "api"], "nothing is left to ask"

    (tmp_path / "c" / "manifest.toml").write_text(entry(pins=wrong, revision=commit))
    remove(store, MODEL, print)
    with pytest.raises(ModelError, match=r"in the lock and 0+ in the manifest; --update"):
        pull_from(hub, store)


def test_weights_that_are_only_pickles(hub: HubServer, tmp_path: Path) -> None:
    """The error says what else could be taken."""
    store = make_store(tmp_path / "models", entry(files=[*FILES, "model.safetensors"]))
    hub.add(REPOSITORY, {**FILES, "pytorch_model.bin": b"\x80\x02"})

    with pytest.raises(ModelError, match=r"model\.safetensors isn't there .*pickles .*refs/pr/"):
        pull_from(hub, store)


def test_optional_files(hub: HubServer, tmp_path: Path) -> None:
    """Are taken if they are there, and not missed where they weren't."""
    pins = {"notes.txt": ", optional = true", "more.txt": ", optional = true"}
    manifest = entry(files=[*FILES, "notes.txt", "more.txt"], pins=pins)
    store = make_store(tmp_path / "models", manifest)
    hub.add(REPOSITORY, {**FILES, "notes.txt": b"good"})
    pull_from(hub, store)
    assert {f.name for f in store.lock.models[MODEL].files} == {*FILES, "notes.txt"}

    remove(store, MODEL, print)
    asked = len(hub.requests)
    pull_from(hub, store)
    assert not [r for r in hub.requests[asked:] if r.stage == "api"]
    assert {f.name for f in store.lock.models[MODEL].files} == {*FILES, "notes.txt"}


def test_offline(hub: HubServer, store: ModelStore) -> None:
    """What was never pulled can't be had; what was kept is converted again."""
    with pytest.raises(ModelError, match="offline the hub can't be asked"):
        pull_from(hub, store, offline=True)
    pull_from(hub, store, wish=Wish(keep_source=True))
    asked = len(hub.requests)

    model = pull_from(hub, store, wish=Wish("float32", keep_source=True), offline=True)
    assert model.quantisation == "float32"
    assert len(hub.requests) == asked


def test_quantisation(hub: HubServer, store: ModelStore) -> None:
    """Is int8 unless wished otherwise, and then stays as it is."""
    small = pull_from(hub, store)
    large = pull_from(hub, store, wish=Wish("float32"))

    assert large.size > small.size
    assert large.quantisation == "float32"
    assert pull_from(hub, store) == large
    assert translated(large)


class TestLicence:
    @pytest.fixture
    def store(self, commit: str, tmp_path: Path) -> ModelStore:  # noqa: ARG002 - as above
        manifest = entry(licence="CC-BY-NC-4.0", commercial=False)
        return make_store(tmp_path / "models", manifest)

    def test_without_commerce_needs_consent(self, hub: HubServer, store: ModelStore) -> None:
        """Which is asked for before the hub, and recorded."""
        with pytest.raises(ModelError, match=r"CC-BY-NC-4\.0, forbids commercial use; --accept-li"):
            pull_from(hub, store)
        assert not hub.requests
        pull_from(hub, store, wish=Wish(accept_licence=True))

        locked = store.lock.models[MODEL]
        assert (locked.licence, locked.accepted) == ("CC-BY-NC-4.0", True)
        remove(store, MODEL, print)
        assert pull_from(hub, store), "consent holds"

    def test_can_be_forbidden(self, hub: HubServer, store: ModelStore) -> None:
        """Consent doesn't help then."""
        wish = Wish(accept_licence=True, forbid_noncommercial=True)
        with pytest.raises(ModelError, match="and forbid_noncommercial is set"):
            pull_from(hub, store, wish=wish)
        assert not hub.requests

    def test_another_one_needs_consent_anew(self, hub: HubServer, store: ModelStore) -> None:
        """Consent is to a licence, not to whatever the manifest may say later."""
        pull_from(hub, store, wish=Wish(accept_licence=True))
        manifest = entry(licence="CC-BY-NC-ND-4.0", commercial=False)
        (store.pulled_dir.parent / "manifest.toml").write_text(manifest)
        store.refresh()

        with pytest.raises(ModelError, match="--accept-licence"):
            pull_from(hub, store)
        pull_from(hub, store, wish=Wish(accept_licence=True))
        assert store.lock.models[MODEL].licence == "CC-BY-NC-ND-4.0"

    @pytest.mark.usefixtures("commit")
    def test_a_free_one_needs_none(self, hub: HubServer, tmp_path: Path) -> None:
        """And consent that nobody asked for isn't recorded."""
        store = make_store(tmp_path / "free")
        pull_from(hub, store, wish=Wish(accept_licence=True))
        assert not store.lock.models[MODEL].accepted


def test_a_failed_conversion_keeps_what_was_there(hub: HubServer, store: ModelStore) -> None:
    """The first time it keeps the pins, so that the next try takes the same bytes."""
    broken = {**FILES, "opus.spm.vocab.yml": b"{"}
    commit = hub.add(REPOSITORY, broken)
    with pytest.raises(ModelError, match="model 'opus' can't be converted"):
        pull_from(hub, store)
    locked = store.lock.models[MODEL]
    assert (locked.commit, locked.conversion) == (commit, None)

    hub.add(REPOSITORY, FILES)
    before = pull_from(hub, store, wish=Wish(update=True))
    hub.add(REPOSITORY, broken)
    with pytest.raises(ModelError, match="can't be converted"):
        pull_from(hub, store, wish=Wish(update=True))
    assert store.verify(MODEL) == before
    assert store.lock.models[MODEL].commit != commit


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "place",
    ["depesche.models.lock.Lock.write", "pathlib.Path.rename", "depesche.models.shelf.measure"],
)
def test_a_full_disk_keeps_what_was_there(
    hub: HubServer, store: ModelStore, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Whichever step it stops."""
    before = pull_from(hub, store)
    newer = hub.add(REPOSITORY, NEWER)
    with monkeypatch.context() as patch:
        patch.setattr(place, full)
        with pytest.raises(ModelError, match=r"can't be written: No space left .*; make room"):
            pull_from(hub, store, wish=Wish(update=True))
    store.refresh()
    assert store.verify(MODEL) == before

    after = pull_from(hub, store, wish=Wish(update=True))
    assert after.revision == newer[:12]
    assert len(left(store)) == 2


def test_a_folder_that_cannot_be_written(hub: HubServer, tmp_path: Path) -> None:
    """Is told with the setting that names another."""
    make_store(tmp_path / "models")
    (tmp_path / "file").write_text("")
    store = ModelStore(tmp_path / "models", tmp_path / "elsewhere")
    store.pulled_dir = tmp_path / "file" / "pulled"
    with pytest.raises(ModelError, match=r"can't be written: Not a dir.*; see DEPESCHE_PULLED_DIR"):
        pull_from(hub, store)


def test_what_is_left_behind_is_cleared_away(hub: HubServer, store: ModelStore) -> None:
    """But for what the lock names, and what goes on being fetched."""
    model = pull_from(hub, store)
    folder = model.path.parent
    shutil.copytree(model.path, folder / "0123456789ab-int8-01234567")
    (folder / "conversion.partial").mkdir()
    (folder / "source-0123456789ab").mkdir()
    (folder / "stray").write_text("")
    hub.script(_WEIGHTS, *[Refuse(503)] * 6)
    hub.add(REPOSITORY, NEWER)
    with pytest.raises(ModelError):
        pull_from(hub, store, wish=Wish(update=True))

    kept = left(store)
    assert len(kept) == 2
    assert model.path.name in kept
    assert kept != [model.path.name, "source-0123456789ab"]


class TestRemove:
    def test_removes_the_files(self, hub: HubServer, store: ModelStore) -> None:
        """And keeps what is on record of their source."""
        pull_from(hub, store)
        assert remove(store, MODEL, print)
        assert store.find(MODEL) is None
        assert left(store) == []
        assert store.lock.models[MODEL].files

    def test_of_what_is_not_here(self, store: ModelStore) -> None:
        """Says so."""
        assert not remove(store, MODEL, print)

    def test_of_what_comes_with_the_service(self) -> None:
        """Is refused."""
        shipped = ModelStore(Path(__file__).parents[2] / "models")
        with pytest.raises(ModelError, match="'minilm' comes with the service, and stays"):
            remove(shipped, "minilm", print)

    def test_ended_halfway(
        self, hub: HubServer, store: ModelStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock never names what is gone."""
        pull_from(hub, store)
        with monkeypatch.context() as patch:
            patch.setattr("shutil.rmtree", full)
            with pytest.raises(ModelError, match="can't be written"):
                remove(store, MODEL, print)
        assert store.find(MODEL) is None
        assert pull_from(hub, store) == store.verify(MODEL)


def test_a_model_that_comes_with_the_service_is_verified(hub: HubServer) -> None:
    """There is nothing to pull."""
    shipped = ModelStore(Path(__file__).parents[2] / "models")
    assert pull_from(hub, shipped, name="minilm") == shipped.verify("minilm")
    assert not hub.requests

"""Importing models that were brought by hand, friendly and hostile ones."""

import io
import json
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from depesche.errors import ModelError
from depesche.models.bring import import_model
from depesche.models.bundle import open_bundle
from depesche.models.manifest import Installed
from depesche.models.shelf import Wish
from depesche.models.store import LOCK, ModelStore
from tests.hub.server import HubServer
from tests.models.hubbed import FILES, MODEL, REPOSITORY, entry, make_store, pull_from

Pack = Callable[[Mapping[str, bytes], Path], Path]


def folder(files: Mapping[str, bytes], where: Path) -> Path:
    for name, content in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(content)
    return where


def tar(files: Mapping[str, bytes], where: Path, mode: str = "w:gz") -> Path:
    with tarfile.open(where, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return where


def plain_tar(files: Mapping[str, bytes], where: Path) -> Path:
    return tar(files, where, "w")


def xz_tar(files: Mapping[str, bytes], where: Path) -> Path:
    return tar(files, where, "w:xz")


def zipped(files: Mapping[str, bytes], where: Path) -> Path:
    with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return where


PACKS = [folder, tar, plain_tar, xz_tar, zipped]


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return make_store(tmp_path / "models")


def bring(store: ModelStore, path: Path, **wish: object) -> Installed:
    return import_model(store, MODEL, path, Wish(**wish), lambda _: None)  # type: ignore[arg-type]


def below(name: str) -> dict[str, bytes]:
    return {f"{name}/{file}": content for file, content in FILES.items()}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", [".", "opus-mt", "./a/b"])
def test_files_of_a_repository(store: ModelStore, tmp_path: Path, pack: Pack, name: str) -> None:
    """Are found in the folder that has them all, converted, and recorded as brought by hand."""
    others = {"README.md": b"of no use", "docs/decoder.yml": b"another"}
    model = bring(store, pack({**below(name), **others}, tmp_path / "brought"))

    assert model == store.verify(MODEL)
    assert model.revision == "imported"
    locked = store.lock.models[MODEL]
    assert locked.commit is None
    assert {file.name for file in locked.files} == set(FILES)
    assert [path.name for path in model.path.parent.iterdir()] == [model.path.name]


@pytest.mark.parametrize("pack", PACKS)
def test_the_pulled_models_of_another_machine(
    hub: HubServer, store: ModelStore, tmp_path: Path, pack: Pack
) -> None:
    """Come with their commit and digests, and without conversion."""
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other")
    pulled = pull_from(hub, other)
    files = {
        f"pulled/{path.relative_to(other.pulled_dir)}": path.read_bytes()
        for path in other.pulled_dir.rglob("*")
        if path.is_file()
    }
    model = bring(store, pack(files, tmp_path / "brought"), convert_python="/nowhere")

    assert (model.revision, model.digest) == (pulled.revision, pulled.digest)
    assert store.lock.models == other.lock.models
    assert store.verify(MODEL) == model


ARCHIVE = """
[models.opus]
task = "translation"
family = "marian"
languages = ["de"]
target = "en"
source = "made for tests"
licence = "CC-BY-4.0"
commercial = true
max_source_tokens = 200
max_target_tokens = 40
hub.archive = "https://models.example/opus-2021-09-30.zip"
hub.revision = "2021-09-30"
hub.files = [
  { name = "decoder.yml" }, { name = "*.npz" }, { name = "*.vocab.yml" },
  { name = "source.spm" }, { name = "target.spm" }, { name = "LICENSE.txt", optional = true },
]
"""


class TestArchive:
    """Models that are published as an archive, not on the hub."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ModelStore:
        return make_store(tmp_path / "models", ARCHIVE)

    def test_files_by_pattern(self, store: ModelStore, tmp_path: Path) -> None:
        """Their names differ from one archive to the next."""
        files = {**FILES, "README.md": b"# OPUS", "LICENSE.txt": b"CC-BY"}
        model = bring(store, zipped(files, tmp_path / "opus.zip"))

        assert model == store.verify(MODEL)
        locked = store.lock.models[MODEL]
        assert locked.repository == "https://models.example/opus-2021-09-30.zip"
        assert locked.revision == "2021-09-30"
        assert {file.name for file in locked.files} == {*FILES, "LICENSE.txt"}

    def test_is_pulled_by_hand(self, hub: HubServer, store: ModelStore) -> None:
        """The error tells from where, and what to do with it."""
        with pytest.raises(
            ModelError, match=r"fetch https://models\.example/.* models import opus"
        ):
            pull_from(hub, store)

    def test_one_file_must_fit(self, store: ModelStore, tmp_path: Path) -> None:
        """Else nobody knows which is meant."""
        files = {**FILES, "other.npz": FILES["opus.npz"]}
        with pytest.raises(ModelError, match=r"more than one \*\.npz in its top"):
            bring(store, zipped(files, tmp_path / "two.zip"))
        less = {name: content for name, content in FILES.items() if name != "opus.npz"}
        with pytest.raises(ModelError, match=r"lacks \*\.npz; wanted are"):
            bring(store, zipped(less, tmp_path / "none.zip"))


def test_a_pull_after_an_import_wants_the_same_bytes(
    hub: HubServer, store: ModelStore, tmp_path: Path
) -> None:
    """And learns the commit."""
    bring(store, folder(FILES, tmp_path / "brought"))
    commit = hub.add(REPOSITORY, {**FILES, "source.spm": FILES["target.spm"]})
    shutil.rmtree(store.pulled_dir / MODEL)
    with pytest.raises(ModelError, match=r"source\.spm has digest .* on the hub, and .* is pinned"):
        pull_from(hub, store)
    commit = hub.add(REPOSITORY, FILES)
    assert pull_from(hub, store).revision == commit[:12]
    assert store.lock.models[MODEL].commit == commit


def test_what_differs_from_the_lock(hub: HubServer, store: ModelStore, tmp_path: Path) -> None:
    """Is refused, and the model before stays; an update takes it, of unknown commit."""
    commit = hub.add(REPOSITORY, FILES)
    before = pull_from(hub, store)
    other = {**FILES, "decoder.yml": FILES["decoder.yml"] + b"# other\n"}
    path = folder(other, tmp_path / "other")
    with pytest.raises(ModelError, match=r"decoder\.yml has \d+ bytes .* are on record; --update"):
        bring(store, path)
    assert store.verify(MODEL) == before

    same = folder(FILES, tmp_path / "same")
    assert bring(store, same, quantisation="float32").revision == commit[:12]
    assert bring(store, path, update=True).revision == "imported"
    assert store.verify(MODEL).quantisation == "float32"


def test_digests_of_the_manifest_count(tmp_path: Path) -> None:
    """Before anything is on record."""
    pins = {"opus.npz": f', size = {len(FILES["opus.npz"])}, sha256 = "{"0" * 64}"'}
    store = make_store(tmp_path / "models", entry(pins=pins))
    with pytest.raises(ModelError, match=r"opus\.npz has .* and \d+ with 0+ are on record"):
        bring(store, folder(FILES, tmp_path / "brought"))
    assert store.find(MODEL) is None


def test_a_licence_without_commerce_needs_consent_here_too(hub: HubServer, tmp_path: Path) -> None:
    """Consent of those who pulled it elsewhere isn't that of those who run it here."""
    manifest = entry(licence="CC-BY-NC-4.0", commercial=False)
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other", manifest)
    pull_from(hub, other, wish=Wish(accept_licence=True))
    store = make_store(tmp_path / "models", manifest)
    with pytest.raises(ModelError, match="--accept-licence"):
        bring(store, other.pulled_dir)
    bring(store, other.pulled_dir, accept_licence=True)
    assert store.lock.models[MODEL].accepted

    changed = make_store(tmp_path / "changed", entry())
    with pytest.raises(ModelError, match=r"under CC-BY-NC-4\.0, and the manifest says CC-BY"):
        bring(changed, other.pulled_dir)


def test_quantisation(hub: HubServer, store: ModelStore, tmp_path: Path) -> None:
    """Is that of the converted model; another one needs the repository's files."""
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other")
    pull_from(hub, other)
    with pytest.raises(ModelError, match="has it in int8; another quantisation is made from"):
        bring(store, other.pulled_dir, quantisation="float32")
    bring(store, other.pulled_dir, quantisation="int8")


def altered_store(other: ModelStore, change: Callable[[dict[str, object]], None]) -> None:
    path = other.pulled_dir / LOCK
    document = json.loads(path.read_text())
    change(document["models"][MODEL]["conversion"])
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(folder="opus/../../secret"), "isn't a lock of this version"),
        (lambda c: c.update(folder="/etc/secret"), "isn't a lock of this version"),
        (lambda c: c.update(folder="opus/elsewhere"), "opus/elsewhere/.* is missing"),
        (lambda c: c["files"][0].update(name="../x"), "isn't a lock of this version"),
        (lambda c: c["files"][0].update(name="absent"), "absent is missing"),
        (lambda c: c["files"][0].update(size=5), "has .* bytes .* and 5 with"),
        (lambda c: c["files"][0].update(sha256="0" * 64), "are on record"),
        (lambda c: c.update(quantisation="int1"), "isn't a lock of this version"),
    ],
)
def test_locks_that_lie(
    hub: HubServer, store: ModelStore, tmp_path: Path, change: Callable[..., None], message: str
) -> None:
    """Are refused, and nothing is left behind."""
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other")
    pull_from(hub, other)
    altered_store(other, change)
    with pytest.raises(ModelError, match=message):
        bring(store, other.pulled_dir)
    assert store.find(MODEL) is None
    assert not list(store.pulled_dir.glob(f"{MODEL}/*"))


def test_a_store_without_the_model(hub: HubServer, store: ModelStore, tmp_path: Path) -> None:
    """The error tells what it has."""
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other", entry(name="another"))
    pull_from(hub, other, name="another")
    with pytest.raises(ModelError, match=r"'opus': .* doesn't have it; it has another"):
        bring(store, other.pulled_dir)


def test_a_store_that_misses_nothing_but_its_weights(
    hub: HubServer, store: ModelStore, tmp_path: Path
) -> None:
    """A lock whose conversion has no weights is none."""
    hub.add(REPOSITORY, FILES)
    other = make_store(tmp_path / "other")
    pull_from(hub, other)
    altered_store(
        other,
        lambda c: c.update(files=[f for f in c["files"] if f["name"] != "model.bin"]),  # type: ignore[attr-defined]
    )
    with pytest.raises(ModelError, match="isn't a lock of this version"):
        bring(store, other.pulled_dir)


@pytest.mark.parametrize("pack", [tar, zipped, folder])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("opus.npz", pickle.dumps(range(99)), "could run code when loaded"),
        ("opus.npz", b"PK\x03\x04" + bytes(600), "could run code when loaded"),
        ("opus.npz", b"nothing", "can't be converted"),
    ],
)
def test_unsafe_files(
    store: ModelStore, tmp_path: Path, pack: Pack, name: str, content: bytes, message: str
) -> None:
    """Are refused in whatever they come."""
    path = pack({**FILES, name: content}, tmp_path / "brought")
    with pytest.raises(ModelError, match=message):
        bring(store, path)
    assert store.find(MODEL) is None
    assert not list(store.pulled_dir.glob(f"{MODEL}/*"))


def test_archives_lead_nowhere(store: ModelStore, tmp_path: Path) -> None:
    """Whatever paths, links and devices they hold, nothing but what is asked for is written."""
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in below("m").items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name in ("../../escaped", str(tmp_path / "escaped3"), "m/../../escaped2"):
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"bad"))
        link = tarfile.TarInfo("m/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
        below_link = tarfile.TarInfo("m/link/passwd")
        archive.addfile(below_link)
        device = tarfile.TarInfo("m/null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    bring(store, path)

    assert not list(tmp_path.rglob("*escaped*"))
    assert {p.name for p in store.pulled_dir.iterdir()} == {".locks", LOCK, MODEL}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_what_is_asked_for_must_be_a_file(store: ModelStore, tmp_path: Path, kind: bytes) -> None:
    """A link or a pipe of the right name is none."""
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            if name == "source.spm":
                member.type, member.linkname = kind, "/etc/passwd"
                archive.addfile(member)
                continue
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(ModelError, match=r"lacks source\.spm; wanted are"):
        bring(store, path)


def test_a_link_out_of_a_folder(store: ModelStore, tmp_path: Path) -> None:
    """Is refused; one within is fine."""
    path = folder(FILES, tmp_path / "brought")
    (path / "opus.npz").rename(path / "blob.npz")
    (path / "opus.npz").symlink_to("blob.npz")
    bring(store, path)
    (tmp_path / "outside.spm").write_bytes(FILES["source.spm"])
    (path / "source.spm").unlink()
    (path / "source.spm").symlink_to("../outside.spm")
    with pytest.raises(ModelError, match=r"is a link out of .*; copy it with cp -L"):
        bring(store, path, update=True)


def test_the_same_path_twice(store: ModelStore, tmp_path: Path) -> None:
    """Leaves open which is meant, so it is refused."""
    for path in (tar({**FILES, "./source.spm": b"x"}, tmp_path / "twice.tar"),):
        with pytest.raises(ModelError, match=r"holds source\.spm twice"):
            bring(store, path)


def test_two_models_in_one_archive(store: ModelStore, tmp_path: Path) -> None:
    """The error names their folders."""
    path = zipped({**below("a"), **below("b")}, tmp_path / "two.zip")
    with pytest.raises(ModelError, match="holds more than one such model: a, b"):
        bring(store, path)
    spread = {f"{'ab'[i % 2]}/{name}": c for i, (name, c) in enumerate(FILES.items())}
    with pytest.raises(ModelError, match="has them in more than one folder"):
        bring(store, folder(spread, tmp_path / "spread"))


def test_a_zip_that_announces_less_than_it_holds(store: ModelStore, tmp_path: Path) -> None:
    """Is a broken archive, however much would come out of it."""
    path = zipped({**FILES, "source.spm": bytes(50_000_000)}, tmp_path / "bomb.zip")
    content = path.read_bytes()
    true, lie = (50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert content.count(true) >= 1
    path.write_bytes(content.replace(true, lie))
    with pytest.raises(ModelError, match=r"broken archive|hasn't the 1000 bytes"):
        bring(store, path)
    assert not list(store.pulled_dir.glob(f"{MODEL}/*"))


@pytest.mark.parametrize("pack", [tar, plain_tar, xz_tar, zipped])
def test_an_archive_cut_short(store: ModelStore, tmp_path: Path, pack: Pack) -> None:
    """Is refused wherever it ends, and nothing half is left."""
    path = pack(FILES, tmp_path / "whole")
    content = path.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9):
        short = tmp_path / "short"
        short.write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelError, match=r"broken archive|no folder, and no tar|lacks|hasn't"):
            bring(store, short)
        assert not list(store.pulled_dir.glob(f"{MODEL}/*"))


def test_an_archive_of_endless_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is given up."""
    monkeypatch.setattr("depesche.models.bundle._MOST_ENTRIES", 100)
    path = zipped({f"{i}": b"" for i in range(101)}, tmp_path / "many.zip")
    with pytest.raises(ModelError, match="holds more than 100 files"), open_bundle(path):
        pass


def test_what_is_not_there(store: ModelStore, tmp_path: Path) -> None:
    """Is told in one line."""
    with pytest.raises(ModelError, match="can't be read: No such file"):
        bring(store, tmp_path / "absent")


def test_too_little_room(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is told before anything is copied."""
    path = folder(FILES, tmp_path / "brought")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(
        ModelError, match=r"\d+ more bytes are needed and the disk .* has 1000; make"
    ):
        bring(store, path)


def test_what_comes_with_the_service(tmp_path: Path) -> None:
    """Is not to be imported."""
    shipped = ModelStore(Path(__file__).parents[2] / "models", tmp_path / "pulled")
    with pytest.raises(ModelError, match="'minilm' comes with the service"):
        import_model(shipped, "minilm", tmp_path, Wish(), print)
    assert not list(tmp_path.iterdir())

import hashlib
import shutil
from pathlib import Path

import pytest

from depesche.errors import ModelError, ModelUnknown
from depesche.models.store import ModelStore

SHIPPED = Path(__file__).parents[2] / "models"
FILES = {"model.bin": b"weights", "config.json": b"{}"}
TABLE = """
[models.tiny]
task = "summary"
family = "bert"
languages = ["en"]
revision = "1"
path = "tiny/1"
source = "made for a test"
licence = "Apache-2.0"
commercial = true
quantisation = "int8"
max_source_tokens = 256
files = [
"""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store with one model of two small files."""
    lines = [
        f'{{ name = "{name}", size = {len(content)}, sha256 = "{digest(content)}" }},'
        for name, content in FILES.items()
    ]
    (tmp_path / "manifest.toml").write_text(TABLE + "\n".join(lines) + "]")
    folder = tmp_path / "tiny" / "1"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return ModelStore(tmp_path)


@pytest.fixture
def weights(store: ModelStore) -> Path:
    return store.verify("tiny").path / "model.bin"


def test_whole(store: ModelStore, tmp_path: Path) -> None:
    """A model whose files are as the manifest says is verified, and its folder told."""
    assert store.verify("tiny").path == tmp_path / "tiny" / "1"
    assert store.is_present("tiny")


def test_figures(store: ModelStore) -> None:
    """Digest is that of the weights, size that of all files."""
    model = store.verify("tiny")
    assert model.digest == digest(b"weights")
    assert model.size == len(b"weights") + len(b"{}")


@pytest.mark.parametrize("method", ["spec", "find", "verify", "is_present"])
def test_unknown(store: ModelStore, method: str) -> None:
    """A name that the manifest lacks is the caller's fault."""
    with pytest.raises(ModelUnknown, match="no model is named 'huge'"):
        getattr(store, method)("huge")


def test_altered(store: ModelStore, weights: Path) -> None:
    """A file of another content is refused with both digests; only `verify` reads that far."""
    weights.write_bytes(b"Weights")
    message = f"has digest {digest(b'Weights')}, the manifest says {digest(b'weights')}"
    with pytest.raises(ModelError, match=f"model 'tiny': model.bin {message}"):
        store.verify("tiny")
    assert store.is_present("tiny")


def test_truncated(store: ModelStore, weights: Path) -> None:
    """A truncated file is refused by its size."""
    weights.write_bytes(b"weig")
    with pytest.raises(ModelError, match=r"model\.bin has 4 bytes, the manifest says 7"):
        store.verify("tiny")
    assert not store.is_present("tiny")


def test_missing(store: ModelStore, weights: Path) -> None:
    """A missing file is named."""
    weights.unlink()
    with pytest.raises(ModelError, match=r"model\.bin is missing"):
        store.verify("tiny")
    assert not store.is_present("tiny")


def test_missing_folder(store: ModelStore, weights: Path) -> None:
    """A model without its folder is absent, not an error, until it is verified."""
    shutil.rmtree(weights.parent)
    assert not store.is_present("tiny")
    with pytest.raises(ModelError, match="is missing"):
        store.verify("tiny")


def test_folder_for_file(store: ModelStore, weights: Path) -> None:
    """A folder by a file's name is refused."""
    weights.unlink()
    weights.mkdir()
    with pytest.raises(ModelError, match=r"model\.bin isn't a file"):
        store.verify("tiny")


def test_endless_link(store: ModelStore, weights: Path) -> None:
    """A file that can't be reached is refused with the system's reason."""
    weights.unlink()
    weights.symlink_to(weights)
    with pytest.raises(ModelError, match=r"model\.bin can't be read: Too many levels"):
        store.verify("tiny")


def test_unreadable(store: ModelStore, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be opened is refused with the system's reason."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, whom no file mode stops.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=rf"{weights.name} can't be read: Permission denied"):
        store.verify("tiny")


def test_link_out(
    store: ModelStore, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A link that leaves the models' folder is refused, even to the right content."""
    outside = tmp_path_factory.mktemp("outside") / "model.bin"
    shutil.move(weights, outside)
    weights.symlink_to(outside)
    with pytest.raises(ModelError, match="is a link out of the models' folder"):
        store.verify("tiny")


def test_link_within(store: ModelStore, weights: Path, tmp_path: Path) -> None:
    """A link within the models' folder is followed."""
    shutil.move(weights, tmp_path / "blob")
    weights.symlink_to(tmp_path / "blob")
    store.verify("tiny")


def test_refresh(store: ModelStore, tmp_path: Path) -> None:
    """A changed manifest is read on demand; a wrong one leaves the old in place."""
    path = tmp_path / "manifest.toml"
    path.write_text(path.read_text().replace('revision = "1"', 'revision = "2"'))
    assert store.spec("tiny").revision == "1"
    store.refresh()
    assert store.spec("tiny").revision == "2"
    path.write_text("[")
    with pytest.raises(ModelError, match="isn't TOML"):
        store.refresh()
    assert store.spec("tiny").revision == "2"


def test_no_manifest(tmp_path: Path) -> None:
    """A folder without a manifest is no store."""
    with pytest.raises(ModelError, match="can't be read"):
        ModelStore(tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("name", ["embedded", "minilm"])
def test_shipped(name: str) -> None:
    """The shipped models are what the shipped manifest says."""
    ModelStore(SHIPPED).verify(name)

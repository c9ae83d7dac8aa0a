"""The local hub is held to what the hub's own client makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.server import Cut, HubServer, Refuse

NAME = "owner/tiny"
TOKEN = "t"  # noqa: S105 - opens nothing
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 1000}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


def test_snapshot(hub: HubServer, tmp_path: Path) -> None:
    """The client downloads a whole repository, by the commit that a branch names."""
    commit = hub.add(NAME, FILES)
    folder = Path(snapshot_download(NAME, endpoint=hub.endpoint, cache_dir=tmp_path))
    assert folder.name == commit
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_metadata(hub: HubServer) -> None:
    """The client finds commit, size and digest: SHA-256 with Git LFS, Git's own name without."""
    commit = hub.add(NAME, FILES)
    files = {}
    for name, content in FILES.items():
        url = f"{hub.endpoint}/{NAME}/resolve/main/{name}"
        files[name] = get_hf_file_metadata(url, endpoint=hub.endpoint)
        assert (files[name].commit_hash, files[name].size) == (commit, len(content))
    info = HfApi(hub.endpoint).model_info(NAME, files_metadata=True)
    assert info.sha == commit
    for sibling in info.siblings or ():
        expected = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
        assert files[sibling.rfilename].etag == expected


def test_resume(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client resumes a cut connection by a range."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.add(NAME, FILES)
    hub.script("model.safetensors", Cut(100_000))
    path = hf_hub_download(NAME, "model.safetensors", endpoint=hub.endpoint, cache_dir=tmp_path)
    assert Path(path).read_bytes() == FILES["model.safetensors"]
    assert hub.sent("model.safetensors") == len(FILES["model.safetensors"])


@pytest.mark.parametrize(
    ("repository", "revision", "name", "token", "error"),
    [
        ("owner/none", "main", "config.json", TOKEN, RepositoryNotFoundError),
        (NAME, "none", "config.json", TOKEN, RevisionNotFoundError),
        (NAME, "main", "none.json", TOKEN, EntryNotFoundError),
        (NAME, "main", "config.json", False, GatedRepoError),
        (NAME, "main", "config.json", "wrong", GatedRepoError),
    ],
)
def test_refusals(
    hub: HubServer,
    repository: str,
    revision: str,
    name: str,
    token: str | bool,
    error: type[Exception],
) -> None:
    """The client understands why it is refused."""
    hub.add(NAME, FILES, token=TOKEN)
    url = f"{hub.endpoint}/{repository}/resolve/{revision}/{name}"
    with pytest.raises(error):
        get_hf_file_metadata(url, token=token, endpoint=hub.endpoint)


def test_busy(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits as long as Retry-After says, and a second more."""
    waits: list[float] = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", waits.append)
    hub.add(NAME, FILES)
    hub.script("model.safetensors", Refuse(429, {"Retry-After": "7"}))
    hf_hub_download(NAME, "model.safetensors", endpoint=hub.endpoint, cache_dir=tmp_path)
    assert waits == [8.0]

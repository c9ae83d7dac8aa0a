import errno
import gzip
import hashlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest

from depesche.errors import ModelError
from depesche.models import fetch as module
from depesche.models.fetch import FetchedFile, Progress, RemoteFile, fetch, list_files
from tests.hub.server import Cut, Fault, HubServer, Oversend, Pause, Refuse, Serve

NAME = "owner/tiny"
TOKEN = "hf_of_the_test"  # noqa: S105 - opens nothing
WEIGHTS = "model.safetensors"
FILES = {"config.json": b'{"a": 1}', WEIGHTS: bytes(range(256)) * 2000, "vocab.txt": b"a\nb\n"}
SIZE = len(FILES[WEIGHTS])
WAIT = 60  # seconds; only a hanging test takes them

# Run as a process of its own: REPOSITORY REVISION FOLDER FILE:SHA256...
PROGRAM = """
import sys
from pathlib import Path
from depesche.errors import ModelError
from depesche.models.fetch import RemoteFile, fetch
def progress(name, have, size):
    print(name, have, flush=True)
repository, revision, folder, *files = sys.argv[1:]
files = [RemoteFile(name, None, digest or None) for name, digest in (f.split(":") for f in files)]
try:
    fetch(repository, revision, files, Path(folder), progress, backoff=0.01)
except ModelError as error:
    sys.exit(str(error))
"""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pinned(*names: str) -> list[RemoteFile]:
    return [RemoteFile(name, len(FILES[name]), digest(FILES[name])) for name in names]


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, bytes(1000))
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.zeros(200))
    return buffer.getvalue()


@pytest.fixture
def commit(hub: HubServer) -> str:
    return hub.add(NAME, FILES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "staging"


Pull = Callable[..., tuple[FetchedFile, ...]]


@pytest.fixture
def pull(hub: HubServer, folder: Path) -> Pull:
    """Fetch from the local hub, soon again where it fails."""

    def run(
        files: Sequence[RemoteFile],
        revision: str,
        *,
        repository: str = NAME,
        progress: Progress = lambda *_: None,
        offline: bool = False,
    ) -> tuple[FetchedFile, ...]:
        return fetch(
            repository,
            revision,
            files,
            folder,
            progress,
            endpoint=hub.endpoint,
            offline=offline,
            backoff=0.001,
        )

    return run


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are waited, which then aren't."""
    seconds: list[float] = []
    monkeypatch.setattr(module._Pace, "wait", lambda _, wait: seconds.append(wait))
    return seconds


def process(
    hub: HubServer, commit: str, folder: Path, files: Sequence[RemoteFile], **variables: str
) -> subprocess.Popen[str]:
    arguments = [f"{file.name}:{file.sha256 or ''}" for file in files]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, NAME, commit, str(folder), *arguments],
        env={**os.environ, "HF_ENDPOINT": hub.endpoint, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_progress(child: subprocess.Popen[str], name: str, have: int) -> None:
    """Wait until a process has told of so many bytes of a file."""
    assert child.stdout is not None
    assert f"{name} {have}\n" in iter(child.stdout.readline, "")


def contents(folder: Path) -> Mapping[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def leave_partial(hub: HubServer, commit: str, pull: Pull, folder: Path, content: bytes) -> None:
    """Leave a partial file of the weights, as a killed process would."""
    hub.script(WEIGHTS, Cut(10), *[Refuse(503)] * 5)
    with pytest.raises(ModelError, match="in 6 tries"):
        pull(pinned(WEIGHTS), commit)
    (partial,) = folder.iterdir()
    partial.write_bytes(content)


@pytest.mark.parametrize("files", [pinned(*FILES), [RemoteFile(name) for name in FILES]])
def test_whole(commit: str, pull: Pull, folder: Path, files: Sequence[RemoteFile]) -> None:
    """Every file comes, pinned or not, and nothing else stays in the folder."""
    fetched = pull(files, commit)
    assert fetched == tuple(
        FetchedFile(name, len(content), digest(content)) for name, content in FILES.items()
    )
    assert contents(folder) == FILES


def test_folders(hub: HubServer, pull: Pull, folder: Path) -> None:
    """A file keeps its folder."""
    commit = hub.add(NAME, {"onnx/config.json": b"{}"})
    pull([RemoteFile("onnx/config.json")], commit)
    assert contents(folder) == {"onnx/config.json": b"{}"}


def test_progress(hub: HubServer, commit: str, pull: Pull) -> None:
    """Progress grows up to each file's size, through a break too."""
    seen: list[tuple[str, int, int]] = []
    hub.script(WEIGHTS, Cut(200_000))
    pull(pinned(*FILES), commit, progress=lambda *step: seen.append(step))
    for name, content in FILES.items():
        steps = [have for of, have, size in seen if of == name and size == len(content)]
        assert steps == sorted(steps)
        assert steps[-1] == len(content)


@pytest.mark.parametrize("pin", [True, False])
def test_cut(hub: HubServer, commit: str, pull: Pull, folder: Path, pin: bool) -> None:
    """Cut connections are resumed, and no byte is sent twice."""
    hub.script(WEIGHTS, Cut(200_000), Cut(0), Cut(100_000))
    pull(pinned(WEIGHTS) if pin else [RemoteFile(WEIGHTS)], commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert hub.sent(WEIGHTS) == SIZE
    ranges = [request.headers.get("range") for request in hub.asked(WEIGHTS)]
    assert ranges == [None, "bytes=200000-", "bytes=200000-", "bytes=300000-"]


@pytest.mark.parametrize("stage", ["resolve", "content"])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_busy(
    hub: HubServer, commit: str, pull: Pull, waits: list[float], status: int, stage: str
) -> None:
    """Statuses that pass are waited out, longer each time."""
    hub.script(WEIGHTS, *[Refuse(status)] * 3, stage="resolve" if stage == "resolve" else "content")
    pull(pinned(WEIGHTS), commit)
    assert len(waits) == 3
    for tries, wait in enumerate(waits):
        assert 0.5 <= wait / (0.001 * 2**tries) <= 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": format_datetime(datetime.now(UTC) - timedelta(1), usegmt=True)}, 0),
        ({"RateLimit": '"resolvers";r=0;t=55'}, 55),
    ],
)
def test_retry_after(
    hub: HubServer,
    commit: str,
    pull: Pull,
    waits: list[float],
    headers: dict[str, str],
    seconds: float,
) -> None:
    """The hub says how long to wait, in any of three ways."""
    hub.script(WEIGHTS, Refuse(429, headers))
    pull(pinned(WEIGHTS), commit)
    assert waits == [seconds]


def test_retry_after_days(hub: HubServer, commit: str, pull: Pull, waits: list[float]) -> None:
    """Nobody waits for a day."""
    hub.script(WEIGHTS, Refuse(429, {"Retry-After": "86400"}))
    with pytest.raises(ModelError, match=f"{NAME} at .*{WEIGHTS} .*again in 86400 seconds"):
        pull(pinned(WEIGHTS), commit)
    assert waits == []


@pytest.mark.parametrize("fault", [Refuse(503), Cut(0), Cut(10)])
def test_gives_up(
    hub: HubServer, commit: str, pull: Pull, waits: list[float], fault: Fault
) -> None:
    """Six tries without headway are enough; what has come stays."""
    hub.script(WEIGHTS, *[fault] * 100)
    with pytest.raises(ModelError, match=f"{WEIGHTS} couldn't be fetched in 6 tries"):
        pull(pinned(WEIGHTS), commit)
    assert (len(waits), len(hub.asked(WEIGHTS))) == (5, 6)


def test_unreachable(hub: HubServer, folder: Path, commit: str) -> None:
    """A hub that isn't there is tried again, and then named as the cause."""
    hub.__exit__()
    endpoint = hub.endpoint
    with pytest.raises(ModelError, match=r"in 6 tries, the connection failed: .*refused"):
        fetch(
            NAME, commit, pinned(WEIGHTS), folder, lambda *_: None, endpoint=endpoint, backoff=0.001
        )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("pin", [True, False])
def test_wrong_bytes(
    hub: HubServer,
    commit: str,
    pull: Pull,
    folder: Path,
    name: str,
    pin: bool,
) -> None:
    """Altered content is refused by the pin or by what the hub announces, and nothing stays."""
    hub.script(name, Serve(FILES[name][:-1] + b"X"))
    with pytest.raises(ModelError, match=f"{name} has digest .*check the manifest"):
        pull(pinned(name) if pin else [RemoteFile(name)], commit)
    assert contents(folder) == {}


def test_wrong_partial(hub: HubServer, commit: str, pull: Pull, folder: Path) -> None:
    """A partial file that went bad costs one download from the start, not the whole attempt."""
    leave_partial(hub, commit, pull, folder, bytes(SIZE // 2))
    pull(pinned(WEIGHTS), commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert [request.sent for request in hub.asked(WEIGHTS)[-2:]] == [SIZE // 2, SIZE]


def test_wrong_again(hub: HubServer, commit: str, pull: Pull, folder: Path) -> None:
    """A hub that resumes with other bytes each time doesn't keep a pull busy for ever."""
    wrong = Serve(bytes(SIZE))
    hub.script(WEIGHTS, Cut(1000), wrong, Cut(1000), *[wrong] * 10)
    with pytest.raises(ModelError, match="has digest"):
        pull(pinned(WEIGHTS), commit)
    assert len(hub.asked(WEIGHTS)) == 4
    assert contents(folder) == {}


@pytest.mark.parametrize("size", [0, 1, SIZE + 1000])
def test_partial_of_any_size(
    hub: HubServer, commit: str, pull: Pull, folder: Path, size: int
) -> None:
    """A partial file of any size comes to a good end, even one that is too long."""
    leave_partial(hub, commit, pull, folder, FILES[WEIGHTS][:size].ljust(size, b"X"))
    pull([RemoteFile(WEIGHTS)], commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}


@pytest.mark.parametrize("pin", [True, False])
def test_partial_is_whole(
    hub: HubServer,
    commit: str,
    pull: Pull,
    folder: Path,
    pin: bool,
) -> None:
    """What was whole when the process died isn't sent again."""
    leave_partial(hub, commit, pull, folder, FILES[WEIGHTS])
    before = hub.sent(WEIGHTS)
    pull(pinned(WEIGHTS) if pin else [RemoteFile(WEIGHTS)], commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert hub.sent(WEIGHTS) == before


def test_ranges_ignored(hub: HubServer, commit: str, pull: Pull, folder: Path) -> None:
    """A mirror without ranges sends all again, and the file is right all the same."""
    hub.script(WEIGHTS, Cut(1000), Serve(FILES[WEIGHTS], ranges=False))
    pull(pinned(WEIGHTS), commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}


def test_other_range(hub: HubServer, commit: str, pull: Pull, folder: Path) -> None:
    """An answer with another part than was asked for isn't written."""
    other = Refuse(206, {"Content-Range": f"bytes 0-999/{SIZE}"}, FILES[WEIGHTS][:1000])
    hub.script(WEIGHTS, Cut(1000), other)
    pull(pinned(WEIGHTS), commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert hub.sent(WEIGHTS) == SIZE


def test_compressed(hub: HubServer, commit: str, pull: Pull, folder: Path) -> None:
    """A mirror that compresses against what was asked is named."""
    hub.script("vocab.txt", Refuse(200, {"Content-Encoding": "gzip"}, gzip.compress(b"a")))
    with pytest.raises(ModelError, match=r"vocab\.txt comes compressed"):
        pull(pinned("vocab.txt"), commit)
    assert contents(folder) == {}


@pytest.mark.parametrize("name", FILES)
def test_more_than_announced(
    hub: HubServer, commit: str, pull: Pull, folder: Path, name: str
) -> None:
    """More bytes than announced are refused, and nothing stays."""
    hub.script(name, Oversend(b"X"))
    with pytest.raises(ModelError, match=f"{name} is longer than the {len(FILES[name])} bytes"):
        pull([RemoteFile(name)], commit)
    assert contents(folder) == {}


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1])
def test_size_pinned(commit: str, pull: Pull, folder: Path, size: int) -> None:
    """A size other than pinned is refused before anything is written."""
    with pytest.raises(ModelError, match=f"{WEIGHTS} has {SIZE} bytes on the hub, and {size} are"):
        pull([RemoteFile(WEIGHTS, size)], commit)
    assert contents(folder) == {}


def test_sizes_differ(hub: HubServer, commit: str, pull: Pull) -> None:
    """A hub and a mirror that disagree on the size are both named."""
    hub.script(WEIGHTS, Serve(FILES[WEIGHTS] + b"X"))
    with pytest.raises(ModelError, match=f"with {SIZE} and {SIZE + 1} bytes"):
        pull([RemoteFile(WEIGHTS)], commit)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../config.json", "isn't a name within"),
        ("a/../../config.json", "isn't a name within"),
        ("/etc/config.json", "isn't a name within"),
        ("a\\config.json", "isn't a name within"),
        (".git/config.json", "isn't a name within"),
        ("config.json\n", "isn't a name within"),
        ("a" * 200 + ".json", "isn't a name within"),
        ("", "isn't a name within"),
        ("pytorch_model.bin", "is a pickle"),
        ("sub/PyTorch_Model-00001-of-00002.BIN", "is a pickle"),
        ("training_args.bin", "is a pickle"),
        ("model.pkl", "isn't of a known safe format"),
        ("model.pt", "isn't of a known safe format"),
        ("model.ckpt", "isn't of a known safe format"),
        ("tf_model.h5", "isn't of a known safe format"),
        ("modeling.py", "isn't of a known safe format"),
        ("README", "isn't of a known safe format"),
    ],
)
def test_unsafe_names(
    hub: HubServer, commit: str, pull: Pull, folder: Path, name: str, fault: str
) -> None:
    """Names that leave the folder, or of formats that can run code, are refused unasked."""
    with pytest.raises(ModelError, match=f"{NAME} at .*{fault}"):
        pull([*pinned("config.json"), RemoteFile(name)], commit)
    assert (hub.requests, folder.exists()) == ([], False)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["model.safetensors", "model.npz", "vocab.json", "model.bin"])
@pytest.mark.parametrize("pin", [True, False])
def test_pickles(
    hub: HubServer, pull: Pull, folder: Path, name: str, protocol: int, pin: bool
) -> None:
    """A pickle is refused whatever it is called, pinned or not."""
    content = pickle.dumps({"a": [1.5] * 1000}, protocol)
    commit = hub.add(NAME, {name: content})
    with pytest.raises(ModelError, match=f"{name} is a pickle"):
        pull([RemoteFile(name, None, digest(content) if pin else None)], commit)
    assert contents(folder) == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.bin", zipped("archive/data.pkl")),
        ("model.npz", zipped("archive/data.pkl")),
        ("model.npz", b"PK\x05\x06" + bytes(18)),
        ("vocab.json", zipped("weights.npy")),
        ("model.safetensors", zipped("tiny/data.pkl")),
        ("model.bin", pickle.dumps({"a": 1}, 1)),
        ("model.bin", b"cposix\nsystem\n(S'true'\ntR."),
        ("model.bin", b""),
    ],
)
def test_archives(hub: HubServer, pull: Pull, folder: Path, name: str, content: bytes) -> None:
    """Archives of PyTorch are refused whatever they are called, and any unknown .bin."""
    commit = hub.add(NAME, {name: content})
    with pytest.raises(ModelError, match=f"{name} is"):
        pull([RemoteFile(name)], commit)
    assert contents(folder) == {}


def test_early(hub: HubServer, pull: Pull) -> None:
    """A pickle is refused by its beginning, not after gigabytes."""
    commit = hub.add(NAME, {WEIGHTS: pickle.dumps(bytes(2**16))})
    hub.script(WEIGHTS, Cut(1000), *[Refuse(503)] * 10)
    with pytest.raises(ModelError, match="is a pickle"):
        pull([RemoteFile(WEIGHTS)], commit)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.npz", npz()),
        ("model.bin", b"\6\0\0\0\x10\0TransformerSpec" + bytes(1000)),
        ("source.spm", b"\n\x0e\n\x05<unk>" + bytes(1000)),
        ("vocab.json", b"{}"),
        ("empty.txt", b""),
    ],
)
def test_safe_formats(hub: HubServer, pull: Pull, folder: Path, name: str, content: bytes) -> None:
    """What models are made of comes through."""
    commit = hub.add(NAME, {name: content})
    pull([RemoteFile(name)], commit)
    assert contents(folder) == {name: content}


@pytest.mark.parametrize(
    ("repository", "revision", "name", "fault"),
    [
        ("owner/none", None, "config.json", "the repository is unknown there, or needs HF_TOKEN"),
        (NAME, "0" * 40, "config.json", "the repository has no such revision"),
        (NAME, None, "none.json", "the revision has no such file"),
    ],
)
def test_not_found(
    commit: str,
    pull: Pull,
    monkeypatch: pytest.MonkeyPatch,
    repository: str,
    revision: str | None,
    name: str,
    fault: str,
) -> None:
    """What is missing is told: repository, revision or file."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(ModelError, match=f"{repository} at .*: {name} isn't at http.*: {fault}"):
        pull([RemoteFile(name)], revision or commit, repository=repository)


def test_no_token(commit: str, pull: Pull) -> None:
    """The hub doesn't tell strangers what is missing, so the message names both causes."""
    with pytest.raises(ModelError, match=r"is refused \(401\): .*repository's name.*HF_TOKEN"):
        pull(pinned("config.json"), commit, repository="owner/none")


def test_token(hub: HubServer, pull: Pull, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_TOKEN opens a gated repository, and never goes to the host that keeps the files."""
    commit = hub.add(NAME, FILES, token=TOKEN)
    with pytest.raises(ModelError, match=f"needs consent to terms: give it at http.*/{NAME}"):
        pull(pinned(WEIGHTS), commit)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    pull(pinned(*FILES), commit)
    assert contents(folder) == FILES
    authorised = {r.host.split(":")[0]: r.headers.get("authorization") for r in hub.requests[1:]}
    assert authorised == {"127.0.0.1": f"Bearer {TOKEN}", "localhost": None}


def test_status(hub: HubServer, commit: str, pull: Pull) -> None:
    """A status that nobody foresees is told as it is."""
    hub.script(WEIGHTS, Refuse(451))
    with pytest.raises(ModelError, match=f"{WEIGHTS} can't be had from .*, which answers 451"):
        pull(pinned(WEIGHTS), commit)


def test_other_commit(hub: HubServer, pull: Pull) -> None:
    """A mirror that takes the commit for something else is found out."""
    hub.add(NAME, FILES, branches=["a" * 40])
    with pytest.raises(ModelError, match="comes from another commit"):
        pull(pinned(WEIGHTS), "a" * 40)


@pytest.mark.parametrize("revision", ["main", "v1.0", "A" * 40, "a" * 39, ""])
def test_revision_moves(pull: Pull, revision: str) -> None:
    """Only a commit pins files."""
    with pytest.raises(ModelError, match="isn't a commit; pin its 40 hexadecimal digits"):
        pull(pinned(WEIGHTS), revision)


@pytest.mark.parametrize("repository", ["", "a/b/c", "../a", "https://a/b"])
def test_repository(commit: str, pull: Pull, repository: str) -> None:
    """A name that can't be a repository's isn't asked for."""
    with pytest.raises(ModelError, match="isn't the name of a repository"):
        pull(pinned(WEIGHTS), commit, repository=repository)


def test_twice_named(commit: str, pull: Pull) -> None:
    """Two files of one name are a mistake of the manifest."""
    with pytest.raises(ModelError, match="must differ in name"):
        pull(pinned(WEIGHTS, WEIGHTS), commit)


def test_present(hub: HubServer, commit: str, pull: Pull) -> None:
    """What is here and right isn't asked for again, even offline."""
    fetched = pull(pinned(*FILES), commit)
    before = len(hub.requests)
    assert pull(pinned(*FILES), commit, offline=True) == fetched
    assert len(hub.requests) == before


@pytest.mark.parametrize("name", FILES)
def test_present_unpinned(commit: str, pull: Pull, folder: Path, name: str) -> None:
    """Without a pin, what is here stays where the hub announces its digest, else comes anew."""
    pull([RemoteFile(name)], commit)
    inode = (folder / name).stat().st_ino
    pull([RemoteFile(name)], commit)
    assert (folder / name).stat().st_ino == inode
    (folder / name).write_bytes(FILES[name][:-1] + b"X")
    pull([RemoteFile(name)], commit)
    assert contents(folder) == {name: FILES[name]}


def test_altered(commit: str, pull: Pull, folder: Path) -> None:
    """What is here and wrong comes anew."""
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(bytes(SIZE))
    pull(pinned(WEIGHTS), commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}


def test_link_out(hub: HubServer, pull: Pull, folder: Path, tmp_path: Path) -> None:
    """A link doesn't lead a file out of the folder."""
    commit = hub.add(NAME, {"sub/config.json": b"{}"})
    (tmp_path / "outside").mkdir()
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(ModelError, match=r"sub/config.json would leave .* by a link"):
        pull([RemoteFile("sub/config.json")], commit)
    assert contents(tmp_path / "outside") == {}


def test_failure_stops_all(hub: HubServer, commit: str, pull: Pull) -> None:
    """One file that can't be had ends the waiting for the others, and is the one told of."""
    hub.script(WEIGHTS, Refuse(503, {"Retry-After": "500"}))
    with pytest.raises(ModelError, match=r"none.json isn't at"):
        pull([*pinned(WEIGHTS), RemoteFile("none.json")], commit)


def test_no_room(hub: HubServer, commit: str, pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is too small is told of before anything is asked for."""
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=f"{NAME}: {SIZE} more bytes are needed .* has 1000"):
        pull(pinned(WEIGHTS), commit)
    assert hub.requests == []


def test_disk_fills(
    hub: HubServer, commit: str, pull: Pull, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up meanwhile keeps what came, and the next pull goes on from there."""

    def write(content: io.FileIO, chunk: bytes) -> None:
        if content.tell() + len(chunk) > SIZE // 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content.write(chunk)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", write)
        with pytest.raises(ModelError, match=f"{WEIGHTS} doesn't fit the disk .*make room"):
            pull(pinned(WEIGHTS), commit)
    (partial,) = folder.iterdir()
    have = partial.stat().st_size
    assert 0 < have <= SIZE // 2
    pull(pinned(WEIGHTS), commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert hub.asked(WEIGHTS)[-1].sent == SIZE - have


def test_not_writable(commit: str, pull: Pull, folder: Path) -> None:
    """A file where the folder should be is told of."""
    folder.write_bytes(b"")
    with pytest.raises(ModelError, match=f"{NAME}: .*staging can't be written: File exists"):
        pull(pinned(WEIGHTS), commit)


def test_list(hub: HubServer, commit: str, waits: list[float]) -> None:
    """A branch is resolved to its commit and files; only Git LFS tells digests."""
    hub.script(NAME, Refuse(503, {"Retry-After": "3"}), stage="api")
    listing = list_files(NAME, "main", endpoint=hub.endpoint)
    assert (listing.commit, waits) == (commit, [3])
    config, weights, vocabulary = FILES
    assert listing.files == (
        RemoteFile(config, len(FILES[config])),
        *pinned(weights),
        RemoteFile(vocabulary, len(FILES[vocabulary])),
    )


def test_list_unknown(hub: HubServer, commit: str) -> None:
    """A branch that isn't there is told of."""
    assert commit
    with pytest.raises(ModelError, match="has no such revision"):
        list_files(NAME, "none", endpoint=hub.endpoint)


@pytest.mark.parametrize("pin", [True, False])
@pytest.mark.parametrize("have", [0, 1, 200_000, SIZE - 1])
def test_killed(
    hub: HubServer, commit: str, pull: Pull, folder: Path, have: int, pin: bool
) -> None:
    """A process that is killed midway leaves what the next one goes on from."""
    files = pinned(WEIGHTS) if pin else [RemoteFile(WEIGHTS)]
    pause = Pause(have)
    hub.script(WEIGHTS, pause)
    with process(hub, commit, folder, files) as victim:
        assert pause.reached.wait(WAIT)
        if have:
            await_progress(victim, WEIGHTS, have)
        victim.kill()
    pause.resume.set()
    (partial,) = contents(folder).values()
    assert partial == FILES[WEIGHTS][:have]
    pull(files, commit)
    assert contents(folder) == {WEIGHTS: FILES[WEIGHTS]}
    assert hub.asked(WEIGHTS)[-1].sent == SIZE - have


def test_two_processes(hub: HubServer, commit: str, folder: Path) -> None:
    """Two processes share the work: each file is sent once, and both end well."""
    weights, config = Pause(200_000), Pause(0)
    hub.script(WEIGHTS, weights)
    hub.script("config.json", config)
    with process(hub, commit, folder, pinned(WEIGHTS)) as first:
        assert weights.reached.wait(WAIT)
        with process(hub, commit, folder, pinned(WEIGHTS, "config.json")) as second:
            assert config.reached.wait(WAIT)
            weights.resume.set()
            config.resume.set()
            assert (second.wait(WAIT), first.wait(WAIT)) == (0, 0)
    assert contents(folder) == {name: FILES[name] for name in (WEIGHTS, "config.json")}
    assert hub.sent(WEIGHTS) == SIZE


def test_first_process_killed(hub: HubServer, commit: str, folder: Path) -> None:
    """A process that waits for another goes on where that one was killed."""
    weights, config = Pause(200_000), Pause(0)
    hub.script(WEIGHTS, weights)
    hub.script("config.json", config)
    with process(hub, commit, folder, pinned(WEIGHTS)) as first:
        assert weights.reached.wait(WAIT)
        with process(hub, commit, folder, pinned(WEIGHTS, "config.json")) as second:
            assert config.reached.wait(WAIT)
            first.kill()
            weights.resume.set()
            config.resume.set()
            assert second.wait(WAIT) == 0
    assert contents(folder) == {name: FILES[name] for name in (WEIGHTS, "config.json")}


def test_mirror(hub: HubServer, commit: str, folder: Path) -> None:
    """HF_ENDPOINT names a mirror."""
    with process(hub, commit, folder, pinned(*FILES)) as child:
        assert child.wait(WAIT) == 0
    assert contents(folder) == FILES


def test_proxy(hub: HubServer, commit: str, folder: Path) -> None:
    """HTTP_PROXY is asked for the hub and for the host that keeps the files."""
    variables = {"HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": hub.endpoint}
    with process(hub, commit, folder, pinned(WEIGHTS), **variables) as child:
        assert child.wait(WAIT) == 0
    hosts = [request.host for request in hub.requests]
    assert hosts == ["hub.invalid", f"localhost:{hub.port}"]


def test_offline(hub: HubServer, commit: str, folder: Path) -> None:
    """HF_HUB_OFFLINE forbids every request."""
    files = pinned(WEIGHTS)
    with process(hub, commit, folder, files, HF_HUB_OFFLINE="1") as child:
        _, message = child.communicate(timeout=WAIT)
    assert child.returncode == 1
    assert f"{WEIGHTS} isn't here, and HF_HUB_OFFLINE forbids downloads" in message
    assert (hub.requests, contents(folder)) == ([], {})


def test_serving_knows_no_hub() -> None:
    """What serves requests loads neither this nor the hub's client."""
    program = (
        "import sys, depesche.cli, depesche.server.app;"
        "sys.exit('depesche.models.fetch' in sys.modules or 'depesche.models.hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""The built image's files, run as its user, read-only, with the declared scratch folder alone."""

import asyncio
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from depesche.client import Client
from depesche.types import BriefOptions, Language, Release
from tests.hub.server import HubServer
from tests.image.test_dockerfile import ROOT
from tests.rpc.support import read_metrics

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

_BUILT = ROOT / ".image" / "server"
_FORBIDDEN = {"gcc", "cc", "g++", "ld", "make", "git", "curl", "wget", "nc", "ssh", "pip", "pip3"}
_RUN = ROOT / ".ci" / "image" / "run.sh"
# The ports of the image may be taken on this machine.
_ANY_PORT = [f"DEPESCHE_{name}=127.0.0.1:0" for name in ("LISTEN", "HEALTH_LISTEN", "METRICS")]


@pytest.fixture(scope="module")
def root() -> Path:
    """The image's files."""
    folder = (_BUILT / "root").resolve()
    if not folder.is_dir():
        pytest.skip("`make image` builds it")
    return folder


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """What the image says of how it is run."""
    if not (_BUILT / "config.json").exists():
        pytest.skip("`make image` builds it")
    loaded: dict[str, Any] = json.loads((_BUILT / "config.json").read_text("utf-8"))
    return loaded


@pytest.fixture
def run(root: Path) -> list[str]:
    """The command that runs another one inside, as the image's user."""
    assert root.is_dir()
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare")
    return [str(_RUN), *_ANY_PORT, "--"]


@asynccontextmanager
async def _server(
    command: list[str], **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """Run the server; gives its process and the line that says where it listens."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _status(pid: int) -> tuple[int, str]:
    """Find the server below `run.sh`, the last of a chain of only children, and its status."""
    folder = Path(f"/proc/{pid}")
    while children := (folder / "task" / folder.name / "children").read_text("ascii").split():
        folder = folder.parent / children[-1]
    return int(folder.name), (folder / "status").read_text("ascii")


async def test_a_release_is_briefed(run: list[str]) -> None:
    """As its user, with a read-only root, it starts, briefs, and stops at SIGTERM with 0.

    The kubelet would find it ready on the port for health alone.
    """
    text = (ROOT / "examples" / "release.de.txt").read_text("utf-8")
    async with _server(run) as (process, ready):
        pid, status = _status(process.pid)
        async with grpc.aio.insecure_channel(ready["health"]) as channel:
            readiness = health_pb2.HealthCheckRequest(service="readiness")
            health = await health_pb2_grpc.HealthStub(channel).Check(readiness)
        async with Client(ready["listen"]) as client:
            brief = await client.brief(Release(text), BriefOptions())
        page = await asyncio.to_thread(read_metrics, ready["metrics"])
        os.kill(pid, signal.SIGTERM)
        code = await process.wait()

    assert code == 0
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert brief.headline.text
    assert 'depesche_briefs_total{language="de"} 1.0' in page
    assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert re.search(rf"^{kind}:\s+0+$", status, re.MULTILINE)


async def test_the_command_briefs_inside(run: list[str]) -> None:
    """The image is the command as well."""
    text = (ROOT / "helm" / "depesche" / "files" / "release.de.txt").read_bytes()
    process = await asyncio.create_subprocess_exec(
        *(*run, "depesche", "brief", "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(text)

    assert process.returncode == 0
    assert b"48" in output


async def test_what_the_one_pulls_the_other_serves(run: list[str], tmp_path: Path) -> None:
    """A model comes to a volume by the image that pulls, as an init container; the server reads it.

    It is a small one of noise, from a hub on this machine.
    """
    if not (ROOT / ".image" / "pull" / "config.json").exists():
        pytest.skip("`.ci/image/build.sh pull` builds it")
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text("utf-8"))
    checkpoint = ROOT / "tests" / "checkpoints" / "marian"
    os.chown(tmp_path, 10001, 10001)
    with HubServer() as hub:
        files = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
        hub.add(manifest["models"]["opus-mt-de-en"]["hub"]["repository"], files)
        pull = await asyncio.create_subprocess_exec(
            *(str(_RUN), f"HF_ENDPOINT={hub.endpoint}"),
            *("--", "depesche", "models", "pull", "opus-mt-de-en"),
            env=os.environ | {"TARGET": "pull", "MODELS": str(tmp_path)},
        )
        assert await pull.wait() == 0

    serve = [run[0], "DEPESCHE_ROUTES=de=opus-mt-de-en", *run[1:]]
    release = Release("Die Stadt hat eine neue Brücke.", language=Language.GERMAN)
    async with (
        _server(serve, MODELS=f"{tmp_path}:ro") as (_, ready),
        Client(ready["listen"]) as client,
    ):
        brief = await client.brief(release, BriefOptions())

    assert "translation:opus-mt-de-en@" in str(brief.signature)


_WRITE = """
import os
found = []
for folder, _, _ in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/dev")):
        continue
    try:
        path = os.path.join(folder, "probe")
        open(path, "x").close()
        found.append(folder)
    except OSError:
        pass
print(*found)
"""


def test_only_the_scratch_folder_can_be_written(run: list[str]) -> None:
    """The server's user finds no other folder to leave a file in."""
    command = [*run, "python3", "-c", _WRITE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["/tmp"]  # noqa: S108 - inside the image


def test_nothing_in_it_helps_an_intruder(root: Path) -> None:
    """No compiler, no fetcher, no set-user-id file, nothing that is not root's alone to change."""
    names, special, open_to_all, owned = set(), [], [], []
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if path.lstat().st_uid != 0:
                owned.append(path)
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                continue
            if stat.S_ISREG(mode) and os.access(path, os.X_OK):
                names.add(name)
            if mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(mode):
                special.append(path)
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                open_to_all.append(path)

    assert not names & _FORBIDDEN
    assert special == []
    assert open_to_all == []
    assert owned == []


def test_the_environment_has_no_installer(root: Path) -> None:
    """What is shipped holds the service and what it needs, and neither pip nor build tools."""
    packages = {
        path.name.partition("-")[0].lower()
        for path in (root / "opt" / "depesche").glob("lib/python*/site-packages/*.dist-info")
    }

    assert {"depesche", "ctranslate2", "grpcio", "sentencepiece"} <= packages
    assert not packages & {"pip", "setuptools", "hatchling", "wheel", "cyclonedx_bom", "pytest"}
    assert not list((root / "opt").glob("build"))
    assert not list((root / "root").glob(".cache"))


def test_the_base_has_no_installer(run: list[str]) -> None:
    """Nor can the base's own Python install anything."""
    base = json.loads(
        subprocess.run(
            [*run, "python3", "-c", "import json, sys; print(json.dumps(sys.base_prefix))"],
            capture_output=True,
            check=True,
        ).stdout
    )
    command = [*run, f"{base}/bin/python3", "-m", "pip", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "No module named pip" in done.stderr


def test_a_new_version_is_a_small_layer(root: Path) -> None:
    """What the service itself is made of doesn't lie in one layer with what it needs."""
    history = (_BUILT / "history.json").read_text("utf-8")

    assert (
        history.count(" in /opt/depesche ") == 2
        or history.count("/opt/depesche /opt/depesche") == 2
    )
    assert (root / "opt" / "depesche" / "bin" / "depesche").is_file()


def test_nothing_is_compiled_at_each_start(run: list[str]) -> None:
    """Every module that the server loads comes as bytecode, since it can't be kept later."""
    command = [*run, "python3", "-v", "-c", "import depesche.cli, depesche.server.app"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "matches" in done.stderr
    assert not re.findall(r"^# code object from (?!.*\.pyc).*$", done.stderr, re.MULTILINE)


def test_the_build_leaves_no_secret(root: Path) -> None:
    """Neither the settings of pip nor the authority that it trusted stay, nor words of them."""
    history = (_BUILT / "history.json").read_text("utf-8")

    assert not (root / "run" / "secrets").exists() or not any((root / "run" / "secrets").iterdir())
    assert not list(root.glob("etc/pip.conf"))
    assert not re.search(r"index-url https?://(?!download\.pytorch\.org)", history)
    assert "BEGIN CERTIFICATE" not in history


def test_licences_and_labels_are_there(root: Path, config: dict[str, Any]) -> None:
    """The model's terms travel with it, and the labels say what this is."""
    models = root / "usr" / "share" / "depesche" / "models"

    assert (root / "usr" / "share" / "depesche" / "LICENSE").is_file()
    assert list(models.glob("embedded/*/GEMMA_TERMS.txt"))
    assert list(models.glob("minilm/*/LICENSE"))
    labels = config["Labels"]
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", labels["org.opencontainers.image.revision"])
    assert "Gemma" in labels["org.opencontainers.image.licenses"]


def test_the_bill_of_materials_is_the_environment(root: Path) -> None:
    """Every package that is installed is in it by its version, and so are the models."""
    bill = json.loads((root / "opt" / "depesche" / "sbom.cdx.json").read_text("utf-8"))
    site = root / "opt" / "depesche" / "lib"
    installed = {
        path.name.removesuffix(".dist-info").lower().replace("_", "-")
        for path in site.glob("python*/site-packages/*.dist-info")
    }
    listed = {
        f"{each['name']}-{each['version']}".lower().replace("_", "-")
        for each in (bill["metadata"]["component"], *bill["components"])
        if each["type"] != "machine-learning-model"
    }
    assert bill["bomFormat"] == "CycloneDX"
    assert {name.replace(".", "-") for name in installed} <= {
        name.replace(".", "-") for name in listed
    }
    models = {e["name"] for e in bill["components"] if e["type"] == "machine-learning-model"}
    assert models == {"embedded", "minilm"}

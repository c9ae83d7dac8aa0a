"""`depesche models …`, and briefs by a model that was pulled, against the local hub."""

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from depesche.cli import main
from depesche.models.store import ModelStore
from depesche.progress import transfers
from tests.hub.server import HubServer, Refuse
from tests.models.hubbed import CHECKPOINTS, FILES, MODEL, REPOSITORY, checkpoint, entry

_ROOT = Path(__file__).parents[2]
_GERMAN = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet.\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out the models of the service with the small one beside them."""
    folder = tmp_path / "models"
    manifest = (_ROOT / "models/manifest.toml").read_text("utf-8")
    shutil.copytree(_ROOT / "models/minilm", folder / "minilm")
    (folder / "manifest.toml").write_text(manifest + entry() + _strict("opus-nc"), "utf-8")
    monkeypatch.setenv("DEPESCHE_MODELS_DIR", str(folder))
    return folder


def _strict(name: str) -> str:
    return entry(name=name, licence="CC-BY-NC-4.0", commercial=False)


@pytest.fixture
def run(
    folder: Path,  # noqa: ARG001 - the commands read it
    hub: HubServer,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Give a function that runs a command line against the hub: arguments → (code, out, err)."""
    hub.add(REPOSITORY, FILES)
    # What HF_ENDPOINT sets, when the library is first imported.
    template = f"{hub.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def row(table: str, name: str) -> list[str]:
    """Split a model's line of a table at its columns."""
    lines = [line for line in table.splitlines() if line.startswith(f"{name} ")]
    assert len(lines) == 1
    return lines[0].split()


def test_the_life_of_a_model(run: Run, folder: Path) -> None:
    """Pulled, listed, shown, verified, removed."""
    assert row(run("models", "list")[1], MODEL)[3:6] == ["absent", "-", "-"]
    code, out, err = run("models", "pull", MODEL)
    assert code == 0
    assert out.startswith(f"{MODEL}: here in int8, 0 MB, revision ")
    assert out.endswith("under CC-BY-4.0; DEPESCHE_ROUTES=de=opus has it used\n")
    assert err.splitlines()[0].startswith(f"fetching 5 files of {REPOSITORY}, commit ")
    assert err.splitlines()[1:] == [f"converting '{MODEL}' to int8"]

    revision = ModelStore(folder).verify(MODEL).revision
    listed = row(run("models", "list")[1], MODEL)
    assert listed[3:7] == ["present", revision, "0", "CC-BY-4.0"]
    shown = run("models", "show", MODEL)[1]
    for fact in (
        REPOSITORY,
        "converted to",
        "int8, by ctranslate2",
        "recorded file",
        "no ",
        "main",
    ):
        assert fact in shown
    assert "as the first pull records" in shown
    assert run("models", "verify", MODEL) == (0, f"{MODEL}: 5 files as in the lock\n", "")
    assert run("models", "pull", MODEL)[1] == out
    assert run("models", "remove", MODEL) == (0, f"{MODEL}: removed\n", "")
    assert run("models", "remove", MODEL) == (0, f"{MODEL}: was not here\n", "")
    assert row(run("models", "list")[1], MODEL)[3] == "absent"


def test_a_spoilt_model_is_found(run: Run, folder: Path) -> None:
    """By `verify` of all; what was never pulled isn't missed."""
    run("models", "pull", MODEL)
    (ModelStore(folder).verify(MODEL).path / "source.spm").write_bytes(b"")
    shutil.rmtree(folder / "minilm")
    code, out, err = run("models", "verify")

    assert code == 1
    assert f"model '{MODEL}': source.spm has 0 bytes, the lock says" in out
    assert "opus-nc" not in out
    assert err == f"depesche: not as recorded: embedded, minilm, {MODEL}\n"


def test_licences(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each allows, and what the operator agreed to."""
    code, out, err = run("models", "pull", "opus-nc")
    assert (code, out) == (1, "")
    assert "CC-BY-NC-4.0, forbids commercial use; --accept-licence" in err
    assert row(run("models", "licences")[1], "opus-nc")[1:] == [
        *("CC-BY-NC-4.0", "forbidden", "absent", "no")
    ]
    assert run("models", "pull", "opus-nc", "--accept-licence")[0] == 0
    table = run("models", "licences")[1]
    assert row(table, "opus-nc")[1:] == ["CC-BY-NC-4.0", "forbidden", "present", "yes"]
    assert row(table, "minilm")[1:] == ["Apache-2.0", "allowed", "present", "-"]

    monkeypatch.setenv("DEPESCHE_FORBID_NONCOMMERCIAL", "true")
    code, _, err = run("models", "pull", "opus-nc", "--accept-licence")
    assert code == 1
    assert "forbid_noncommercial is set" in err
    assert ModelStore(folder).find("opus-nc") is not None


def test_a_pulled_model_translates(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its name, revision and licence are in the signature."""
    release = tmp_path / "release.txt"
    release.write_text(_GERMAN, "utf-8")
    monkeypatch.setenv("DEPESCHE_TRANSLATION_MODEL", MODEL)
    code, _, err = run("brief", str(release))
    assert (code, err) == (
        1,
        f"depesche: model '{MODEL}' isn't here; run: depesche models pull {MODEL}\n",
    )
    run("models", "pull", MODEL)
    code, out, err = run("brief", str(release), "--format", "json")

    assert (code, err) == (0, "")
    assert '"name": "opus"' in out
    assert '"licence": "CC-BY-4.0"' in out


@pytest.mark.convert
@pytest.mark.parametrize("name", ["bart", "pegasus"])
def test_a_pulled_summary_model_takes_part(
    run: Run, hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What its random weights write rests on nothing, so the text's own sentences stand in."""
    python = os.environ.get("DEPESCHE_CONVERT_PYTHON")
    if python is None:
        pytest.skip("DEPESCHE_CONVERT_PYTHON names no interpreter with torch and transformers")
    files = checkpoint(name)
    hub.add(f"tiny/{name}", files)
    table = entry(name=name, family=name, repository=f"tiny/{name}", files=files)
    with (folder / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(table.replace("max_source_tokens = 200", "max_source_tokens = 100"))
    code, out, _ = run("models", "pull", name, MODEL)
    assert code == 0
    assert f"DEPESCHE_ABSTRACTIVE_MODEL={name} has it used" in out
    monkeypatch.setenv("DEPESCHE_TRANSLATION_MODEL", MODEL)
    monkeypatch.setenv("DEPESCHE_ABSTRACTIVE_MODEL", name)
    english = (CHECKPOINTS / "english.txt").read_text("utf-8").splitlines()[:8]
    release = folder.parent / "release.txt"
    release.write_text(" ".join(english), "utf-8")
    code, out, err = run("brief", str(release), "--strategy", "abstractive", "--format", "json")

    assert (code, err) == (0, "")
    brief = json.loads(out)["brief"]
    assert len(brief["keySentences"]) == 3
    assert {s["strategy"] for s in brief["keySentences"]} == {"SUMMARY_STRATEGY_EXTRACTIVE"}
    assert [model["name"] for model in brief["signature"]["models"]] == [name, "minilm"]
    assert brief["signature"]["options"]["strategy"] == "abstractive,extractive"
    assert brief["signature"]["options"]["writing"].startswith("greedy,")


def test_a_licence_that_nobody_agreed_to_here(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeps the model from being loaded, however it came."""
    run("models", "pull", "opus-nc", "--accept-licence")
    lock = tmp_path / "models/pulled/lock.json"
    lock.write_text(lock.read_text().replace('"accepted": true', '"accepted": false'))
    release = tmp_path / "release.txt"
    release.write_text(_GERMAN, "utf-8")
    monkeypatch.setenv("DEPESCHE_TRANSLATION_MODEL", "opus-nc")
    code, _, err = run("brief", str(release))

    assert code == 1
    assert "translation_model: the licence of 'opus-nc', CC-BY-NC-4.0, wasn't accepted" in err


def test_import(run: Run, tmp_path: Path) -> None:
    """Files that were brought by hand."""
    brought = tmp_path / "brought"
    brought.mkdir()
    for name, content in FILES.items():
        (brought / name).write_bytes(content)
    code, out, err = run("models", "import", MODEL, str(brought), "--quantisation", "float32")

    assert code == 0
    assert out.startswith(f"{MODEL}: here in float32, 0 MB, revision imported, under CC-BY-4.0; ")
    assert err.startswith(f"importing 5 files from {brought}\n")
    assert "unknown, brought by hand" in run("models", "show", MODEL)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["pull", "huge"], 2, "no model is named 'huge'"),
        (["pull"], 2, "Missing argument 'NAME...'"),
        (["pull", MODEL, "--quantisation", "int4"], 2, "'int4' is not one of"),
        (["pull", MODEL, "--offline"], 1, "offline the hub can't be asked"),
        (["pull", MODEL, "--revision", "other"], 1, "the repository has no such revision"),
        (["import", MODEL, "/no/such"], 1, "/no/such can't be read"),
        (["import", "minilm", "/"], 1, "comes with the service"),
        (["remove", "minilm"], 1, "comes with the service, and stays"),
        (["remove", "huge"], 2, "no model is named 'huge'"),
        (["verify", MODEL], 1, f"not as recorded: {MODEL}"),
    ],
)
def test_errors(run: Run, arguments: list[str], code: int, message: str) -> None:
    """Each is one line, and tells by the exit code whose fault it is."""
    result, _, err = run("models", *arguments)

    assert result == code
    assert message in err
    assert err.splitlines()[-1].startswith("depesche: ")


def test_several_models_are_pulled_or_none(run: Run, hub: HubServer) -> None:
    """A wrong name is found before anything is fetched."""
    assert run("models", "pull", MODEL, "huge")[0] == 2
    assert not hub.requests
    code, out, _ = run("models", "pull", MODEL, "minilm")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == [MODEL, "minilm"]


def test_without_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tells how to add it."""
    monkeypatch.setattr("depesche.model_commands.find_spec", lambda _: None)
    code, _, err = run("models", "pull", MODEL)
    assert code == 1
    assert "pip install 'depesche[pull]'" in err


def test_a_hub_that_is_down(run: Run, hub: HubServer) -> None:
    """Is told in one line, without what it sent."""
    hub.script(REPOSITORY, Refuse(404, body=b"<html>" * 1000), stage="api")
    code, _, err = run("models", "pull", MODEL)
    assert code == 1
    assert len(err) < 500


def whole(controller: int) -> str:
    """Read all that was written to a terminal that is closed; one read gives what it likes."""
    parts: list[bytes] = []
    with suppress(OSError):  # Linux's way to say that there is no more
        while part := os.read(controller, 100_000):
            parts.append(part)
    os.close(controller)
    return b"".join(parts).decode()


def test_a_terminal_shows_a_bar_for_each_file() -> None:
    """And the steps above them."""
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as stream, transfers(stream) as shown:
        shown.note("fetching [2] files")
        shown.progress("model.npz", 500_000, 2_000_000)
        shown.progress("source.spm", 10, 10)
        shown.progress("model.npz", 500_001, 2_000_000)
    written = whole(controller)

    for part in ("fetching [2] files", "model.npz", "source.spm", "0.5/2.0 MB"):
        assert part in written


def test_elsewhere_only_the_steps_are_written() -> None:
    """Each on a line, however long it is."""
    stream = io.StringIO()
    with transfers(stream) as shown:
        shown.note("a " * 200)
        shown.progress("model.npz", 1, 2)
    assert stream.getvalue() == "a " * 200 + "\n"


def test_the_service_never_imports_what_pulls() -> None:
    """Neither the hub's client nor torch; other commands stay quick to start."""
    program = (
        "import sys, depesche.server.app, depesche.model_commands;"
        "print([m for m in ('huggingface_hub', 'httpx2', 'torch', 'transformers')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

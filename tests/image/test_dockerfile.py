"""The Dockerfile and what it copies fit the service and the chart."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from depesche import __version__
from depesche.config import Settings

ROOT = Path(__file__).parents[2]
_TEXT = (ROOT / "Dockerfile").read_text("utf-8")
_LINES = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", _TEXT)).splitlines()
_ENV = dict(
    re.findall(r"(\w+)=(\S+)", next(line for line in _LINES if line.startswith("ENV PATH")))
)


def _server_stage() -> list[str]:
    begin = next(i for i, line in enumerate(_LINES) if line.endswith(" AS server"))
    end = next(i for i, line in enumerate(_LINES) if line.endswith(" AS pull"))
    return _LINES[begin:end]


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile follows the rules of hadolint."""
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = str(beside) if beside.exists() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint isn't installed")
    done = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_the_environment_is_made_of_settings() -> None:
    """Each DEPESCHE_ variable is a setting of the service."""
    names = {name.removeprefix("DEPESCHE_").lower() for name in _ENV if "DEPESCHE" in name}

    assert names == {"models_dir", "pulled_dir", "listen", "health_listen", "metrics"}
    assert names <= set(Settings.model_fields)


def test_the_chart_and_the_image_agree() -> None:
    """User, folder of pulled models and ports are the same in both."""
    chart = ROOT / "helm" / "depesche"
    values = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))
    helpers = (chart / "templates" / "_helpers.tpl").read_text("utf-8")
    user = values["podSecurityContext"]
    ports = {name: int(_ENV[f"DEPESCHE_{key}"].rpartition(":")[2]) for name, key in _PORTS.items()}

    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in _server_stage()
    assert f'"depesche.pulledDir" -}}}}{_ENV["DEPESCHE_PULLED_DIR"]}{{{{' in helpers
    assert values["ports"] == ports


_PORTS = {"grpc": "LISTEN", "health": "HEALTH_LISTEN", "metrics": "METRICS"}


def test_signals_reach_the_server() -> None:
    """The entry point is the server itself, not a shell before it."""
    (entry,) = (line for line in _server_stage() if line.startswith("ENTRYPOINT"))
    (command,) = (line for line in _server_stage() if line.startswith("CMD"))

    assert json.loads(entry.removeprefix("ENTRYPOINT ")) == ["depesche"]
    assert json.loads(command.removeprefix("CMD ")) == ["serve"]
    assert "STOPSIGNAL SIGTERM" in _server_stage()


def test_packages_are_checked_by_their_hashes() -> None:
    """Nothing from the registry is installed without a hash, but what converts models."""
    installs = [line for line in _LINES if re.search(r"pip\S* .*install", line)]
    by_line = [part for line in installs for part in re.findall(r"install (?:(?!&&).)*", line)]

    assert len(by_line) == 4
    for part in by_line:
        assert any(
            safe in part for safe in ("--require-hashes", "--no-index", "requirements/convert.in")
        )


def test_the_base_has_a_version() -> None:
    """A tag that moves isn't a base."""
    assert re.search(r"^ARG BASE=\S+:3\.11\.\d+-slim-bookworm$", _TEXT, re.MULTILINE)
    assert f"ARG VERSION={__version__}" in _TEXT


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    """Tests, history and training stay out; the models of the manifest are in."""
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    for name in kept:
        assert (ROOT / name).exists(), name
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text("utf-8"))
    folders = [spec["path"] for spec in manifest["models"].values() if "path" in spec]
    assert len(folders) == 2
    for folder in folders:
        assert any(f"models/{folder}/".startswith(f"{name}/") for name in kept)
    assert not {name for name in kept if name.startswith(("tests", ".git", "models/training"))}


@pytest.fixture
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "image" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bill_of_materials_has_the_models(sbom: ModuleType) -> None:
    """Those in the image are there by the digests of their files; those to be pulled aren't."""
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text("utf-8"))
    before: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "metadata": {"tools": {}},
        "components": [
            {"bom-ref": "depesche==1", "name": "depesche", "type": "library"},
            {"bom-ref": "grpcio==1", "name": "grpcio"},
        ],
        "dependencies": [
            {"ref": "depesche==1", "dependsOn": ["grpcio==1"]},
            {"ref": "grpcio==1"},
        ],
    }

    bill = sbom.bill(before, manifest)
    components = {each["name"]: each for each in bill["components"]}

    assert bill["metadata"]["component"]["name"] == "depesche"
    assert bill["metadata"]["component"]["type"] == "application"
    assert set(components) == {"grpcio", "embedded", "minilm"}
    references = {each["bom-ref"] for each in components.values()}
    assert set(bill["dependencies"][0]["dependsOn"]) == references
    assert {each["ref"] for each in bill["dependencies"]} == {"depesche==1", *references}
    (weights,) = (
        file for file in components["embedded"]["components"] if file["name"] == "model.bin"
    )
    assert len(weights["hashes"][0]["content"]) == 64
    assert "Gemma" in json.dumps(components["embedded"]["licenses"])

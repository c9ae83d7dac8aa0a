"""Every scenario renders to objects that a cluster would take."""

import functools
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, SCENARIOS, Objects, Refused, Render

pytestmark = pytest.mark.chart

_CRDS = Path(__file__).parent / "crds"
_VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
_scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)


@functools.cache
def _crd(kind: str) -> Any:
    return json.loads((_CRDS / f"{kind.lower()}.json").read_text("utf-8"))


def _validate(each: Mapping[str, Any], version: str) -> None:
    """Check an object by the API's schema of a version, or by ours of a custom kind."""
    jsonschema = pytest.importorskip("jsonschema", reason="`make chart` installs it")
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    if each["apiVersion"].split("/")[0] in {"monitoring.coreos.com", "keda.sh"}:
        jsonschema.validate(each, _crd(each["kind"]))
    else:
        kubernetes_validate.validate(each, version, strict=True)


@_scenarios
def test_lint_finds_nothing(helm: str, scenario: Path) -> None:
    """`helm lint --strict` has no warning."""
    done = subprocess.run(
        [helm, "lint", "--strict", CHART, "-f", scenario],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("version", _VERSIONS)
@_scenarios
def test_objects_fit_the_api(render: Render, scenario: Path, version: str) -> None:
    """Each object has only the fields that its kind has, of their types."""
    if scenario.stem == "image-volume" and version == "1.30":
        with pytest.raises(Refused, match=r"needs Kubernetes 1\.31"):
            render(scenario, "--kube-version", version)
        return

    objects = render(scenario, "--kube-version", version)

    assert len(objects) >= 5
    for each in objects:
        _validate(each, version)


@_scenarios
def test_notes_render(render: Render, scenario: Path) -> None:
    """The notes name an address and how to try it."""
    notes = render(scenario, notes=True)

    assert "rollout status" in notes
    assert ".news.svc:" in notes
    assert "<no value>" not in notes


@_scenarios
def test_names_are_unique_and_in_the_namespace(render: Render, scenario: Path) -> None:
    """No object takes another's place, and each says where it belongs."""
    objects: Objects = render(scenario)
    labelled = [each for each in objects if "labels" in each["metadata"]]

    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    assert {each["metadata"]["namespace"] for each in labelled} == {"news"}


def test_an_older_cluster_is_refused(render: Render) -> None:
    """Below 1.30 there is no sleep before SIGTERM, and the chart says so."""
    with pytest.raises(Refused, match=r"1\.30"):
        render({}, "--kube-version", "1.29.0")


def test_a_wrong_object_is_caught() -> None:
    """The validation above can fail: a field that isn't there, and one of another type."""
    for kind in ("Deployment", "ScaledObject"):
        wrong: dict[str, Any] = {
            "apiVersion": "apps/v1" if kind == "Deployment" else "keda.sh/v1alpha1",
            "kind": kind,
            "metadata": {"name": "x"},
            "spec": {"scaleTargetRef": {"name": "x"}, "triggers": [], "replicaz": 1},
        }
        with pytest.raises(Exception, match=r"replicaz|triggers|valid"):
            _validate(wrong, "1.37")


def test_a_long_release_name_is_cut(helm: str) -> None:
    """Names stay below the 63 characters of a DNS label, suffixes included."""
    done = subprocess.run(
        [helm, "template", "r" * 53, CHART], capture_output=True, text=True, check=True
    )
    for each in yaml.safe_load_all(done.stdout):
        assert len(each["metadata"]["name"]) <= 63


def test_scenarios_differ() -> None:
    """A scenario's name says what it is, and none is another's copy."""
    assert len(SCENARIOS) >= 10
    assert len({path.read_text("utf-8") for path in SCENARIOS}) == len(SCENARIOS)

"""The dashboard and the alerts ask only for what the service exposes."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from depesche.server.catalogue import METRICS, PROCESS_METRICS, Metric

_ROOT = Path(__file__).parents[2]
_FILES = _ROOT / "helm" / "depesche" / "files"
_DASHBOARD: dict[str, Any] = json.loads((_FILES / "dashboard.json").read_text("utf-8"))
_PANELS = [panel for panel in _DASHBOARD["panels"] if panel["type"] != "row"]
_ALERTS = [
    rule
    for group in yaml.safe_load((_FILES / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
_UNIT_TESTS = yaml.safe_load((_FILES / "alerts_test.yaml").read_text("utf-8"))["tests"]
_SHOWN = [target["expr"] for panel in _PANELS for target in panel["targets"]]

# Prometheus itself adds these to all that it reads.
_TARGET_LABELS = {"namespace", "job", "instance"}
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_SELECTOR = re.compile(r"\b([a-z_]\w*+)(?!\s*\()(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_OPERATORS = {"and", "or", "unless", "bool"}

_needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool isn't installed"
)


def _exposed() -> dict[str, Metric]:
    """Give the metrics by the names of their series."""
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    return {
        metric.name + suffix: metric
        for metric in METRICS + PROCESS_METRICS
        for suffix in suffixes.get(metric.kind, ("",))
    }


def _selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the series that an expression asks for, each with its matchers."""
    for name, matchers in _SELECTOR.findall(_RANGE.sub(" ", _GROUPING.sub(" ", expression))):
        if name not in _OPERATORS:
            yield name, dict(_MATCHER.findall(matchers))


def _faults(expression: str) -> Iterator[str]:
    """Name what an expression asks for and the service doesn't expose."""
    exposed = _exposed()
    groupable = set(_TARGET_LABELS)
    for name, matchers in _selectors(expression):
        if name not in exposed:
            yield name
            continue
        labels = {label.name: label.values for label in exposed[name].labels}
        groupable |= labels.keys() | ({"le"} if name.endswith("_bucket") else set())
        for label, value in matchers.items():
            if label not in labels:
                yield from {label} - _TARGET_LABELS
            elif labels[label]:
                yield from set(value.split("|")) - set(labels[label])
    for names in _GROUPING.findall(expression):
        yield from set(re.findall(r"\w+", names)) - groupable


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("expression", "faults"),
    [
        ('sum by (code) (rate(depesche_requests_total{code!="OK"}[5m])) > 1.5', []),
        ("sum by (le, model) (depesche_queue_wait_seconds_bucket)", []),
        ("rate(depesche_requests[1d] offset 1h)", ["depesche_requests"]),
        ("depesche_queue_wait_seconds", ["depesche_queue_wait_seconds"]),
        ('depesche_requests_total{code="NONE"}', ["NONE"]),
        ('depesche_requests_total{code=~"OK|NONE"}', ["NONE"]),
        ('depesche_requests_total{status="OK"}', ["status"]),
        ("sum by (le) (depesche_requests_total)", ["le"]),
        ("depesche_build_info unless on (pod) depesche_model_info", ["pod"]),
    ],
)
def test_faults_are_found(expression: str, faults: list[str]) -> None:
    """The check of expressions knows series, labels and their values."""
    assert list(_faults(expression)) == faults


@pytest.mark.parametrize("expression", _SHOWN)
def test_the_dashboard_asks_for_what_there_is(expression: str) -> None:
    """A metric, label or value that the service doesn't expose would be an empty panel."""
    assert list(_selectors(expression))
    assert not list(_faults(expression))


def test_the_dashboard_shows_every_metric() -> None:
    """What isn't shown isn't looked at."""
    exposed = _exposed()
    shown = {exposed[name].name for expr in _SHOWN for name, _ in _selectors(expr)}

    assert {metric.name for metric in METRICS} <= shown
    assert "process_resident_memory_bytes" in shown


@pytest.mark.parametrize("panel", _PANELS, ids=[panel["title"] for panel in _PANELS])
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    """It has a title, a unit, a description in sentences, and the chosen data source."""
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_the_dashboard_can_be_provisioned() -> None:
    """Its address stays, no data source is built in, and panels neither clash nor overlap."""
    variables = {each["name"]: each for each in _DASHBOARD["templating"]["list"]}
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in _DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    ids = [panel["id"] for panel in _DASHBOARD["panels"]]

    assert _DASHBOARD["uid"] == "depesche"
    assert "id" not in _DASHBOARD
    assert _DASHBOARD["schemaVersion"] >= 42
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert set(re.findall(r"\$(\w+)", "".join(_SHOWN))) - {"__rate_interval"} <= variables.keys()
    assert len(ids) == len(set(ids))
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("alert", _ALERTS, ids=[alert["alert"] for alert in _ALERTS])
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(alert: dict[str, Any]) -> None:
    """A wrong name would never fire; its runbook is a section of the operations manual."""
    manual = (_ROOT / "docs" / "operations.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", manual, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
    file, _, anchor = alert["annotations"]["runbook"].partition("#")

    assert list(_selectors(alert["expr"]))
    assert not list(_faults(alert["expr"]))
    assert alert["labels"]["severity"] in {"warning", "critical"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["description"].endswith(".")
    assert (file, anchor in anchors) == ("docs/operations.md", True)


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    """The unit tests of the rules hold both cases of each."""
    cases = [case for test in _UNIT_TESTS for case in test["alert_rule_test"]]
    names = {alert["alert"] for alert in _ALERTS}

    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


@_needs_promtool
def test_alerts_fire_when_they_should() -> None:
    """Prometheus' own tool runs the rules over made-up series."""
    code, output = _run("promtool", "test", "rules", str(_FILES / "alerts_test.yaml"))

    assert code == 0, output


@_needs_promtool
def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    """Every expression of a panel parses, with its variables filled in."""
    filled = [
        expr.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")
        for expr in _SHOWN
    ]
    rules = [{"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(filled)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    code, output = _run("promtool", "check", "rules", str(file))

    assert code == 0, output

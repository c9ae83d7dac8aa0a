"""What scales the replicas asks for a metric that is there, by labels that it has."""

import re

import pytest
import yaml

from depesche.server.catalogue import METRICS
from tests.chart.rendering import CHART, SCENARIOS, Render, one

pytestmark = pytest.mark.chart

_SCENARIO = {path.stem: path for path in SCENARIOS}
_LABELS = {metric.name: {label.name for label in metric.labels} for metric in METRICS}
# The Prometheus Operator adds these to what it reads through a ServiceMonitor.
_TARGET_LABELS = {"namespace", "service", "pod"}
_SERIES = re.compile(r"(depesche_\w+)\{(.*?)\}")


def _asked(query: str) -> tuple[str, dict[str, str]]:
    """Give the series that a query asks for, and its matchers."""
    (series,) = _SERIES.findall(query)
    name, matchers = series
    return name, dict(re.findall(r'(\w+)="(.*?)"', matchers))


def test_keda_asks_for_the_replicas_of_its_release(render: Render) -> None:
    """The query sums over the headless Service's targets, through which the metrics are read."""
    objects = render(_SCENARIO["keda"])
    prometheus, _ = one(objects, "ScaledObject")["spec"]["triggers"]
    name, matchers = _asked(prometheus["metadata"]["query"])

    assert prometheus["metadata"]["query"].startswith("sum(")
    assert set(matchers) <= _LABELS[name] | _TARGET_LABELS
    assert matchers["service"] == one(objects, "Service", "-headless")["metadata"]["name"]
    assert matchers["namespace"] == "news"
    assert matchers["priority"] == "interactive"


def test_the_adapters_rule_serves_what_the_hpa_asks_for(render: Render) -> None:
    """One name in the HPA, the rule and the service."""
    pods, _ = one(render(_SCENARIO["hpa"]), "HorizontalPodAutoscaler")["spec"]["metrics"]
    text = (CHART / "files" / "prometheus-adapter.yaml").read_text("utf-8")
    (rule,) = yaml.safe_load(text)

    name = rule["seriesQuery"].partition("{")[0]
    assert pods["pods"]["metric"]["name"] == rule["name"]["as"] == name
    assert "priority" in _LABELS[name]
    assert 'priority="interactive"' in rule["metricsQuery"]
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}


def test_both_have_one_target(render: Render) -> None:
    """Whichever scales, the same load means the same number of replicas."""
    value = {"autoscaling": {"targetQueueSeconds": 2.5}}
    hpa = render(value | {"autoscaling": {**value["autoscaling"], "kind": "hpa"}})
    keda = render(
        {
            "autoscaling": {
                **value["autoscaling"],
                "kind": "keda",
                "keda": {"serverAddress": "http://prometheus:9090"},
            }
        }
    )
    (pods, _) = one(hpa, "HorizontalPodAutoscaler")["spec"]["metrics"]
    (trigger, _) = one(keda, "ScaledObject")["spec"]["triggers"]

    assert pods["pods"]["target"] == {"type": "AverageValue", "averageValue": "2.5"}
    assert trigger["metricType"] == "AverageValue"
    assert trigger["metadata"]["threshold"] == "2.5"

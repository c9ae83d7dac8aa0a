"""Every value does something, every setting can be set, and what can't be is refused."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from depesche.config import Settings, load_settings
from tests.chart.rendering import CHART, SCENARIOS, Refused, Render, environment, server_of

pytestmark = pytest.mark.chart

_DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
_SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))

_KEDA = {"autoscaling": {"kind": "keda", "keda": {"serverAddress": "http://p:9090"}}}
_HPA = {"autoscaling": {"kind": "hpa"}}
_CLAIM = {"models": {"volume": {"type": "claim"}}}
_PULL = {
    "models": {
        "volume": {"type": "claim"},
        "pull": ["opus-mt-de-en", "nllb-200-distilled-600m"],
        "pullImage": "pull:1",
    }
}
_TLS = {"tls": {"existingSecret": "tls"}}

_CHANGES: dict[str, tuple[Any, Mapping[str, Any]]] = {
    "nameOverride": ("other", {}),
    "fullnameOverride": ("other", {}),
    "commonLabels": ({"team": "news"}, {}),
    "image.repository": ("elsewhere/depesche", {}),
    "image.tag": ("9", {}),
    "image.digest": (f"sha256:{'0' * 64}", {}),
    "image.pullPolicy": ("Always", {}),
    "imagePullSecrets": ([{"name": "registry"}], {}),
    "replicaCount": (5, {}),
    "revisionHistoryLimit": (2, {}),
    "strategy": ({"rollingUpdate": {"maxSurge": 2}}, {}),
    "resources": ({"limits": {"cpu": "4"}}, {}),
    "settings": ({"maxSentences": 10}, {}),
    "settings.drainSeconds": (60, {}),
    "settings.connectionAgeSeconds": (300, {}),
    "preStopSeconds": (9, {}),
    "scratchSize": ("1Gi", {}),
    "bindAddress": ("[::]", {}),
    "ports.grpc": (6000, {}),
    "ports.health": (6001, {}),
    "ports.metrics": (6002, {}),
    "auth.existingSecret": ("tokens", {}),
    "auth.key": ("callers", {"auth": {"existingSecret": "tokens"}}),
    "auth.tokens": (["newsroom:abc"], {}),
    "tls.existingSecret": ("tls", {}),
    "tls.mutual": (True, _TLS),
    "models.volume.type": ("claim", {}),
    "models.volume.size": ("99Gi", _CLAIM),
    "models.volume.existingClaim": ("mine", _CLAIM),
    "models.volume.storageClassName": ("fast", _CLAIM),
    "models.volume.accessModes": (["ReadOnlyMany"], _CLAIM),
    "models.volume.image": ("b:1", {"models": {"volume": {"type": "image", "image": "a:1"}}}),
    "models.pull": (["opus-mt-ru-en"], _PULL),
    "models.acceptLicence": (["nllb-200-distilled-600m"], _PULL),
    "models.pullImage": ("pull:2", _PULL),
    "models.pullEnv": ([{"name": "HF_ENDPOINT", "value": "http://hub"}], _PULL),
    "models.pullResources": ({"limits": {"memory": "32Gi"}}, _PULL),
    "service.type": ("LoadBalancer", {}),
    "service.port": (443, {}),
    "service.annotations": ({"a": "b"}, {}),
    "headlessService.annotations": ({"a": "b"}, {}),
    "probes.startup": ({"failureThreshold": 300}, {}),
    "probes.readiness": ({"periodSeconds": 1}, {}),
    "probes.liveness": ({"periodSeconds": 1}, {}),
    "autoscaling.kind": ("hpa", {}),
    "autoscaling.minReplicas": (3, _HPA),
    "autoscaling.maxReplicas": (33, _HPA),
    "autoscaling.targetQueueSeconds": (17, _HPA),
    "autoscaling.targetCPUPercent": (55, _HPA),
    "autoscaling.behavior": ({"scaleUp": {"stabilizationWindowSeconds": 15}}, _HPA),
    "autoscaling.hpa.metric": ("another", _HPA),
    "autoscaling.keda.serverAddress": ("http://thanos:9090", _KEDA),
    "autoscaling.keda.query": ("sum(up)", _KEDA),
    "autoscaling.keda.pollingInterval": (5, _KEDA),
    "autoscaling.keda.cooldownPeriod": (900, _KEDA),
    "autoscaling.keda.fallback": ({"replicas": 6}, _KEDA),
    "autoscaling.keda.authenticationRef": ("prometheus", _KEDA),
    "podDisruptionBudget.enabled": (False, {}),
    "podDisruptionBudget.maxUnavailable": ("25%", {}),
    "topologySpread.enabled": (False, {}),
    "topologySpread.whenUnsatisfiable": ("DoNotSchedule", {}),
    "topologySpread.topologyKeys": (["rack"], {}),
    "networkPolicy.enabled": (False, {}),
    "networkPolicy.clients": ([{"podSelector": {}}], {}),
    "networkPolicy.monitoring": ([{"podSelector": {}}], {}),
    "networkPolicy.egress": ([{"ports": [{"port": 4317}]}], {}),
    "serviceMonitor.enabled": (True, {}),
    "serviceMonitor.labels": ({"release": "p"}, {"serviceMonitor": {"enabled": True}}),
    "serviceMonitor.interval": ("30s", {"serviceMonitor": {"enabled": True}}),
    "serviceMonitor.scrapeTimeout": ("5s", {"serviceMonitor": {"enabled": True}}),
    "prometheusRule.enabled": (True, {}),
    "prometheusRule.labels": ({"release": "p"}, {"prometheusRule": {"enabled": True}}),
    "dashboard.enabled": (True, {}),
    "dashboard.labels": ({"grafana_dashboard": "yes"}, {"dashboard": {"enabled": True}}),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("robot", {}),
    "serviceAccount.annotations": ({"a": "b"}, {}),
    "podSecurityContext": ({"runAsUser": 5}, {}),
    "securityContext": ({"readOnlyRootFilesystem": False}, {}),
    "podLabels": ({"a": "b"}, {}),
    "podAnnotations": ({"a": "b"}, {}),
    "nodeSelector": ({"a": "b"}, {}),
    "tolerations": ([{"operator": "Exists"}], {}),
    "affinity": ({"nodeAffinity": {}}, {}),
    "priorityClassName": ("high", {}),
    "runtimeClassName": ("gvisor", {}),
    "extraEnv": ([{"name": "A", "value": "b"}], {}),
    "extraEnvFrom": ([{"configMapRef": {"name": "a"}}], {}),
    "extraVolumes": ([{"name": "a", "emptyDir": {}}], {}),
    "extraVolumeMounts": ([{"name": "a", "mountPath": "/a"}], {}),
    "extraInitContainers": ([{"name": "a", "image": "a"}], {}),
    "extraContainers": ([{"name": "a", "image": "a"}], {}),
    "extraObjects": ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}], {}),
    "test.tokenSecret.name": ("token", {}),
    "test.tokenSecret.key": ("other", {"test": {"tokenSecret": {"name": "token"}}}),
    "test.tlsSecret": ("client", _TLS),
}
"""Another value for each, and the values without which it has no meaning."""


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(copy.deepcopy(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


def _nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    result: dict[str, Any] = value
    return result


@pytest.mark.parametrize("path", _CHANGES)
def test_value_changes_what_is_rendered(render: Render, path: str) -> None:
    """No value is a leftover that does nothing."""
    value, without_which = _CHANGES[path]

    changed = render(_merged(without_which, _nested(path, value)))

    assert changed != render(without_which)


def test_every_documented_value_is_tried(chart_docs: ModuleType) -> None:
    """A new value needs a row above."""
    assert [value.path for value in chart_docs.values()] == list(_CHANGES)


def test_every_value_is_documented(chart_docs: ModuleType) -> None:
    """Each key of values.yaml has a description, or one above it has."""
    documented = {value.path for value in chart_docs.values()}
    for leaf in _leaves(_DEFAULTS):
        keys = leaf.split(".")
        assert any(".".join(keys[:count]) in documented for count in range(1, len(keys) + 1)), leaf


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _strict_maps(
    schema: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    if schema.get("additionalProperties") is False:
        yield above
    for key, part in schema.get("properties", {}).items():
        yield from _strict_maps(part, (*above, key))


@pytest.mark.parametrize("path", list(_strict_maps(_SCHEMA)), ids=".".join)
def test_unknown_key_is_refused(render: Render, path: tuple[str, ...]) -> None:
    """A misspelt key fails at once, at every depth."""
    with pytest.raises(Refused, match=r"mistake"):
        render(_nested(".".join((*path, "mistake")), 1))


def test_schema_and_values_have_the_same_keys() -> None:
    """The schema knows each value, and no other."""
    settings = {f"settings.{key}" for key in _SCHEMA["properties"]["settings"]["properties"]}
    missing = [leaf for leaf in _leaves(_DEFAULTS) if not _known(leaf)]

    assert missing == []
    assert set(_SCHEMA["properties"]) - set(_DEFAULTS) == {"global"}
    assert {f"settings.{key}" for key in _DEFAULTS["settings"]} <= settings


def _known(path: str) -> bool:
    schema: Any = _SCHEMA
    for key in path.split("."):
        if "properties" not in schema:
            return bool(schema.get("type") == "object" or "anyOf" in schema)
        if key not in schema["properties"]:
            return False
        schema = schema["properties"][key]
    return True


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (_nested("replicaCount", "two"), "replicaCount"),
        (_nested("ports.grpc", 70000), "grpc"),
        (_nested("image.digest", "latest"), "digest"),
        (_nested("settings.beamSize", 1), "beamSize"),
        (_nested("settings.logLevel", "loud"), "logLevel"),
        (_nested("settings.routes", {"fr": "x"}), "/settings/routes"),
        (_nested("auth.tokens", ["no colon"]), "tokens"),
        (_nested("autoscaling.kind", "vpa"), "kind"),
        ({"auth": {"existingSecret": "a", "tokens": ["a:b"]}}, "exclude each other"),
        ({"tls": {"mutual": True}}, "needs tls.existingSecret"),
        (_nested("models.pull", ["a"]), "models.volume.type"),
        (
            {"models": {"volume": {"type": "claim"}, "pull": ["a"]}},
            "models.pull needs models.pullImage",
        ),
        (_nested("models.volume.type", "emptyDir"), "stays empty"),
        (_nested("models.acceptLicence", ["a"]), "isn't in models.pull"),
        (_nested("models.volume.type", "image"), "models.volume.image"),
        (_nested("models.volume.image", "a:1"), "models.volume.type"),
        (_nested("autoscaling", {"kind": "hpa", "minReplicas": 20}), "minReplicas"),
        (_nested("autoscaling", {"kind": "hpa", "minReplicas": 0}), "at least 1"),
        (_nested("autoscaling", {"kind": "keda"}), "serverAddress"),
        (_merged(_HPA, {"resources": {"requests": {"cpu": None}}}), "targetCPUPercent"),
        (_merged(_HPA, {"settings": {"drainSeconds": 600}}), "than they drain"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_values_are_refused(render: Render, values: Mapping[str, Any], message: str) -> None:
    """The message names the value."""
    with pytest.raises(Refused, match=message):
        render(values)


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read a container's environment as the service does."""

    def read(container: Mapping[str, Any]) -> Settings:
        for name, value in environment(container).items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return read


_OTHER_SETTINGS: dict[str, Any] = {
    "forbid_noncommercial": True,
    "translation_model": "opus-mt-de-en",
    "routes": {"de": "opus-mt-de-en", "km": "embedded"},
    "summary_model": "other",
    "abstractive_model": "bart",
    "selectable_models": ["embedded", "madlad400-3b"],
    "idle_seconds": 0.5,
    "max_message_bytes": 16_777_216,
    "batch_seconds": 0.25,
    "beam_size": 8,
    "decode_again": False,
    "drain_seconds": 45.5,
    "log_level": "error",
    "traces": "https://collector:4317",
}
"""Settings other than by default; the rest are whole numbers."""


def test_every_setting_can_be_set(render: Render, settings_of: Any, chart_docs: ModuleType) -> None:
    """What the values say is what the service reads, for each of its settings."""
    fields = [name for name in Settings.model_fields if name not in chart_docs.CHART_OWNED]
    wanted = {name: _OTHER_SETTINGS.get(name, 1_234_567) for name in fields}
    values = {chart_docs.camel_case(name): value for name, value in wanted.items()}

    read = settings_of(server_of(render({"settings": values})))

    for name, value in wanted.items():
        got = getattr(read, name)
        assert (list(got) if isinstance(value, list) else got) == value, name


def test_what_the_chart_sets_itself_is_a_setting(render: Render, chart_docs: ModuleType) -> None:
    """Some scenario sets each setting that the values can't, but for those of other places."""
    variables = {name for path in SCENARIOS for name in environment(server_of(render(path)))}
    ours = {name.removeprefix("DEPESCHE_").lower() for name in variables if "DEPESCHE" in name}

    assert ours <= set(Settings.model_fields)
    unset = chart_docs.CHART_OWNED - ours
    # The image sets the first; conversion isn't the server's; a Secret's file serves for one token.
    assert unset == {"models_dir", "convert_python", "token"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_service_takes_the_environment(render: Render, settings_of: Any, scenario: Path) -> None:
    """Every scenario's settings are valid together."""
    settings = settings_of(server_of(render(scenario)))

    assert settings.health_listen is not None

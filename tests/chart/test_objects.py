"""The objects fit one another, and what an operator relies on holds in every scenario."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from depesche import __version__
from depesche.config import Settings
from tests.chart.rendering import CHART, SCENARIOS, Objects, Render, environment, one, server_of

pytestmark = pytest.mark.chart

_SCENARIO = {path.stem: path for path in SCENARIOS}
_scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)


def _pod(objects: Objects) -> dict[str, Any]:
    template: dict[str, Any] = one(objects, "Deployment")["spec"]["template"]
    return template


def _own_containers(objects: Objects) -> list[dict[str, Any]]:
    """Give the containers that the chart itself writes."""
    spec = _pod(objects)["spec"]
    inits = [each for each in spec.get("initContainers", []) if each["name"].startswith("pull-")]
    return [server_of(objects), *inits, *one(objects, "Pod", "-test")["spec"]["containers"]]


@_scenarios
def test_selectors_find_the_pods_and_nothing_else(render: Render, scenario: Path) -> None:
    """Everything that selects pods finds the replicas, and not the pod of `helm test`."""
    objects = render(scenario)
    labels = _pod(objects)["metadata"]["labels"].items()
    test_labels = one(objects, "Pod", "-test")["metadata"]["labels"].items()
    selectors = [one(objects, "Deployment")["spec"]["selector"]["matchLabels"]]
    selectors += [each["spec"]["selector"] for each in objects if each["kind"] == "Service"]
    for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        selectors += [e["spec"][field]["matchLabels"] for e in objects if e["kind"] == kind]
    for spread in _pod(objects)["spec"].get("topologySpreadConstraints", []):
        selectors.append(spread["labelSelector"]["matchLabels"])

    for selector in selectors:
        assert selector.items() <= labels
        assert not selector.items() <= test_labels


@_scenarios
def test_ports_are_those_that_the_server_listens_on(render: Render, scenario: Path) -> None:
    """Services and probes name the ports of the server's settings."""
    objects = render(scenario)
    server = server_of(objects)
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    read = environment(server)

    for name, setting in (("grpc", "LISTEN"), ("health", "HEALTH_LISTEN"), ("metrics", "METRICS")):
        assert read[f"DEPESCHE_{setting}"].endswith(f":{ports[name]}")
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert server[kind]["grpc"]["port"] == ports["health"]
    for service in (each for each in objects if each["kind"] == "Service"):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(ports)


@_scenarios
def test_no_privilege_beyond_need(render: Render, scenario: Path) -> None:
    """No root, no writable root, no capability, no token; CPU and memory are asked for."""
    objects = render(scenario)
    for spec in (_pod(objects)["spec"], one(objects, "Pod", "-test")["spec"]):
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
        for volume in spec["volumes"]:
            assert "hostPath" not in volume
    for container in _own_containers(objects):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@_scenarios
def test_only_the_scratch_folder_is_writable(render: Render, scenario: Path) -> None:
    """The server can write to /tmp alone; only the init container writes models."""
    objects = render(scenario)
    mounts = server_of(objects)["volumeMounts"]
    names = {volume["name"] for volume in _pod(objects)["spec"]["volumes"]}

    writable = {mount["mountPath"] for mount in mounts if not mount.get("readOnly")}
    assert writable - {"/more"} == {"/tmp"}  # noqa: S108 - a path in the container
    assert {mount["name"] for mount in mounts} <= names


@_scenarios
def test_a_replica_has_time_to_drain(render: Render, scenario: Path) -> None:
    """SIGTERM comes after the sleep, and SIGKILL not before the drain is over."""
    objects = render(scenario)
    spec, server = _pod(objects)["spec"], server_of(objects)
    sleep = server.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    drain = float(environment(server)["DEPESCHE_DRAIN_SECONDS"])

    assert spec["terminationGracePeriodSeconds"] >= sleep + drain + 10


def test_grace_follows_the_drain(render: Render) -> None:
    """A longer drain lengthens the grace, and part seconds count as whole ones."""
    objects = render({"settings": {"drainSeconds": 120.5}, "preStopSeconds": 7})

    assert _pod(objects)["spec"]["terminationGracePeriodSeconds"] == 7 + 121 + 10


def test_a_rollout_takes_no_capacity(render: Render) -> None:
    """A replica goes only when another has come; nodes are drained one replica at a time."""
    objects = render({})

    rolling = one(objects, "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}
    assert one(objects, "Deployment")["spec"]["replicas"] == 2
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize(
    ("scenario", "kind"), [("hpa", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")]
)
def test_whoever_scales_owns_the_replicas(render: Render, scenario: str, kind: str) -> None:
    """With autoscaling the Deployment names no number, or each upgrade would reset it."""
    objects = render(_SCENARIO[scenario])

    assert "replicas" not in one(objects, "Deployment")["spec"]
    assert one(objects, kind)["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": one(objects, "Deployment")["metadata"]["name"],
    }


def test_cpu_is_that_of_the_server_alone(render: Render) -> None:
    """Sidecars don't count in the second metric."""
    hpa = one(render(_SCENARIO["hpa"]), "HorizontalPodAutoscaler")["spec"]["metrics"]
    keda = one(render(_SCENARIO["keda"]), "ScaledObject")["spec"]["triggers"]

    assert hpa[1]["containerResource"]["container"] == "server"
    assert keda[1]["metadata"]["containerName"] == "server"


def test_a_prometheus_that_knows_nothing_is_no_quiet_night(render: Render) -> None:
    """KEDA then goes to its fallback, not down."""
    spec = one(render(_SCENARIO["keda"]), "ScaledObject")["spec"]

    assert spec["triggers"][0]["metadata"]["ignoreNullValues"] == "false"
    assert spec["fallback"]["replicas"] >= 2


def test_workers_follow_the_request_without_a_limit(render: Render) -> None:
    """Else a replica would start a worker for each CPU of its node."""
    by_limit = {each["name"] for each in server_of(render({}))["env"]}
    (workers,) = (
        each
        for each in server_of(render(_SCENARIO["openshift"]))["env"]
        if each["name"] == "DEPESCHE_WORKERS"
    )

    assert "DEPESCHE_WORKERS" not in by_limit
    assert workers["valueFrom"]["resourceFieldRef"]["resource"] == "requests.cpu"


def test_requests_equal_limits_by_default(render: Render) -> None:
    """The kubelet then gives the pod the class Guaranteed."""
    resources = server_of(render({}))["resources"]

    assert resources["requests"] == resources["limits"]


def test_only_clients_and_monitoring_get_in(render: Render) -> None:
    """The policy has one rule for each, and none for the way out."""
    spec = one(render({}), "NetworkPolicy")["spec"]
    calls, metrics = spec["ingress"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == []
    assert {"podSelector": {"matchLabels": {"depesche-client": "true"}}} in calls["from"]
    assert [port["port"] for port in calls["ports"]] == [50051]
    assert [port["port"] for port in metrics["ports"]] == [9464]
    for rule in spec["ingress"]:
        assert all(rule["from"])


def test_no_clients_means_nobody(render: Render) -> None:
    """An empty list of peers doesn't open the port to all, as an empty `from` would."""
    values = {"networkPolicy": {"clients": [], "monitoring": []}}
    (rule,) = one(render(values), "NetworkPolicy")["spec"]["ingress"]

    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"


def test_metrics_are_read_once(render: Render) -> None:
    """The monitor selects the headless Service alone, and the namespace of the release."""
    objects = render(_SCENARIO["monitoring"])
    spec = one(objects, "ServiceMonitor")["spec"]
    wanted = spec["selector"]["matchLabels"].items()
    services = [each for each in objects if each["kind"] == "Service"]

    (found,) = (each for each in services if wanted <= each["metadata"]["labels"].items())
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] in {port["name"] for port in found["spec"]["ports"]}
    assert spec["namespaceSelector"] == {"matchNames": ["news"]}


def test_alerts_and_dashboard_arrive_whole(render: Render) -> None:
    """What Prometheus and Grafana get is what the files say, templates of theirs included."""
    objects = render(_SCENARIO["monitoring"])
    alerts = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text("utf-8"))
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text("utf-8"))

    assert one(objects, "PrometheusRule")["spec"] == alerts
    assert json.loads(one(objects, "ConfigMap", "-dashboard")["data"]["depesche.json"]) == dashboard


def test_pulled_models_come_before_the_server(render: Render) -> None:
    """Each model has a container with its consent, into the volume that the server reads."""
    objects = render(_SCENARIO["pulled"])
    first, second = _pod(objects)["spec"]["initContainers"]
    folder = environment(server_of(objects))["DEPESCHE_PULLED_DIR"]
    by_name = {mount["name"]: mount for mount in server_of(objects)["volumeMounts"]}

    assert first["args"] == ["models", "pull", "opus-mt-de-en"]
    assert second["args"] == ["models", "pull", "nllb-200-distilled-600m", "--accept-licence"]
    assert by_name["models"]["mountPath"] == folder == environment(first)["DEPESCHE_PULLED_DIR"]
    assert by_name["models"]["readOnly"] is True
    claim = one(objects, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_secrets_stay_out_of_the_pod_template(render: Render) -> None:
    """Tokens are in the Secret only."""
    objects = render(_SCENARIO["tokens"])
    others = [each for each in objects if each["kind"] != "Secret"]

    assert "5f0c0d7c0f3f4f5e" not in json.dumps(others)
    lines = one(objects, "Secret", "-tokens")["stringData"]["tokens"].splitlines()
    assert lines == ["newsroom:5f0c0d7c0f3f4f5e", "archive:9b1de2a4c7d84a11:120"]


def test_the_servers_key_is_no_business_of_the_test(render: Render) -> None:
    """Of the server's Secret the test pod sees the authority only."""
    spec = one(render(_SCENARIO["mutual-tls"]), "Pod", "-test")["spec"]
    (volume,) = (each for each in spec["volumes"] if each["name"] == "tls")

    assert [item["key"] for item in volume["secret"]["items"]] == ["ca.crt"]


def test_chart_is_of_this_version() -> None:
    """The chart names the image of the code beside it."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))

    assert chart["appVersion"] == __version__


def test_defaults_written_out() -> None:
    """The drain is repeated for the templates' sake; connections age faster where replicas come."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["settings"]
    fields = Settings.model_fields

    assert set(values) == {"drainSeconds", "connectionAgeSeconds"}
    assert values["drainSeconds"] == fields["drain_seconds"].default
    assert values["connectionAgeSeconds"] < fields["connection_age_seconds"].default

"""What the chart sets and asks works with the service itself."""

import asyncio
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from bench.server_process import server_process
from grpc_health.v1 import health_pb2, health_pb2_grpc

from depesche.config import Settings
from tests.certificates import make_certificate
from tests.chart.rendering import SCENARIOS, Objects, Render, environment, one, server_of
from tests.rpc.support import read_metrics

pytestmark = [pytest.mark.chart, pytest.mark.timeout(300)]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_SCENARIO = {path.stem: path for path in SCENARIOS}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _here(text: str, paths: Mapping[str, Path]) -> str:
    """Put folders of this machine in the place of a container's mounts."""
    for mount, folder in paths.items():
        if f"{mount}/" in text and text.partition(f"{mount}/")[0] in {"", *_OPTIONS}:
            return text.replace(f"{mount}/", f"{folder}/")
    return text


_OPTIONS = ("--root-certificate=", "--client-certificate=", "--client-key=")


def _secrets(folder: Path) -> dict[str, Path]:
    """Write what the Secrets of the scenario `mutual-tls` hold; gives it by its mounts."""
    server, server_key = make_certificate(folder, "server")
    client, client_key = make_certificate(folder, "client")
    files = {
        "tls/tls.crt": server.read_text(),
        "tls/tls.key": server_key.read_text(),
        "tls/ca.crt": server.read_text() + client.read_text(),
        "client/tls.crt": client.read_text(),
        "client/tls.key": client_key.read_text(),
        "tokens/callers": "tester:secret\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return {
        "/etc/depesche/tls": folder / "tls",
        "/etc/depesche/tokens": folder / "tokens",
        "/client": folder / "client",
        "/tls": folder / "tls",
    }


async def _probe(probe: Mapping[str, Any]) -> int:
    """Ask as the kubelet does: in plaintext, by the probe's service."""
    target = f"127.0.0.1:{probe['grpc']['port']}"
    async with grpc.aio.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=probe["grpc"]["service"])
        reply = await stub.Check(request, timeout=probe["timeoutSeconds"])
    status: int = reply.status
    return status


async def _helm_test(objects: Objects, paths: Mapping[str, Path], port: int) -> tuple[int, str]:
    """Run the test pod's command against a port of this machine."""
    (container,) = one(objects, "Pod", "-test")["spec"]["containers"]
    service = one(objects, "Service", "-depesche")
    address = f"{service['metadata']['name']}.news.svc:{service['spec']['ports'][0]['port']}"
    arguments = [
        _here(each.replace(address, f"localhost:{port}"), paths) for each in container["args"]
    ]
    assert f"--server=localhost:{port}" in arguments
    variables = {v["name"]: "secret" for v in container.get("env", [])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "depesche", *arguments),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.mark.parametrize("scenario", ["default", "mutual-tls"])
async def test_a_replica_becomes_ready_and_briefs(
    render: Render, tmp_path: Path, scenario: str
) -> None:
    """By its environment the server starts, all probes pass, and `helm test` gets a brief."""
    grpc_port, health, metrics = _free_ports(3)
    values = {"grpc": grpc_port, "health": health, "metrics": metrics}
    sets = [f"--set=ports.{name}={port}" for name, port in values.items()]
    sets.append("--set=bindAddress=127.0.0.1")
    objects = render(_SCENARIO[scenario], *sets)
    paths = _secrets(tmp_path) if scenario == "mutual-tls" else {}
    (tmp_path / "release").mkdir()
    release = one(objects, "ConfigMap", "-test")["data"]["release.txt"]
    (tmp_path / "release" / "release.txt").write_text(release, "utf-8")
    paths["/release"] = tmp_path / "release"
    container = server_of(objects)
    variables = {
        name.removeprefix("DEPESCHE_").lower(): _here(value, paths)
        for name, value in environment(container).items()
    }

    async with server_process(("-m", "depesche", *container["args"]), **variables) as server:
        assert server.listen == f"127.0.0.1:{grpc_port}"
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert await _probe(container[kind]) == _SERVING
        assert "depesche_build_info" in await asyncio.to_thread(read_metrics, server.metrics)
        code, output = await _helm_test(objects, paths, grpc_port)

    assert code == 0, output
    assert "48" in output


async def test_helm_test_fails_without_its_token(render: Render, tmp_path: Path) -> None:
    """The test shows a wrong token as a failure."""
    (grpc_port,) = _free_ports(1)
    objects = render({})
    (tmp_path / "release.txt").write_text("Guten Tag.", "utf-8")
    fields = {"listen": f"127.0.0.1:{grpc_port}", "metrics": "127.0.0.1:0", "token": "other"}
    assert set(fields) <= set(Settings.model_fields)

    async with server_process(("-m", "depesche", "serve"), **fields):
        code, output = await _helm_test(objects, {"/release": tmp_path}, grpc_port)

    assert code != 0
    assert "token" in output

"""Envoy, with the configuration that is shipped as an example."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml

from tests.fleet.replicas import Replica

__all__ = ["EXAMPLE", "Envoy", "binary", "envoy", "launched"]

_CONNECTIONS = {
    "name": "envoy.filters.network.tcp_proxy",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "connections",
        "cluster": "replicas",
    },
}

EXAMPLE = Path(__file__).parents[2] / "examples" / "envoy.yaml"


class Envoy:
    """A running Envoy.

    Attributes:
        address: where clients connect.
    """

    def __init__(self, admin: str, address: str) -> None:
        self.address = address
        self._admin = admin

    async def count(self, name: str) -> int:
        """Read a counter or gauge of the cluster of replicas."""
        page = await _get(self._admin, f"stats?filter=^cluster.replicas.{name}$")
        return int(page.rpartition(":")[2])

    async def healthy(self) -> set[str]:
        """Give the hosts that get calls."""
        clusters = json.loads(await _get(self._admin, "clusters?format=json"))
        hosts = clusters["cluster_statuses"][0].get("host_statuses", ())
        return {
            host["address"]["socket_address"]["address"]
            for host in hosts
            if not set(host["health_status"]) - {"eds_health_status"}
        }

    async def until_healthy(self, replicas: Sequence[Replica]) -> None:
        """Wait until exactly these get calls."""
        hosts = {replica.host for replica in replicas}
        while await self.healthy() != hosts:  # noqa: ASYNC110 - tells who asks
            await asyncio.sleep(0.02)


@asynccontextmanager
async def envoy(
    folder: Path, replicas: Sequence[Replica], dns_port: int, *, balances_calls: bool = True
) -> AsyncIterator[Envoy]:
    """Run Envoy before replicas that a name server knows.

    Args:
        folder: for its files.
        replicas: any of them, for their ports.
        dns_port: the name server's.
        balances_calls: whether it is the example; otherwise connections are balanced, as a Service
            of Kubernetes does it, and nobody looks into them.
    """
    config = _config(replicas[0], dns_port, balances_calls=balances_calls)
    async with launched(folder, config) as (admin, address):
        yield Envoy(admin, address)


@asynccontextmanager
async def launched(folder: Path, config: Any) -> AsyncIterator[tuple[str, str]]:
    """Run Envoy; gives the address of its administration, and of its only listener.

    Args:
        folder: for its files.
        config: the configuration, with the addresses of the test in it.
    """
    written, admin = folder / "envoy.yaml", folder / "admin"
    written.write_text(yaml.safe_dump(config), "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(binary(), "-c", written, "--admin-address-path", admin),
        *("--concurrency", "1", "--base-id", "0", "--use-dynamic-base-id", "-l", "error"),
    )
    try:
        while not (admin.exists() and (address := admin.read_text("ascii"))):
            assert process.returncode is None
            await asyncio.sleep(0.02)
        while not (listening := await _listeners(address)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        yield address, listening
    finally:
        process.kill()
        await process.wait()


def binary() -> str:
    """Find Envoy."""
    beside = Path(sys.executable).with_name("envoy")
    return str(beside) if beside.exists() else shutil.which("envoy") or ""


def _config(replica: Replica, dns_port: int, *, balances_calls: bool) -> Any:
    """Put the addresses of the test in the example's places."""
    config = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    loopback = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
    config["admin"] = loopback
    resources = config["static_resources"]
    resources["listeners"][0] |= loopback
    cluster = resources["clusters"][0]
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"]["port_value"] = replica.ports[0]
    endpoint["health_check_config"]["port_value"] = replica.ports[1]
    cluster["cluster_type"]["typed_config"]["typed_dns_resolver_config"] = {
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": "type.googleapis.com/"
            "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
            "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": dns_port}}],
            "dns_resolver_options": {"no_default_search_domain": True},
        },
    }
    if not balances_calls:
        resources["listeners"][0]["filter_chains"] = [{"filters": [_CONNECTIONS]}]
        cluster["lb_policy"] = "ROUND_ROBIN"
        del cluster["outlier_detection"]
    return config


async def _listeners(admin: str) -> str:
    """Give the address of the only listener, once there is one."""
    statuses = json.loads(await _get(admin, "listeners?format=json")).get("listener_statuses")
    if not statuses:
        return ""
    bound = statuses[0]["local_address"]["socket_address"]
    return f"{bound['address']}:{bound['port_value']}"


async def _get(admin: str, path: str) -> str:
    def get() -> str:
        with urlopen(f"http://{admin}/{path}", timeout=10) as page:
            return str(page.read().decode())

    return await asyncio.to_thread(get)

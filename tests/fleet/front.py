"""The two ways to a fleet: through Envoy, and by a client that balances its calls itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from depesche.client import Client
from tests.fleet.names import NAME, Names, names
from tests.fleet.proxy import Envoy, envoy
from tests.fleet.replicas import Replica

__all__ = ["WAYS", "Front", "front"]

WAYS = ("envoy", "client")
"""Through Envoy by a client of one connection; or by a client that balances calls itself."""


@dataclass
class Front:
    """What stands before a fleet.

    Attributes:
        client: its caller.
        names: the name server; what it says is what there is.
        envoy: the proxy, or None.
    """

    client: Client
    names: Names
    envoy: Envoy | None = None


@asynccontextmanager
async def front(
    way: str,
    folder: Path,
    replicas: Sequence[Replica],
    *,
    seconds: float = 60.0,
    comes_again: bool = False,
) -> AsyncIterator[Front]:
    """Stand before replicas that are ready.

    Args:
        way: one of `WAYS`.
        folder: for Envoy's files.
        replicas: what the name stands for at first.
        seconds: how long a call may take.
        comes_again: whether the client behind Envoy makes refused calls again; otherwise Envoy's
            own retries must do.
    """
    with names(replicas) as known:
        if way == "client":
            target = f"dns://127.0.0.1:{known.port}/{NAME}:{replicas[0].ports[0]}"
            async with Client(target, timeout=seconds) as client:
                yield Front(client, known)
            return
        async with (
            envoy(folder, replicas, known.port) as proxy,
            Client(proxy.address, timeout=seconds, retries=comes_again) as client,
        ):
            async with asyncio.timeout(20):
                await proxy.until_healthy(replicas)
            yield Front(client, known, proxy)

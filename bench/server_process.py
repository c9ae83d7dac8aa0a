"""A server in a process of its own, for the benchmarks."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ServerProcess", "server_process"]

_MIB = 2**20
_SERVE = ("-m", "depesche", "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server.

    Attributes:
        pid: its process.
        listen: address of its gRPC server.
        metrics: address of its metrics.
        health: address of its health without TLS; "" for nowhere.
    """

    pid: int
    listen: str
    metrics: str
    health: str = ""

    def resident(self) -> float:
        """Return its resident memory in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / _MIB


@asynccontextmanager
async def server_process(
    program: Sequence[str] = _SERVE, **settings: str
) -> AsyncIterator[ServerProcess]:
    """Run a server, ready, for as long as the context lasts.

    Args:
        program: what Python runs; it must print its addresses as the service does.
        settings: settings by name, which win over the environment.
    """
    variables = {f"DEPESCHE_{name.upper()}": value for name, value in settings.items()}
    # The log goes nowhere after its first line: a pipe that nobody reads would stop the server.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **variables},
    )
    log = process.stdout or asyncio.StreamReader()
    drain = None
    try:
        ready = json.loads(await log.readline())
        drain = asyncio.create_task(_discard(log))
        yield ServerProcess(process.pid, ready["listen"], ready["metrics"], ready.get("health", ""))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if drain is not None:
            await drain


async def _discard(log: asyncio.StreamReader) -> None:
    while await log.read(2**16):
        pass

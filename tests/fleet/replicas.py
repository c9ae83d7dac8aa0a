"""Replicas: servers in processes of their own, to be stopped, killed, frozen, started again."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.rpc.support import read_metrics, sample

__all__ = ["SERVE", "Replica", "fleet", "slow", "until_true"]

SERVE = ("-m", "depesche", "serve")
"""The service itself, with the embedded models."""
_BRIEFS = 'depesche_briefs_total{language="de"}'


def slow(seconds: float) -> tuple[str, ...]:
    """Give the service with a fake model, whose batches take so many seconds."""
    return ("-m", "tests.rpc.slow_server", str(seconds))


class Replica:
    """One server at an address that it keeps from process to process.

    Attributes:
        address: where it listens.
        host: the address without the port.
        log: the lines of its log so far.
    """

    def __init__(
        self, number: int, ports: tuple[int, int, int], program: Sequence[str], **settings: str
    ) -> None:
        self.host = f"127.0.1.{number}"
        self.address = f"{self.host}:{ports[0]}"
        self.log: list[dict[str, Any]] = []
        self.ports = ports
        self._metrics = f"{self.host}:{ports[2]}"
        self._program = program
        addresses = {
            "listen": self.address,
            "health_listen": f"{self.host}:{ports[1]}",
            "metrics": self._metrics,
        }
        chosen = {"workers": "1", "decode_again": "false", **settings, **addresses}
        self._variables = {f"DEPESCHE_{name.upper()}": value for name, value in chosen.items()}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start a process, and wait until it is ready."""
        self._ready.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._program,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **self._variables},
        )
        self._reading = asyncio.create_task(self._read(self._process))
        await self._ready.wait()

    async def stop(self) -> int:
        """Send SIGTERM; gives the exit status of the process."""
        self._signal(signal.SIGTERM)
        return await self._ended()

    async def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)
        await self._ended()

    def freeze(self) -> None:
        """Send SIGSTOP: connections stay, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._signal(signal.SIGCONT)

    async def restart(self) -> int:
        """Stop the process, and start another; gives the exit status of the first."""
        status = await self.stop()
        await self.start()
        return status

    async def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            self.thaw()
            await self.kill()

    def ended(self, method: str, code: str = "OK") -> int:
        """Tell how many calls of a method of `BriefService` have ended so, by its log."""
        name = f"depesche.v1.BriefService/{method}"
        calls = (line for line in self.log if line["event"] == "call")
        return sum(line["method"] == name and line["code"] == code for line in calls)

    async def in_flight(self) -> int:
        """Tell how many calls are under way."""
        return int(sample(await self._page(), "depesche_requests_in_flight"))

    async def briefed(self) -> int:
        """Tell how many German briefs its process has made."""
        page = await self._page()
        return int(sample(page, _BRIEFS)) if _BRIEFS in page else 0

    async def _page(self) -> str:
        return await asyncio.to_thread(read_metrics, self._metrics)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == "ready":
                self._ready.set()

    async def _ended(self) -> int:
        assert self._process is not None
        assert self._reading is not None
        await self._reading
        return await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@asynccontextmanager
async def fleet(
    *programs: Sequence[str], started: int | None = None, **settings: str
) -> AsyncIterator[list[Replica]]:
    """Run replicas, ready; all listen at the same ports of different addresses.

    Args:
        programs: what Python runs as each of them.
        started: how many of them run from the start; all by default.
        settings: settings of all.
    """
    ports = _ports()
    replicas = [Replica(n, ports, program, **settings) for n, program in enumerate(programs, 1)]
    try:
        await asyncio.gather(*(replica.start() for replica in replicas[:started]))
        yield replicas
    finally:
        await asyncio.gather(*(replica.close() for replica in replicas))


def _ports() -> tuple[int, int, int]:
    """Find ports that no client can take meanwhile: those connect from 127.0.0.1."""
    sockets = [socket.create_server(("127.0.1.1", 0)) for _ in range(3)]
    health, metrics, grpc = (each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    return grpc, health, metrics


async def until_true(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> float:
    """Ask until an async condition holds; gives the seconds that it took."""
    started = time.monotonic()
    while not await condition():
        if time.monotonic() - started > seconds:
            raise TimeoutError
        await asyncio.sleep(0.02)
    return time.monotonic() - started

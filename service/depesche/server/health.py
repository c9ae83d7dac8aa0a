"""The standard health protocol (grpc.health.v1): is the process alive, can it take work?

`liveness` is SERVING from start to stop, whatever the load: to kill a busy process helps nobody.
All other names are SERVING only when the models are loaded and warm, and until the drain begins.
"""
# ruff: noqa: N802 - the protocol names its RPCs

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

__all__ = ["LIVENESS", "READINESS", "Health"]

LIVENESS = "liveness"
READINESS = "readiness"

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

_Context = grpc.aio.ServicerContext[Any, Any]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated without types
    """Answers health checks.

    Unlike the servicer of grpcio-health-checking, it ends its watches, on `close`: an open watch
    would hold the server up until the drain's time is over. It doesn't before, since gRPC's clients
    begin a watch that ends again at once, over and over.
    """

    def __init__(self, services: Iterable[str]) -> None:
        """Start not ready.

        Args:
            services: full names of the services that depend on the models.
        """
        self._statuses = dict.fromkeys(["", READINESS, *services], _NOT_SERVING)
        self._statuses[LIVENESS] = _SERVING
        self._changed = asyncio.Condition()
        self._draining = False
        self._closed = False

    async def ready(self) -> None:
        """Say that the models are loaded and warm; after `drain`, do nothing."""
        await self._set(_NOT_SERVING if self._draining else _SERVING)

    async def drain(self) -> None:
        """Say that no new work is taken."""
        self._draining = True
        await self._set(_NOT_SERVING)

    async def close(self) -> None:
        """End all watches, those that will begin too once they are told."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> health_pb2.HealthCheckResponse:
        """Tell the status of one name."""
        status = self._statuses.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no service has that name")
        return health_pb2.HealthCheckResponse(status=status)

    async def List(
        self, request: health_pb2.HealthListRequest, context: _Context
    ) -> health_pb2.HealthListResponse:
        """Tell the status of all names."""
        del request, context
        return health_pb2.HealthListResponse(
            statuses={
                name: health_pb2.HealthCheckResponse(status=status)
                for name, status in self._statuses.items()
            }
        )

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Tell the status of one name now and whenever it changes."""
        del context
        told: int | None = None
        while True:
            closed, status = self._closed, self._status(request.service)
            if status != told:
                yield health_pb2.HealthCheckResponse(status=status)
            if closed:
                return
            told = status
            async with self._changed:
                await self._changed.wait_for(partial(self._is_news, request.service, told))

    def _status(self, name: str) -> int:
        status: int = self._statuses.get(name, _SERVICE_UNKNOWN)
        return status

    def _is_news(self, name: str, told: int) -> bool:
        return self._closed or self._status(name) != told

    async def _set(self, status: int) -> None:
        async with self._changed:
            for name in self._statuses:
                if name != LIVENESS:
                    self._statuses[name] = status
            self._changed.notify_all()

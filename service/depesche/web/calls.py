"""Calls of the service for requests of HTTP: in whose name, and how long they may take."""

import re
from dataclasses import dataclass
from typing import Any

import grpc.aio

from depesche.errors import Violation
from depesche.server.status import REQUEST_ID_KEY
from depesche.web.refusals import invalid
from depesche.web.resources import Exchange

__all__ = ["Caller"]

_PRINTABLE = re.compile(r"[ -~]+")
_TIMEOUT = re.compile(r"(\d{1,8})([HMSmun])", re.ASCII)
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_LONGEST_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the service.

    Attributes:
        channel: the way to it.
        token: its token for requests that bring none; "" for none.
        timeout: seconds that a call may take whose request doesn't say it in `grpc-timeout`.
    """

    channel: grpc.aio.Channel
    token: str = ""
    timeout: float = 300.0

    def options(self, exchange: Exchange) -> dict[str, Any]:
        """Give the timeout and the metadata of a call for a request.

        Raises:
            Refusal: a header breaks a rule.
        """
        return {"timeout": self._timeout(exchange), "metadata": self._metadata(exchange)}

    def _timeout(self, exchange: Exchange) -> float:
        given = exchange.request.headers.get("grpc-timeout")
        if given is None:
            return self.timeout
        found = _TIMEOUT.fullmatch(given)
        if found is None:
            rule = "must be a whole number and one of H, M, S, m, u, n, such as 30S"
            raise invalid(Violation("grpc-timeout", rule))
        return min(int(found[1]) * _UNITS[found[2]], _LONGEST_SECONDS)

    def _metadata(self, exchange: Exchange) -> list[tuple[str, str]]:
        given = exchange.request.headers.get("authorization", "")
        if given and not _PRINTABLE.fullmatch(given):
            raise invalid(Violation("authorization", "must be printable ASCII"))
        authorization = given or (f"Bearer {self.token}" if self.token else "")
        metadata = [(REQUEST_ID_KEY, exchange.id)]
        return [*metadata, ("authorization", authorization)] if authorization else metadata

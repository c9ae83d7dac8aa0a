"""What both clients share: their settings, their stubs, and how calls become errors."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from depesche.channel import Connection
from depesche.client.requests import Unary
from depesche.config import REQUEST_ID
from depesche.errors import InvalidRequest, Violation
from depesche.remote_errors import from_call
from depesche.server.status import REQUEST_ID_KEY
from depesche.v1 import (
    brief_pb2_grpc,
    fidelity_pb2_grpc,
    model_pb2_grpc,
    summarisation_pb2_grpc,
    translation_pb2_grpc,
)

__all__ = ["BaseClient", "raised"]


class BaseClient(ABC):
    """How a client is made, and what goes with each of its calls."""

    def __init__(
        self,
        target: str,
        *,
        token: str = "",
        root_certificate: bytes | None = None,
        client_certificate: bytes | None = None,
        client_key: bytes | None = None,
        timeout: float = 300.0,
        retries: bool = True,
        health_checks: bool = True,
    ) -> None:
        """Prepare a connection; the first call opens it.

        Args:
            target: the service's address, HOST:PORT, or another target that gRPC can resolve. Calls
                are spread over all addresses that it stands for.
            token: the service's token, or "" if it asks for none.
            root_certificate: certificate in PEM of the authority to trust; without it, no TLS.
            client_certificate: certificate in PEM, or a chain that begins with it, by which the
                service knows the client; needs `root_certificate`.
            client_key: its private key in PEM, without a password.
            timeout: seconds that a call may take that names none itself, but for `briefs`, which
                has no end.
            retries: whether calls that are refused without work are made again.
            health_checks: whether replicas that aren't ready get no calls. It must be off where a
                proxy refuses `grpc.health.v1.Health/Watch` in another way than by UNIMPLEMENTED.

        Raises:
            InvalidRequest: the token can't be sent, or a certificate or the key can't be used.
        """
        connection = Connection(
            target=target,
            token=token,
            root_certificate=root_certificate,
            client_certificate=client_certificate,
            client_key=client_key,
            retries=retries,
            health_checks=health_checks,
        )
        self._timeout = timeout
        self._token = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel = self._open(connection)
        self._stubs = _stubs(self._channel)

    @abstractmethod
    def _open(self, connection: Connection) -> Any:
        """Make the channel of the client's kind."""

    def _method(self, call: Unary[Any]) -> Any:
        return getattr(self._stubs[call.service], call.method)

    def _with(self, timeout: float | None, request_id: str) -> dict[str, Any]:
        """Give what goes with a call besides its request."""
        return {
            "timeout": self._timeout if timeout is None else timeout,
            "metadata": self._metadata(request_id),
        }

    def _metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        if not request_id:
            return self._token
        if not REQUEST_ID.fullmatch(request_id):
            rule = "must be 1 to 64 letters and digits of ASCII, dots, hyphens or underscores"
            raise InvalidRequest([Violation("request_id", rule)])
        return (*self._token, (REQUEST_ID_KEY, request_id))


@contextmanager
def raised(call: Any = None) -> Iterator[None]:
    """Raise what a status means, and end a streaming `call` whose results nobody reads any more."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_call(error) from None
    finally:
        if call is not None:
            call.cancel()


def _stubs(channel: Any) -> dict[str, Any]:
    # Generated stubs are untyped; the calls' `result` says what each gives.
    makers: dict[str, Any] = {
        "BriefService": brief_pb2_grpc.BriefServiceStub,
        "TranslationService": translation_pb2_grpc.TranslationServiceStub,
        "SummarisationService": summarisation_pb2_grpc.SummarisationServiceStub,
        "FidelityService": fidelity_pb2_grpc.FidelityServiceStub,
        "ModelService": model_pb2_grpc.ModelServiceStub,
    }
    return {name: make(channel) for name, make in makers.items()}

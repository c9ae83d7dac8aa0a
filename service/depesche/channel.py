"""Connections to a service: their security, their retries, and how they spread over replicas."""

import json
from typing import Any

import grpc
import grpc.aio

from depesche.config import TOKEN
from depesche.errors import InvalidRequest, Violation
from depesche.pem import check_authority, check_pair

__all__ = ["open_channel"]

# `maxAttempts` counts the first call too. A full server says in `grpc-retry-pushback-ms` when to
# come again, and gRPC waits that long (gRFC A6, "Client Retries"). Where a proxy refuses by that
# code too, it waits longer each time; a call over 256 KiB, as one too large, is made once.
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ],
}


def open_channel(
    target: str,
    token: str = "",
    root_certificate: bytes | None = None,
    client_certificate: bytes | None = None,
    client_key: bytes | None = None,
    *,
    retries: bool = True,
) -> grpc.aio.Channel:
    """Prepare a connection, whose first call opens it; `depesche.client.Client` has the arguments.

    Raises:
        InvalidRequest: a credential can't be used, which a first call could tell only by failing.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.max_receive_message_length", -1),
        ("grpc.enable_retries", int(retries)),
    ]
    if token and not TOKEN.fullmatch(token):
        raise _invalid("token", "must be printable ASCII without spaces")
    _check_root(root_certificate)
    _check_client(root_certificate, client_certificate, client_key)
    if root_certificate is None:
        return grpc.aio.insecure_channel(target, options)
    credentials = grpc.ssl_channel_credentials(root_certificate, client_key, client_certificate)
    return grpc.aio.secure_channel(target, credentials, options)


def _check_root(certificate: bytes | None) -> None:
    if certificate is not None:
        try:
            check_authority(certificate)
        except ValueError as error:
            raise _invalid("root_certificate", str(error)) from None


def _check_client(root: bytes | None, certificate: bytes | None, key: bytes | None) -> None:
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        raise _invalid("client_certificate", "goes together with client_key")
    if root is None:
        raise _invalid("client_certificate", "needs root_certificate, for TLS")
    try:
        check_pair(certificate, key)
    except ValueError as error:
        raise _invalid("client_certificate, client_key", str(error)) from None


def _invalid(field: str, rule: str) -> InvalidRequest:
    return InvalidRequest([Violation(field, rule)])

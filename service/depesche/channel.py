"""Connections to a service: their security, their retries, and how they spread over replicas."""

import json
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from depesche.config import TOKEN
from depesche.errors import InvalidRequest, Violation
from depesche.pem import check_authority, check_pair

__all__ = ["Connection"]

# `maxAttempts` counts the first call too. A full server says in `grpc-retry-pushback-ms` when to
# come again, and gRPC waits that long (gRFC A6, "Client Retries"). Where a proxy refuses by that
# code too, it waits longer each time. A replica that starts or drains says so to who watches its
# health, and gets no calls (gRFC A17); a proxy without health counts as healthy.
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "readiness"},
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

# Names are in grpc/impl/channel_arg_names.h of gRPC's source.
_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", -1),
    # A call whose request is larger isn't made again; by default, one of 256 KiB, which the longest
    # Khmer release exceeds.
    ("grpc.per_rpc_retry_buffer_size", 1024 * 1024),
    # A replica that froze, or whose machine is gone, is noticed after 25 seconds and not at the
    # call's deadline. The service takes pings every 10 seconds at most. The second timeout, of all
    # pings, isn't documented: without it, the first one has no effect below a minute.
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # By default 30 seconds, in which two replicas can be replaced, and 2 minutes.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 10_000),
]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How a client reaches a service; `depesche.client.Client` describes the arguments.

    Raises:
        InvalidRequest: a credential can't be used, which a first call could tell only by failing.
    """

    target: str
    token: str = ""
    root_certificate: bytes | None = None
    client_certificate: bytes | None = None
    client_key: bytes | None = None
    retries: bool = True
    health_checks: bool = True

    def __post_init__(self) -> None:
        if self.token and not TOKEN.fullmatch(self.token):
            raise _invalid("token", "must be printable ASCII without spaces")
        _check_root(self.root_certificate)
        _check_client(self.root_certificate, self.client_certificate, self.client_key)

    def open(self) -> grpc.aio.Channel:
        """Make a channel for asyncio; its first call connects."""
        credentials = self._credentials()
        if credentials is None:
            return grpc.aio.insecure_channel(self.target, self._options())
        return grpc.aio.secure_channel(self.target, credentials, self._options())

    def open_blocking(self) -> grpc.Channel:
        """Make a channel for threads; its first call connects."""
        credentials = self._credentials()
        if credentials is None:
            return grpc.insecure_channel(self.target, self._options())
        return grpc.secure_channel(self.target, credentials, self._options())

    def _credentials(self) -> grpc.ChannelCredentials | None:
        if self.root_certificate is None:
            return None
        return grpc.ssl_channel_credentials(
            self.root_certificate, self.client_key, self.client_certificate
        )

    def _options(self) -> list[tuple[str, Any]]:
        return [
            *_OPTIONS,
            ("grpc.enable_retries", int(self.retries)),
            ("grpc.inhibit_health_checking", int(not self.health_checks)),
        ]


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

"""Transport security of the gRPC listener."""

from pathlib import Path

import grpc

from depesche.config import Settings
from depesche.errors import ConfigurationError

__all__ = ["server_credentials"]


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Read the certificate and key that the settings name, or give None if they name none.

    Raises:
        ConfigurationError: a file can't be read.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    key = _read("tls_key", settings.tls_key)
    certificate = _read("tls_certificate", settings.tls_certificate)
    return grpc.ssl_server_credentials([(key, certificate)])


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} can't be read: {error.strerror}") from error

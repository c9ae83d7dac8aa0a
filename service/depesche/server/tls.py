"""Transport security of the gRPC listener."""

import ssl
from pathlib import Path

import grpc

from depesche.config import Settings
from depesche.errors import ConfigurationError

__all__ = ["server_credentials"]


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Read the certificate and key that the settings name, or give None if they name none.

    Raises:
        ConfigurationError: a file can't be read, or they aren't a certificate and its key.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    key = _read("tls_key", settings.tls_key)
    certificate = _read("tls_certificate", settings.tls_certificate)
    _check_pair(settings.tls_certificate, settings.tls_key)
    return grpc.ssl_server_credentials([(key, certificate)])


def _check_pair(certificate: Path, key: Path) -> None:
    """Find out before gRPC does, which says no more than that it can't listen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty password, for without one OpenSSL asks the terminal; gRPC takes none either.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"tls_certificate, tls_key: {certificate} and {key} aren't a certificate in PEM and"
            f" its key, without a password: {error.reason or 'unreadable'}"
        ) from error


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} can't be read: {error.strerror}") from error

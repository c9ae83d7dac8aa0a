"""Transport security of the gRPC listener."""

from pathlib import Path

import grpc
import structlog

from depesche.config import Settings
from depesche.errors import ConfigurationError
from depesche.pem import check_authority, check_pair
from depesche.server.files import WatchedFiles

__all__ = ["server_credentials"]

_log = structlog.get_logger()


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Read the certificates and the key that the settings name, or give None if they name none.

    They are read again for new connections once the files have changed. Files that can't be used
    are an error in the log then, and the last good ones stay.

    Raises:
        ConfigurationError: a file can't be read, or they aren't a certificate and its key.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    files = _Files(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        files.read(),
        files.renewed,  # type: ignore[arg-type]  # None is for no change, says its documentation
        require_client_authentication=settings.tls_client_ca is not None,
    )
    return credentials


class _Files:
    """The files of one listener."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._watched = WatchedFiles([certificate, key, *([client_ca] if client_ca else [])])

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Read and check the files.

        Raises:
            ConfigurationError: they can't be used.
        """
        key = _read("tls_key", self._key)
        certificate = _read("tls_certificate", self._certificate)
        try:
            check_pair(certificate, key)
        except ValueError as error:
            raise ConfigurationError(
                f"tls_certificate, tls_key: {self._certificate} and {self._key} {error}"
            ) from error
        return grpc.ssl_server_certificate_configuration(
            [(key, certificate)], self._read_client_ca()
        )

    def renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Give what the files hold now, or None if that is nothing new or of no use.

        gRPC asks before each handshake, from a thread of its own.
        """
        if not self._watched.changed():
            return None
        try:
            configuration = self.read()
        except ConfigurationError as error:
            _log.error("certificates not reloaded", error=str(error))
            return None
        _log.info("certificates reloaded")
        return configuration

    def _read_client_ca(self) -> bytes | None:
        if self._client_ca is None:
            return None
        certificates = _read("tls_client_ca", self._client_ca)
        try:
            check_authority(certificates)
        except ValueError as error:
            raise ConfigurationError(f"tls_client_ca: {self._client_ca} {error}") from error
        return certificates


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} can't be read: {error.strerror}") from error

"""Certificates and keys in PEM, checked before gRPC sees them, which says only that it failed."""

import os
import ssl

__all__ = ["check_authority", "check_pair"]


def check_authority(certificates: bytes) -> None:
    """Check that there is at least one certificate.

    Raises:
        ValueError: there is none that can be read.
    """
    try:
        # Comments between certificates may be in any encoding.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=certificates.decode("ascii", "ignore")
        )
    except (ssl.SSLError, ValueError):
        raise ValueError("holds no certificate in PEM") from None


def check_pair(certificate: bytes, key: bytes) -> None:
    """Check that a certificate, or a chain that begins with it, and a key belong together.

    Raises:
        ValueError: they don't, or one of them can't be read, or the key has a password.
    """
    # OpenSSL reads them from files only; this one is in memory, for no disk should hold the key.
    descriptor = os.memfd_create("pem")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(certificate + b"\n" + key)
        # An empty password, for without one OpenSSL asks the terminal; gRPC takes none either.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            f"/proc/self/fd/{descriptor}", password=""
        )
    except ssl.SSLError as error:
        raise ValueError(
            "aren't a certificate in PEM and its key, without a password:"
            f" {error.reason or 'unreadable'}"
        ) from None
    finally:
        os.close(descriptor)

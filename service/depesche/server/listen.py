"""Addresses to listen on."""

import grpc

from depesche.errors import ConfigurationError

__all__ = ["bind", "split"]

_MAX_PORT = 65_535


def split(setting: str, address: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        ConfigurationError: it isn't one; names the setting.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _MAX_PORT:
        raise ConfigurationError(f"{setting}: must be HOST:PORT, not {address!r}")
    return host, int(port)


def bind(
    server: grpc.aio.Server,
    setting: str,
    address: str,
    credentials: grpc.ServerCredentials | None = None,
) -> str:
    """Let a server listen on an address; gives the address with the port that it got.

    Args:
        server: a server that hasn't started.
        setting: the name of the setting that gave the address.
        address: HOST:PORT; port 0 for any free one.
        credentials: for TLS; without them, plaintext.

    Raises:
        ConfigurationError: the address is wrong, in use or not allowed.
    """
    host, port = split(setting, address)
    target = f"{host}:{port}"
    try:
        if credentials is None:
            bound = server.add_insecure_port(target)
        else:
            bound = server.add_secure_port(target, credentials)
    except RuntimeError as error:
        raise ConfigurationError(
            f"{setting}: can't listen on {target}: it is in use or not allowed"
        ) from error
    return f"{host}:{bound}"

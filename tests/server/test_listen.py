import grpc
import pytest

from depesche.errors import ConfigurationError
from depesche.server.listen import bind, split


@pytest.mark.parametrize("address", ["", "localhost", ":1", "localhost:", "localhost:65536", "a:b"])
def test_what_is_no_address_names_its_setting(address: str) -> None:
    """Each address must have a host and a port."""
    with pytest.raises(ConfigurationError, match=r"^metrics: must be HOST:PORT"):
        split("metrics", address)


async def test_a_port_in_use_names_its_setting() -> None:
    """Two listeners can't share a port."""
    options = [("grpc.so_reuseport", 0)]
    first, second = grpc.aio.server(options=options), grpc.aio.server(options=options)
    address = bind(first, "listen", "127.0.0.1:0")
    try:
        with pytest.raises(ConfigurationError, match=f"^health_listen: can't listen on {address}"):
            bind(second, "health_listen", address)
    finally:
        await first.stop(None)
        await second.stop(None)

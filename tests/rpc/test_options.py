"""gRPC takes the options that it is given: it says nothing of one that it doesn't know."""

import importlib.util
from pathlib import Path

import pytest
from grpc._cython import cygrpc

from depesche.channel import _OPTIONS
from depesche.config import load_settings
from depesche.server.app import _options


def _library() -> bytes:
    spec = importlib.util.find_spec(cygrpc.__name__)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_bytes()


@pytest.fixture(scope="module")
def library() -> bytes:
    """GRPC's native code, in which the names of its options stand."""
    return _library()


@pytest.mark.parametrize(
    "name", sorted({name for name, _ in (*_OPTIONS, *_options(load_settings()))})
)
def test_option_is_one_of_grpcs(library: bytes, name: str) -> None:
    """Each name is in the library, whole."""
    assert f"{name}\0".encode() in library


def test_a_name_that_is_none_is_not_found(library: bytes) -> None:
    """The check can fail: it does for the macro's name, which isn't the option's."""
    assert b"grpc.http2.min_recv_ping_interval_without_data_ms\0" not in library


def test_a_client_may_ping_as_often_as_it_does() -> None:
    """Its pings are further apart than the server minds, or it would be thrown out."""
    client, server = dict(_OPTIONS), dict(_options(load_settings()))

    allowed = server["grpc.http2.min_ping_interval_without_data_ms"]
    assert client["grpc.keepalive_time_ms"] > allowed

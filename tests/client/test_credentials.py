"""Clients refuse credentials that could never work."""

from pathlib import Path
from typing import Any

import pytest

from depesche import errors
from depesche.client import Client, SyncClient
from tests.certificates import make_certificate
from tests.client.support import opened

Kind = type[Client | SyncClient]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"token": "größe"}, "token"),
        ({"token": "two words"}, "token"),
        ({"token": "line\n"}, "token"),
        ({"root_certificate": b""}, "root_certificate"),
        ({"root_certificate": b"nonsense"}, "root_certificate"),
        ({"root_certificate": b"\xff\xfe"}, "root_certificate"),
    ],
)
async def test_credentials_that_cannot_be_used(
    kind: Kind, settings: dict[str, Any], field: str
) -> None:
    """What could never work is refused before the first call."""
    with pytest.raises(errors.InvalidRequest, match=f"^{field}: "):
        kind("127.0.0.1:1", **settings)


async def test_a_certificate_of_the_client_that_cannot_be_used(kind: Kind, tmp_path: Path) -> None:
    """One half without the other, halves that don't fit, and one without TLS are refused."""
    certificate, key = (path.read_bytes() for path in make_certificate(tmp_path, "one"))
    _, other = (path.read_bytes() for path in make_certificate(tmp_path, "two"))
    whole = {"client_certificate": certificate, "client_key": key}
    trusting = {"root_certificate": certificate}
    for settings, rule in (
        (trusting | {"client_certificate": certificate}, "goes together with client_key"),
        (trusting | {"client_key": key}, "goes together with client_key"),
        (whole, "needs root_certificate"),
        (trusting | whole | {"client_key": other}, "aren't a certificate in PEM and its key"),
        (trusting | whole | {"client_key": b"nonsense"}, "aren't a certificate in PEM and its key"),
    ):
        with pytest.raises(errors.InvalidRequest, match=f"^client_certificate.*: {rule}"):
            kind("127.0.0.1:1", **settings)
    async with opened(kind, "127.0.0.1:1", **trusting, **whole):
        pass

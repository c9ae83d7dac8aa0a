from pathlib import Path

import pytest

from depesche.config import Settings
from depesche.errors import ConfigurationError
from depesche.server.tls import server_credentials
from tests.certificates import make_certificate


def test_without_files_there_is_no_tls() -> None:
    """By default the listener speaks plain HTTP/2."""
    assert server_credentials(Settings()) is None


def test_a_file_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    """A path that leads nowhere is a fault of the configuration."""
    settings = Settings(tls_certificate=tmp_path / "no.pem", tls_key=tmp_path / "no.key")

    with pytest.raises(ConfigurationError, match=r"^tls_key: .*no.key can't be read"):
        server_credentials(settings)


@pytest.mark.parametrize(("contents", "rule"), [(None, "can't be read"), ("no", "holds no cert")])
def test_an_authority_of_clients_that_is_none(
    tmp_path: Path, contents: str | None, rule: str
) -> None:
    """Without the authority nobody could be told apart, so there is no start."""
    certificate, key = make_certificate(tmp_path, "server")
    authority = tmp_path / "ca.pem"
    if contents is not None:
        authority.write_text(contents)
    settings = Settings(tls_certificate=certificate, tls_key=key, tls_client_ca=authority)

    with pytest.raises(ConfigurationError, match=rf"^tls_client_ca: .*ca\.pem {rule}"):
        server_credentials(settings)


def test_a_chain_before_the_key_is_read_whole(tmp_path: Path) -> None:
    """A certificate may bring those of its authorities along."""
    certificate, key = make_certificate(tmp_path, "server")
    other, _ = make_certificate(tmp_path, "authority")
    certificate.write_text(certificate.read_text() + other.read_text())
    settings = Settings(tls_certificate=certificate, tls_key=key)

    assert server_credentials(settings) is not None

from pathlib import Path

import pytest

from depesche.config import Settings
from depesche.errors import ConfigurationError
from depesche.server.tls import server_credentials


def test_without_files_there_is_no_tls() -> None:
    """By default the listener speaks plain HTTP/2."""
    assert server_credentials(Settings()) is None


def test_a_file_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    """A path that leads nowhere is a fault of the configuration."""
    settings = Settings(tls_certificate=tmp_path / "no.pem", tls_key=tmp_path / "no.key")

    with pytest.raises(ConfigurationError, match=r"^tls_key: .*no.key can't be read"):
        server_credentials(settings)

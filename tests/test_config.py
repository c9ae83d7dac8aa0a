import re
import traceback
from pathlib import Path

import pytest

from depesche.config import load_settings
from depesche.errors import ConfigurationError


def test_environment_sets_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable DEPESCHE_<NAME> sets; a given argument wins; None is not given."""
    monkeypatch.setenv("DEPESCHE_BEAM_SIZE", "3")
    monkeypatch.setenv("DEPESCHE_LISTEN", "127.0.0.1:1")

    settings = load_settings(listen="127.0.0.1:2", metrics=None)

    assert settings.beam_size == 3
    assert settings.listen == "127.0.0.1:2"
    assert settings.metrics == "127.0.0.1:9464"


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A token can stand in a file, and isn't shown when the settings are."""
    (tmp_path / "DEPESCHE_TOKEN").write_text("s3cret", encoding="ascii")
    monkeypatch.setenv("DEPESCHE_SECRETS_DIR", str(tmp_path))

    settings = load_settings()

    assert settings.token is not None
    assert settings.token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"beam_size": 1}, "beam_size: .*greater than or equal to 2"),
        ({"beam_size": "wide", "queue_segments": 0}, "beam_size: .*; queue_segments: "),
        ({"log_level": "loud"}, "log_level: "),
        ({"tls_key": "key.pem"}, "^settings: tls_certificate and tls_key go together"),
        ({"tls_client_ca": "ca.pem"}, "^settings: tls_client_ca needs tls_certificate and tls_key"),
        ({"max_message_bytes": 2**31}, "max_message_bytes: .*less than or equal to 2147483647"),
        ({"connection_age_seconds": 2_147_484}, "connection_age_seconds: .*less than or equal"),
        ({"token": "two words"}, "^token: must be printable ASCII without spaces$"),
        ({"token": "größe"}, "^token: "),
        ({"token": "line\n"}, "^token: "),
        ({"unknown": 1}, "unknown: "),
    ],
)
def test_wrong_settings_are_named(overrides: dict[str, object], message: str) -> None:
    """Every wrong setting is named, and what it must be."""
    with pytest.raises(ConfigurationError, match=message):
        load_settings(**overrides)


@pytest.mark.parametrize("token", ["hush hush", "hüsh", "hush\n", 4711])
def test_no_error_shows_a_token(monkeypatch: pytest.MonkeyPatch, token: object) -> None:
    """Neither the error that a token is refused by, nor one of another setting, holds it."""
    with pytest.raises(ConfigurationError, match=r"^token: ") as refused:
        load_settings(token=token)
    monkeypatch.setenv("DEPESCHE_TOKEN", "hush-4711")
    with pytest.raises(ConfigurationError) as other:
        load_settings(beam_size=1, tls_key="key.pem")

    for caught in (refused, other):
        told = "".join(traceback.format_exception(caught.value))
        assert not re.search("hush|hüsh|4711", told)


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing asks for no token, rather than for an empty one."""
    monkeypatch.setenv("DEPESCHE_TOKEN", "")

    assert load_settings().token is None


def test_misspelt_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that looks like a setting and is none would be left aside in silence."""
    monkeypatch.setenv("DEPESCHE_BEEM_SIZE", "3")
    monkeypatch.setenv("depesche_port", "1")

    with pytest.raises(ConfigurationError, match=r"^DEPESCHE_BEEM_SIZE, depesche_port: no setting"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEPESCHE_DEBUG", "1"),
        ("depesche_beam_size", "4"),
        ("DEPESCHE_SERVICE_HOST", "10.0.0.1"),
        ("DEPESCHE_SERVICE_PORT_GRPC", "50051"),
        ("DEPESCHE_GRPC_SERVICE_PORT", "50051"),
        ("DEPESCHE_PORT", "tcp://10.0.0.1:50051"),
        ("DEPESCHE_PORT_50051_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_other_variables_are_no_misspelt_settings(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the command line are known, and those that Kubernetes sets for its services."""
    monkeypatch.setenv(name, value)

    assert load_settings().beam_size == 4


def test_the_folder_of_secrets_must_be_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path that leads nowhere would mean to serve without the token."""
    monkeypatch.setenv("DEPESCHE_SECRETS_DIR", str(tmp_path / "none"))

    with pytest.raises(ConfigurationError, match=r"^DEPESCHE_SECRETS_DIR: .*none isn't a folder"):
        load_settings()


def test_settings_are_frozen() -> None:
    """Nothing changes after the settings were read."""
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.beam_size = 5


def test_models_are_found_beside_the_source() -> None:
    """In a checkout the models need no setting."""
    assert (load_settings().models_dir / "manifest.toml").is_file()

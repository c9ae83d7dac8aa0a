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
        ({"tls_key": "key.pem"}, "tls_certificate and tls_key go together"),
        ({"unknown": 1}, "unknown: "),
    ],
)
def test_wrong_settings_are_named(overrides: dict[str, object], message: str) -> None:
    """Every wrong setting is named, and what it must be."""
    with pytest.raises(ConfigurationError, match=message):
        load_settings(**overrides)


def test_settings_are_frozen() -> None:
    """Nothing changes after the settings were read."""
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.beam_size = 5


def test_models_are_found_beside_the_source() -> None:
    """In a checkout the models need no setting."""
    assert (load_settings().models_dir / "manifest.toml").is_file()

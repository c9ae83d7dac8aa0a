"""The service's settings: one frozen object, read once at the top and passed down.

Each setting is read from the environment variable `DEPESCHE_<NAME>`, or from the file of that
name in the folder that `DEPESCHE_SECRETS_DIR` names.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from depesche.errors import ConfigurationError
from depesche.types import SOURCES, Language

__all__ = ["MODEL_SETTINGS", "REQUEST_ID", "TOKEN", "Settings", "load_settings"]

TOKEN = re.compile(r"[!-~]+")
"""What a token is made of: printable ASCII without spaces, as a header of HTTP can carry it."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What a call's id is made of, where its caller names one in the metadata `x-request-id`."""

# OpenTelemetry itself would take anything, and say nothing until the first traces don't arrive.
_ENDPOINT = re.compile(r"https?://[^\s/@:]+(:\d{1,5})?/?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?/?")

_PREFIX = "DEPESCHE_"
_OTHER_VARIABLES = frozenset({"DEPESCHE_DEBUG", "DEPESCHE_SECRETS_DIR"})
# Kubernetes tells every container the addresses of services: of one named depesche, by these
# variables (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_OF_KUBERNETES = re.compile(r"DEPESCHE_(\w+_)?((SERVICE_(HOST|PORT)|PORT_\d+)\w*=.*|PORT=\w+://.*)")
_CHECKOUT = Path(__file__).resolve().parents[2]


def _default_models_dir() -> Path:
    """Find the models beside the source in a checkout, else below the working folder."""
    beside = _CHECKOUT / "models"
    return beside if (beside / "manifest.toml").is_file() else Path("models")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    listen: str = Field("127.0.0.1:50051", description="Address of the gRPC server, HOST:PORT.")
    metrics: str = Field("127.0.0.1:9464", description="Address of the metrics, HOST:PORT.")
    models_dir: Path = Field(
        default_factory=_default_models_dir, description="Folder of the models and their manifest."
    )
    pulled_dir: Path | None = Field(
        None, description="Folder of the pulled models; by default `pulled` in the models' folder."
    )
    forbid_noncommercial: bool = Field(
        default=False,
        description="Whether models whose licence forbids commercial use are refused.",
    )
    convert_python: Path | None = Field(
        None,
        description="Interpreter with the extra `convert`; by default the service's own.",
    )
    translation_model: str = Field("embedded", description="Manifest name of the translator.")
    routes: Annotated[Mapping[Language, str], NoDecode] = Field(
        default_factory=dict,
        description="Translators of single languages, as `de=NAME,ru=NAME`; `translation_model` is"
        " for the others.",
    )
    summary_model: str = Field("minilm", description="Manifest name of the sentence encoder.")
    abstractive_model: str = Field(
        "", description="Manifest name of the model for abstractive summaries, if there are any."
    )
    selectable_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Models beside these that a request may name, as `NAME,NAME`."
    )
    memory_mib: int = Field(
        0,
        ge=0,
        description="Memory that models may not go beyond, in MiB; 0 takes the cgroup's limit or"
        " the machine's memory.",
    )
    idle_seconds: float = Field(
        0.0,
        ge=0,
        description="Time after which an unused model leaves memory until it is needed; 0 for"
        " never.",
    )

    max_text_characters: int = Field(100_000, ge=1, description="Longest text of a release.")
    max_title_characters: int = Field(1_000, ge=1, description="Longest title of a release.")
    max_sentences: int = Field(1_000, ge=1, description="Most sentences that one release may hold.")
    max_checked_characters: int = Field(
        10_000, ge=1, description="Longest sentence to check alone, and its sources together."
    )
    max_key_sentences: int = Field(20, ge=1, description="Most key sentences of one brief.")
    max_glossary_terms: int = Field(500, ge=0, description="Most terms of one glossary.")
    max_term_characters: int = Field(
        200, ge=1, description="Longest term of a glossary, and its longest English."
    )
    max_id_characters: int = Field(200, ge=1, description="Longest caller's id.")
    max_message_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, le=2**31 - 1, description="Largest message of a caller."
    )
    max_releases_in_flight: int = Field(4, ge=1, description="Releases in flight in one stream.")

    workers: int = Field(0, ge=0, description="Model workers; 0 takes one a CPU of the quota.")
    threads_per_worker: int = Field(1, ge=1, description="CPU threads of each worker.")
    batch_tokens: int = Field(256, ge=1, description="Padded source tokens of one batch at most.")
    batch_seconds: float = Field(
        2.0,
        gt=0,
        description="Time that a batch of several segments may take, by the measured rate; "
        "on slow machines twice the time of one segment.",
    )
    beam_size: int = Field(4, ge=2, le=16, description="Beam of the second, safer decoding.")
    decode_again: bool = Field(
        default=True, description="Decode sentences that fail a check again."
    )
    queue_segments: int = Field(4_000, ge=1, description="Segments that may wait for a worker.")

    drain_seconds: float = Field(30.0, ge=0, description="Time for running calls after SIGTERM.")
    connection_age_seconds: int = Field(
        300,
        ge=1,
        le=2_147_483,  # gRPC counts milliseconds in 32 bits.
        description="Age at which connections are renewed, so that new replicas get work.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log lines that are written."
    )
    traces: str | None = Field(
        None,
        description="Where traces go by OTLP over gRPC, such as `http://localhost:4317`; needs the"
        " extra `tracing`.",
    )
    health_listen: str | None = Field(
        None, description="Address of a second listener for health alone, without TLS, HOST:PORT."
    )
    token: SecretStr | None = Field(None, description="Token that callers must send, if set.")
    tokens_file: Path | None = Field(
        None, description="File of tokens, a line each: `name:token[:requests_per_minute]`."
    )
    tls_certificate: Path | None = Field(None, description="Certificate chain in PEM, for TLS.")
    tls_key: Path | None = Field(None, description="Private key in PEM, for TLS.")
    tls_client_ca: Path | None = Field(
        None,
        description="Authorities in PEM, one of which must have signed a client's certificate.",
    )

    @field_validator("routes", mode="before")
    @classmethod
    def _routes_are_pairs(cls, routes: object) -> object:
        if not isinstance(routes, str):
            return routes
        pairs = [route.partition("=") for route in _listed(routes)]
        if not all(language in SOURCES and name for language, _, name in pairs):
            raise ValueError(f"must be LANGUAGE=NAME, of {', '.join(SOURCES)}, between commas")
        if len({language for language, _, _ in pairs}) < len(pairs):
            raise ValueError("must name each language once")
        return {language.strip(): name.strip() for language, _, name in pairs}

    @field_validator("selectable_models", mode="before")
    @classmethod
    def _models_are_listed(cls, models: object) -> object:
        return tuple(_listed(models)) if isinstance(models, str) else models

    @field_validator("token")
    @classmethod
    def _token_is_sane(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None or not token.get_secret_value():
            return None
        if not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be printable ASCII without spaces")
        return token

    @field_validator("traces")
    @classmethod
    def _traces_is_an_endpoint(cls, traces: str | None) -> str | None:
        if not traces:
            return None
        if not _ENDPOINT.fullmatch(traces):
            raise ValueError("must be http://HOST:PORT, or https://HOST:PORT for TLS")
        return traces

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate and tls_key")
        return self


MODEL_SETTINGS = (
    *("translation_model", "routes", "summary_model", "abstractive_model", "selectable_models"),
    *("forbid_noncommercial", "memory_mib", "idle_seconds", "beam_size", "decode_again"),
)
"""The settings that a reload of the models reads again."""


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Args:
        overrides: settings by name that win over the environment; None counts as not given.

    Raises:
        ConfigurationError: a setting is wrong or there is none of that name; the message names
            each one and what it must be.
    """
    if unknown := sorted(_unknown_variables()):
        raise ConfigurationError(f"{', '.join(unknown)}: no setting has this name")
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    secrets = os.environ.get("DEPESCHE_SECRETS_DIR") or None
    if secrets is not None and not Path(secrets).is_dir():
        raise ConfigurationError(f"DEPESCHE_SECRETS_DIR: {secrets} isn't a folder")
    try:
        # The types don't know the keyword; pydantic-settings documents it.
        return Settings(_secrets_dir=secrets, **given)  # type: ignore[call-arg]
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_line(e["loc"], e["msg"]) for e in error.errors())
        ) from None


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _unknown_variables() -> Iterator[str]:
    """Give the variables of the environment that look like settings and are none."""
    for name, value in os.environ.items():
        setting = name.upper().removeprefix(_PREFIX).lower()
        if (
            name.upper().startswith(_PREFIX)
            and setting not in Settings.model_fields
            and name not in _OTHER_VARIABLES
            and not _OF_KUBERNETES.fullmatch(f"{name}={value}")
        ):
            yield name


def _line(location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in location) or "settings"
    return f"{name}: {message.removeprefix('Value error, ')}"

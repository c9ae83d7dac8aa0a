"""What is watched and where briefs go, as frozen values; see `reading` for the file."""

import base64
import binascii
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from depesche.errors import ConfigurationError
from depesche.types import BriefOptions, Language, Priority, SummaryStrategy

__all__ = ["Brief", "Feed", "Folder", "FolderTarget", "Plan", "Tuning", "Webhook"]

_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
_SCHEMES = ("http", "https")
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
_SECRET_BYTES = (24, 64)

_Name = Annotated[str, Field(pattern=_NAME)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _web_address(value: str) -> str:
    """Take an address of http or https without a user's name in it, which a log might show."""
    parts = urlsplit(value)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("must be an address of http or https")
    if parts.username is not None:
        raise ValueError("must hold no user's name or password")
    return value


class _Source(_Table):
    """What feeds and folders share.

    Attributes:
        name: its name in the log, the state and the names of files.
        language: the language of its releases, or "auto".
        every: seconds between two looks at it.
        changes: whether an item that changed is briefed again.
        deliver: names of the targets that get its briefs; all of them if empty.
    """

    name: _Name
    language: Literal["auto", "de", "km", "ru"] = "auto"
    every: float = Field(default=900.0, ge=1, le=86_400)
    changes: Literal["brief", "ignore"] = "brief"
    deliver: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def language_or_none(self) -> Language | None:
        """The language, or None to have it detected."""
        return None if self.language == "auto" else Language(self.language)


class Feed(_Source):
    """A feed in RSS or Atom.

    Attributes:
        url: its address.
        backfill: how many items are briefed when it is first seen, the newest.
        fetch: whether the page that an item links to is briefed, not the item's own text.
        fetch_hosts: hosts, or HOST:PORT, of such pages beside the feed's own.
    """

    url: str
    backfill: int = Field(default=10, ge=0, le=1000)
    fetch: bool = False
    fetch_hosts: tuple[str, ...] = Field(default=(), strict=False)

    _check_url = field_validator("url")(_web_address)


class Folder(_Source):
    """A folder whose files are releases.

    Attributes:
        path: the folder; below it nothing is read.
        backfill: how many files are briefed when it is first seen, the newest; None for all.
        settle: seconds for which a file must not have changed.
    """

    path: Path = Field(strict=False)
    every: float = Field(default=30.0, ge=1, le=86_400)
    backfill: int | None = Field(default=None, ge=0)
    settle: float = Field(default=2.0, ge=0, le=3600)


class FolderTarget(_Table):
    """A folder into which briefs are written."""

    name: _Name
    kind: Literal["folder"] = "folder"
    path: Path = Field(strict=False)
    format: Literal["markdown", "json"] = "markdown"


class Webhook(_Table):
    """An address to which briefs are posted, signed as Standard Webhooks asks.

    Attributes:
        url: the address.
        secret_file: file of the secret; its content is `whsec_` and base64.
        secret_env: variable of the environment with the secret.
    """

    name: _Name
    kind: Literal["webhook"] = "webhook"
    url: str
    secret_file: Path | None = Field(default=None, strict=False)
    secret_env: str | None = None

    _check_url = field_validator("url")(_web_address)

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.secret_file is None) == (self.secret_env is None):
            raise ValueError("needs one of secret_file and secret_env")
        if (self.secret_env or "").startswith("DEPESCHE_"):
            raise ValueError("secret_env must not begin with DEPESCHE_, as settings do")
        return self

    def secret(self) -> bytes:
        """Read the secret.

        Raises:
            ConfigurationError: it is missing, or isn't one.
        """
        where, written = self._written_secret()
        try:
            secret = base64.b64decode(written.strip().removeprefix(_SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError(f"{where}: must be whsec_ and base64") from None
        least, most = _SECRET_BYTES
        if not least <= len(secret) <= most:
            rule = f"must be of {least} to {most} bytes in base64, not {len(secret)}"
            raise ConfigurationError(f"{where}: {rule}")
        return secret

    def _written_secret(self) -> tuple[str, str]:
        if self.secret_env is not None:
            where = f"webhook.{self.name}.secret_env"
            if self.secret_env not in os.environ:
                raise ConfigurationError(f"{where}: {self.secret_env} isn't set")
            return where, os.environ[self.secret_env]
        where = f"webhook.{self.name}.secret_file"
        try:
            return where, (self.secret_file or Path()).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{where}: can't be read ({type(error).__name__})") from None


class Brief(_Table):
    """What is asked of every brief; see `depesche.types.BriefOptions`."""

    sentences: int = Field(default=3, ge=1, le=20)
    strategy: Literal["extractive", "abstractive"] = "extractive"
    model: str = ""
    summary_model: str = ""

    def options(self) -> BriefOptions:
        """Give the options: nobody waits, and the same release gives the same brief."""
        return BriefOptions(
            sentence_count=self.sentences,
            strategy=SummaryStrategy(self.strategy),
            priority=Priority.BULK,
            reproducible=True,
            translation_model=self.model,
            summary_model=self.summary_model,
        )


class Tuning(_Table):
    """Limits and times.

    Attributes:
        briefs: releases that are briefed at once.
        posts: briefs that are posted to one webhook at once.
        timeout: seconds that a request to a feed, a page or a webhook may take in all.
        max_bytes: size of a feed or page, unpacked.
        attempts: how often a brief is posted, or a page asked for, before it is given up.
        patience: with --once, seconds for which what failed is tried again.
        grace: seconds that what is under way may take once told to stop.
    """

    briefs: int = Field(default=4, ge=1, le=64)
    posts: int = Field(default=4, ge=1, le=64)
    timeout: float = Field(default=30.0, gt=0, le=600)
    max_bytes: int = Field(default=10 * 2**20, ge=1024, le=2**30)
    attempts: int = Field(default=12, ge=1, le=100)
    patience: float = Field(default=60.0, ge=0, le=86_400)
    grace: float = Field(default=20.0, ge=0, le=600)


class Plan(_Table):
    """The whole file."""

    feeds: tuple[Feed, ...] = Field(default=(), alias="feed", strict=False)
    folders: tuple[Folder, ...] = Field(default=(), alias="folder", strict=False)
    files: tuple[FolderTarget, ...] = Field(default=(), alias="output", strict=False)
    webhooks: tuple[Webhook, ...] = Field(default=(), alias="webhook", strict=False)
    brief: Brief = Brief()
    tuning: Tuning = Field(default=Tuning(), alias="watch")

    @property
    def sources(self) -> tuple[Feed | Folder, ...]:
        """All that is watched."""
        return (*self.feeds, *self.folders)

    @property
    def targets(self) -> tuple[FolderTarget | Webhook, ...]:
        """Wherever briefs go."""
        return (*self.files, *self.webhooks)

    def targets_of(self, source: Feed | Folder) -> tuple[str, ...]:
        """Name the targets of a source's briefs."""
        return source.deliver or tuple(target.name for target in self.targets)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if rule := next(self._broken_rules(), None):
            raise ValueError(rule)
        return self

    def _broken_rules(self) -> Iterator[str]:
        if not self.sources:
            yield "there must be a [[feed]] or a [[folder]]"
        if not self.targets:
            yield "there must be an [[output]] or a [[webhook]]"
        for kind, things in (("feed or folder", self.sources), ("target", self.targets)):
            names = [thing.name for thing in things]
            yield from (f"two {kind}s are named {n}" for n in names if names.count(n) > 1)
        known = {target.name for target in self.targets}
        for source in self.sources:
            unknown = sorted(set(source.deliver) - known)
            yield from (f"{source.name}.deliver: no target is named {name}" for name in unknown)
        places = [(output.path.resolve(), output.format) for output in self.files]
        if len(set(places)) < len(places):
            yield "two outputs have one path and one format, and would write the same files"
        watched = {folder.path.resolve() for folder in self.folders}
        for output in self.files:
            if output.path.resolve() in watched:
                yield f"{output.name}.path: a folder that is watched would brief its own briefs"

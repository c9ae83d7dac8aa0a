"""Every error that Depesche raises on purpose.

    DepescheError
    ├── RequestError               the caller is at fault; the same request fails again
    │   ├── InvalidRequest         fields break a rule; names each field and its limit
    │   │   └── LanguageUncertain  the language can't be told; the caller should name it
    │   ├── LanguageUnsupported    the language is known, and no model is there for it
    │   ├── FeatureUnavailable     an option asks for what this service doesn't have loaded
    │   ├── ModelUnknown           no model has the name that the request gives
    │   └── Unauthenticated        the token is missing or wrong
    ├── LoadError                  nobody is at fault; the same request may succeed later
    │   ├── QueueFull              refused at the door; says when to come again
    │   ├── QuotaExceeded          the client asks more often than it may; says when to come again
    │   ├── DeadlineExceeded       the time that the caller allows has passed
    │   ├── NotReady               the service is starting; its models aren't loaded yet
    │   └── ShuttingDown           the service is draining; another replica can answer
    └── OperatorError              the installation is at fault
        ├── ConfigurationError     a setting is wrong
        └── ModelError             a model is missing, altered or not usable

Messages are one sentence and never hold text of a release.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ConfigurationError",
    "DeadlineExceeded",
    "DepescheError",
    "FeatureUnavailable",
    "InvalidRequest",
    "LanguageUncertain",
    "LanguageUnsupported",
    "LoadError",
    "ModelError",
    "ModelUnknown",
    "NotReady",
    "OperatorError",
    "QueueFull",
    "QuotaExceeded",
    "ReloadFailed",
    "RequestError",
    "ShuttingDown",
    "Unauthenticated",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field of a request breaks.

    Attributes:
        field: the field's path in the request message, such as `options.sentence_count`.
        description: what is wrong and what the limit is; a sentence without a full stop.
    """

    field: str
    description: str


class DepescheError(Exception):
    """Base of all errors raised on purpose; `str()` of it is fit to show a user.

    Attributes:
        request_id: id of the remote call that failed, by which the service's log knows it; "" if
            there was none, or the service didn't answer.
    """

    request_id: str = ""


class RequestError(DepescheError):
    """The caller is at fault, and the same request would fail again."""

    violations: tuple[Violation, ...] = ()


class InvalidRequest(RequestError):
    """One or more fields of the request break a rule."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations))


class LanguageUncertain(InvalidRequest):
    """The language can't be told from the text: too short, mixed, or not language at all."""

    def __init__(self, description: str) -> None:
        super().__init__([Violation("language", description)])


class LanguageUnsupported(RequestError):
    """The language is known, and no model translates it."""

    def __init__(self, language: str, supported: Sequence[str]) -> None:
        self.language = language
        names = ", ".join(sorted(supported))
        description = f"'{language}' is not supported; supported are {names}"
        self.violations = (Violation("language", description),)
        super().__init__(f"language: {description}")


class FeatureUnavailable(RequestError):
    """An option of the request asks for something that isn't loaded here."""

    def __init__(self, field: str, description: str) -> None:
        self.violations = (Violation(field, description),)
        super().__init__(f"{field}: {description}")


class ModelUnknown(RequestError):
    """No model has the name that the request gives."""

    def __init__(self, name: str) -> None:
        self.violations = (Violation("name", f"no model is named '{name}'"),)
        super().__init__(f"name: no model is named '{name}'")


class Unauthenticated(RequestError):
    """The service asks for a token, and the request's is missing or wrong."""


class LoadError(DepescheError):
    """Nobody is at fault, and the same request may succeed later or elsewhere."""


class QueueFull(LoadError):
    """The request is refused before any work on it.

    Attributes:
        retry_after: seconds after which there is likely room.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class QuotaExceeded(LoadError):
    """The client has used up the requests that it may make in a time.

    Attributes:
        retry_after: seconds after which it may make one more.
        client: the client's name.
    """

    def __init__(self, message: str, retry_after: float, client: str) -> None:
        self.retry_after = retry_after
        self.client = client
        super().__init__(message)


class DeadlineExceeded(LoadError):
    """The time that the caller allows has passed, or can't be met any more."""


class NotReady(LoadError):
    """The service is starting and takes no work until its models are loaded."""


class ShuttingDown(LoadError):
    """The service is draining and takes no new work."""


class OperatorError(DepescheError):
    """The installation is at fault, not the request."""


class ConfigurationError(OperatorError):
    """A setting is missing or wrong; the message names it."""


class ModelError(OperatorError):
    """A model is missing, differs from its manifest entry, or can't be loaded."""


class ReloadFailed(DepescheError):
    """The models couldn't be loaded anew and the running ones stay; the message says why.

    Who asks for a reload answers for the installation, so unlike other callers they learn what is
    wrong with it.
    """

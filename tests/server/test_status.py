from collections.abc import Iterator

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, QuotaFailure, RetryInfo
from grpc import StatusCode

from depesche import errors
from depesche.errors import DepescheError, Violation
from depesche.server.status import CODES, DOMAIN, code_of, to_status, trailing_metadata


def _leaves(base: type[DepescheError]) -> Iterator[type[DepescheError]]:
    """Give the classes below `base` that the package defines and derives nothing from."""
    children = [c for c in base.__subclasses__() if c.__module__ == errors.__name__]
    if not children:
        yield base
    for child in children:
        yield from _leaves(child)


@pytest.mark.parametrize("error", list(_leaves(DepescheError)), ids=lambda c: c.__name__)
def test_every_error_has_a_row(error: type[DepescheError]) -> None:
    """Each class that is raised has its own row in the table."""
    assert error in CODES


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidRequest([Violation("release.text", "is bad")]), StatusCode.INVALID_ARGUMENT),
        (errors.LanguageUncertain("name it"), StatusCode.INVALID_ARGUMENT),
        (errors.LanguageUnsupported("uk", ["de"]), StatusCode.FAILED_PRECONDITION),
        (errors.FeatureUnavailable("options.glossary", "no"), StatusCode.FAILED_PRECONDITION),
        (errors.ModelUnknown("x"), StatusCode.NOT_FOUND),
        (errors.Unauthenticated("no token"), StatusCode.UNAUTHENTICATED),
        (errors.QueueFull("full", 2), StatusCode.RESOURCE_EXHAUSTED),
        (errors.QuotaExceeded("used up", 2, "desk"), StatusCode.RESOURCE_EXHAUSTED),
        (errors.DeadlineExceeded("late"), StatusCode.DEADLINE_EXCEEDED),
        (errors.NotReady("soon"), StatusCode.UNAVAILABLE),
        (errors.ShuttingDown("later"), StatusCode.UNAVAILABLE),
        (errors.ModelError("broken"), StatusCode.INTERNAL),
        (ValueError("secret"), StatusCode.INTERNAL),
    ],
    ids=lambda value: value.name if isinstance(value, StatusCode) else type(value).__name__,
)
def test_codes(error: Exception, code: StatusCode) -> None:
    """Who is at fault decides the code."""
    assert code_of(error) is code
    assert to_status(error, "id").code == code.value[0]


def test_violations_travel_as_bad_request() -> None:
    """Each violation is a field violation, and the reason is the class's name."""
    error = errors.InvalidRequest([Violation("release.text", "is too long"), Violation("a", "b")])
    info, bad = ErrorInfo(), BadRequest()
    status = to_status(error, "id")

    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.reason, info.domain) == ("InvalidRequest", DOMAIN)
    assert [(v.field, v.description) for v in bad.field_violations] == [
        ("release.text", "is too long"),
        ("a", "b"),
    ]


def test_the_language_travels_as_metadata() -> None:
    """Programs needn't read the language that isn't supported out of the message."""
    info = ErrorInfo()

    assert to_status(errors.LanguageUnsupported("uk", ["de"]), "id").details[0].Unpack(info)
    assert dict(info.metadata) == {"language": "uk"}


def test_a_full_queue_says_when_to_come_again() -> None:
    """The delay is told to people's code and to gRPC's own retries."""
    error = errors.QueueFull("the queue is full", retry_after=2.5)
    status = to_status(error, "id")
    retry = RetryInfo()

    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2500
    assert dict(trailing_metadata(error, status))["grpc-retry-pushback-ms"] == "2500"


def test_a_used_up_quota_says_whose_it_is_and_when_to_come_again() -> None:
    """The client and the limit are told besides the delay."""
    error = errors.QuotaExceeded("60 a minute", retry_after=2.5, client="desk")
    status = to_status(error, "id")
    quota, retry = QuotaFailure(), RetryInfo()

    assert status.details[1].Unpack(quota)
    assert [(v.subject, v.description) for v in quota.violations] == [
        ("client:desk", "60 a minute")
    ]
    assert status.details[2].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2500
    assert dict(trailing_metadata(error, status))["grpc-retry-pushback-ms"] == "2500"


@pytest.mark.parametrize("error", [ValueError("secret"), errors.ModelError("secret path")])
def test_what_the_caller_cannot_mend_is_not_told(error: Exception) -> None:
    """An internal error gives its id and nothing of the exception."""
    status = to_status(error, "abc")

    assert status.message == "internal error; request id abc"
    assert not status.details

"""Statuses become the errors that they stand for."""

import grpc
import grpc.aio
import pytest
from google.rpc import code_pb2, status_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from depesche import errors
from depesche.client import Client, SyncClient
from depesche.errors import DepescheError, Violation
from depesche.remote_errors import from_call, from_status
from depesche.server.status import CODES, to_status
from tests.client.support import INVALID, RELEASE, Service, connected

_ERRORS = [
    INVALID,
    errors.LanguageUncertain("can't be told; name it"),
    errors.LanguageUnsupported("uk", ["de", "ru"]),
    errors.FeatureUnavailable("options.strategy", "isn't loaded"),
    errors.ModelUnknown("big"),
    errors.Unauthenticated("a token is needed"),
    errors.QueueFull("the queue is full", 2.5),
    errors.QuotaExceeded("the quota is used up", 2.5, "desk"),
    errors.ReloadFailed("model 'embedded': model.bin is missing"),
    errors.DeadlineExceeded("time is up"),
    errors.NotReady("the service is starting"),
    errors.ShuttingDown("the service is draining"),
]


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_the_wire(error: DepescheError) -> None:
    """Each error that a caller can act on arrives as what it was."""
    arrived = from_status(to_status(error, "r1"))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_errors_keep_the_paths_of_the_request() -> None:
    """An error arrives with the words and the field path that the service chose."""
    error = errors.LanguageUnsupported("uk", ["de"])
    error.violations = (Violation("release.language", "no model reads it"),)
    error.args = ("release.language: no model reads it",)
    arrived = from_status(to_status(error, "r1"))

    assert isinstance(arrived, errors.LanguageUnsupported)
    assert (arrived.language, arrived.violations) == ("uk", error.violations)
    assert str(arrived) == "release.language: no model reads it"


def test_the_reasons_of_others_mean_nothing() -> None:
    """A proxy's error of the same name isn't ours."""
    status = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="oh")
    status.details.add().Pack(ErrorInfo(reason="QueueFull", domain="proxy"))

    assert type(from_status(status)) is DepescheError


def test_every_error_is_tried() -> None:
    """The table above holds every class that has a status of its own."""
    internal = {cls for cls, code in CODES.items() if code is grpc.StatusCode.INTERNAL}

    assert {type(error) for error in _ERRORS} == set(CODES) - internal


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (code_pb2.INVALID_ARGUMENT, errors.InvalidRequest, "request: oh"),
        (code_pb2.FAILED_PRECONDITION, errors.RequestError, "oh"),
        (code_pb2.NOT_FOUND, errors.RequestError, "oh"),
        (code_pb2.UNAUTHENTICATED, errors.Unauthenticated, "oh"),
        (code_pb2.RESOURCE_EXHAUSTED, DepescheError, "the service refused: oh"),
        (code_pb2.DEADLINE_EXCEEDED, errors.DeadlineExceeded, "oh"),
        (code_pb2.UNAVAILABLE, errors.LoadError, "the service can't be reached: oh"),
        (code_pb2.INTERNAL, DepescheError, "the service failed: oh"),
        (code_pb2.UNIMPLEMENTED, DepescheError, "the service failed: oh"),
    ],
)
def test_statuses_without_details(code: int, kind: type[DepescheError], message: str) -> None:
    """A status that another program made, such as a proxy, still has a class."""
    error = from_status(status_pb2.Status(code=code, message="oh"))

    assert type(error) is kind
    assert str(error) == message


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (grpc.StatusCode.INTERNAL, "Internal error from Core", errors.LoadError),
        (grpc.StatusCode.UNKNOWN, "Stream removed (RST_STREAM …)", errors.LoadError),
        (grpc.StatusCode.INTERNAL, "internal error; request id r1", DepescheError),
    ],
)
def test_a_stream_that_was_cut_off_may_be_begun_again(
    code: grpc.StatusCode, message: str, kind: type[DepescheError]
) -> None:
    """It isn't taken for a fault of the service, which would come again."""
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), message)

    assert type(from_call(error)) is kind


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
async def test_calls_raise_them(kind: type[Client | SyncClient], error: DepescheError) -> None:
    """What a server sends is raised as what it was, with the id of the call."""
    async with connected(kind, Service(error), retries=False) as call:
        with pytest.raises(type(error)) as caught:
            await call("brief", RELEASE)

    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert vars(caught.value) == vars(error) | {"request_id": "r1"}

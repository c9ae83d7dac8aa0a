"""What happens around every call of the service's own methods.

From the outside in: `CallInterceptor` gives the call an id, a log line, metrics and a status;
`AuthenticationInterceptor` checks the token, and `QuotaInterceptor` the client's quota, each in a
module of its own; `DecodingInterceptor` turns bytes that are no request into an error. Health
checks and reflection pass by all of them.
"""

import asyncio
import inspect
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import structlog
from google.protobuf.descriptor_pool import Default
from grpc import StatusCode

from depesche.config import REQUEST_ID
from depesche.errors import DeadlineExceeded, DepescheError, InvalidRequest, ShuttingDown
from depesche.server.metrics import Metrics
from depesche.server.status import REQUEST_ID_KEY, code_of, to_status, trailing_metadata
from depesche.server.wire import decoder

__all__ = [
    "CallInterceptor",
    "Context",
    "DecodingInterceptor",
    "Handler",
    "OwnMethods",
    "metadata_of",
    "run_within",
]

_OWN_METHODS = "/depesche."
# gRPC's timer may run ahead of the clock that tells the time remaining.
_LATE_SECONDS = 0.1

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    # Generic in its stubs alone.
    Handler = grpc.RpcMethodHandler
"""What gRPC calls for one method."""

Context = grpc.aio.ServicerContext[Any, Any]
"""What gRPC knows of a call."""

_Behaviour = Callable[[Any, Context], Any]
_Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]

_MAKERS: dict[str, Callable[..., Handler]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}

_log = structlog.get_logger()


class OwnMethods(grpc.aio.ServerInterceptor, ABC):
    """Wraps the handlers of this service's own methods, of all four kinds."""

    async def intercept_service(
        self, continuation: _Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Wrap the handler that gRPC has found; called by gRPC."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None:
            self.missing()
        if handler is None or not method.startswith(_OWN_METHODS):
            return handler
        try:
            self.admit(dict(handler_call_details.invocation_metadata or ()))
        except DepescheError as error:
            handler = _refusing(error)
        return self.wrap(handler, method.lstrip("/"))

    def missing(self) -> None:
        """Note a call of a method that there isn't."""

    def admit(self, metadata: Mapping[str, str | bytes]) -> None:
        """Look at a call before any of its messages is read.

        Args:
            metadata: what the caller sent with the call, by lower-case names.

        Raises:
            DepescheError: what the call is refused by.
        """

    @abstractmethod
    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap the handler of a method, named `package.Service/Method`."""


class CallInterceptor(OwnMethods):
    """Gives each call an id, one log line, its metrics, and a status for every error.

    Attributes:
        idle: set while no call is under way.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self._metrics = metrics
        self._calls: dict[_Call, asyncio.Task[Any]] = {}

    def missing(self) -> None:
        """Count the call."""
        self._metrics.unknown_method()

    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap a handler."""
        return run_within(handler, lambda context: self._call(context, method))

    def cut_off(self) -> None:
        """End the calls under way with UNAVAILABLE."""
        for call, task in self._calls.items():
            call.is_cut_off = True
            task.cancel()

    @asynccontextmanager
    async def _call(self, context: Context, method: str) -> AsyncIterator[None]:
        call = _Call(context, method)
        try:
            with self._metrics.in_flight.track_inprogress(), self._counted(call):
                call.begin()
                yield
        except grpc.aio.InternalError:
            # A write found the connection gone; gRPC itself tells nobody and wants it back.
            call.code = StatusCode.CANCELLED
            raise
        except asyncio.CancelledError as error:
            await call.fail_unless_gone(error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
            self._metrics.rejected(error)
            await call.fail(error)
        finally:
            self._metrics.finished(method, call.code.name, call.log())

    @contextmanager
    def _counted(self, call: "_Call") -> Iterator[None]:
        self._calls[call] = _current_task()
        self.idle.clear()
        try:
            yield
        finally:
            del self._calls[call]
            if not self._calls:
                self.idle.set()


class _Call:
    """One call while it runs."""

    def __init__(self, context: Context, method: str) -> None:
        self.code = StatusCode.OK
        self.is_cut_off = False
        self._context = context
        self._method = method
        self._error: BaseException | None = None
        self._started = time.monotonic()
        given = str(metadata_of(context).get(REQUEST_ID_KEY, ""))
        self._id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

    def begin(self) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=self._id)
        self._context.set_trailing_metadata(((REQUEST_ID_KEY, self._id),))
        if self._context.time_remaining() == 0:
            raise DeadlineExceeded("the deadline passed before the call began")

    async def fail(self, error: BaseException) -> NoReturn:
        """End the call with the status of an error."""
        self._error = error
        self.code = code_of(error)
        status = to_status(error, self._id)
        await self._context.abort(
            self.code,
            status.message,
            trailing_metadata=((REQUEST_ID_KEY, self._id), *trailing_metadata(error, status)),
        )

    async def fail_unless_gone(self, error: asyncio.CancelledError) -> None:
        """End the call with a status if its caller still waits for one."""
        if self.is_cut_off:
            _current_task().uncancel()
            await self.fail(ShuttingDown("the service is shutting down"))
        if not _current_task().cancelling():
            # Something that the call waited for was cancelled, not the call. gRPC would leave the
            # caller without an answer (https://github.com/grpc/grpc/issues/29248).
            await self.fail(error)
        # gRPC cancels the task when the caller goes away, and when the deadline passes.
        remaining = self._context.time_remaining()
        late = remaining is not None and remaining < _LATE_SECONDS
        self.code = StatusCode.DEADLINE_EXCEEDED if late else StatusCode.CANCELLED

    def log(self) -> float:
        """Write the call's line; gives its seconds."""
        seconds = time.monotonic() - self._started
        fields: dict[str, Any] = {"method": self._method, "code": self.code.name}
        if isinstance(self._error, DepescheError):
            fields["error"] = str(self._error)
        if self.code is StatusCode.INTERNAL:
            _log.error("call", **fields, seconds=round(seconds, 6), exc_info=self._error)
        else:
            _log.info("call", **fields, seconds=round(seconds, 6))
        return seconds


class DecodingInterceptor(OwnMethods):
    """Raises `InvalidRequest` for a request that is too large or can't be decoded.

    In a stream of requests, such a request comes to the handler as the error itself, so that the
    others go on.
    """

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes

    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap a handler."""
        request_type = Default().FindMethodByName(method.replace("/", ".")).input_type
        decode = handler.request_deserializer
        if decode is None:
            raise AssertionError("generated handlers decode their requests; this is a bug")
        decode = decoder(decode, request_type.full_name, self._max_message_bytes)
        return _rebuilt(handler, _raise_undecodable, decode)


def _raise_undecodable(behaviour: _Behaviour) -> _Behaviour:
    def call(request: Any, context: Context) -> Any:
        if isinstance(request, InvalidRequest):
            raise request
        return behaviour(request, context)

    return call


def run_within(
    handler: Handler, around: Callable[[Context], AbstractAsyncContextManager[None]]
) -> Handler:
    """Run a handler within a context manager.

    The new handler is a coroutine that writes its replies itself: gRPC doesn't close a generator of
    replies when a call is cancelled, so what the generator holds would stay until it is collected.
    """

    def wrapped(behaviour: _Behaviour) -> _Behaviour:
        async def call(request: Any, context: Context) -> Any:
            async with around(context):
                reply = behaviour(request, context)
                if not inspect.isasyncgen(reply):
                    return await reply
                async with aclosing(reply) as messages:
                    async for message in messages:
                        await context.write(message)
                return None

        return call

    return _rebuilt(handler, wrapped, handler.request_deserializer)


def _refusing(error: DepescheError) -> Handler:
    """Make a handler that ends any call with an error; as one of streams, it reads no message."""

    async def call(requests: Any, context: Context) -> None:
        del requests, context
        raise error

    return grpc.stream_stream_rpc_method_handler(call)


def _rebuilt(
    handler: Handler, wrapped: Callable[[_Behaviour], _Behaviour], deserializer: Any
) -> Handler:
    """Make a handler of the same kind with its behaviour wrapped."""
    for kind, make in _MAKERS.items():
        behaviour: _Behaviour | None = getattr(handler, kind)
        if behaviour is not None:
            return make(wrapped(behaviour), deserializer, handler.response_serializer)
    raise AssertionError("a handler has one of four kinds; this is a bug")


def metadata_of(context: Context) -> dict[str, str | bytes]:
    """Give what the caller sent with a call besides its requests, by lower-case names."""
    return dict(context.invocation_metadata() or ())


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("gRPC runs each call in a task; this is a bug")
    return task

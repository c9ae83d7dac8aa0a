"""Requests of HTTP as messages; whatever is wrong with one is a refusal that names the place.

Refusals never hold what stands in a request, but for names of fields.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.requests import Request

from depesche.errors import Violation
from depesche.web.refusals import Refusal, invalid
from depesche.web.rules import Rule

__all__ = [
    "message_of",
    "parsed",
    "read_body",
    "read_bytes",
    "read_json",
    "read_message",
    "wrong_string",
]

_MAX_VIOLATIONS = 20
_NAME = re.compile(r"\w{1,64}", re.ASCII)
_JSON = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', re.ASCII | re.IGNORECASE)


async def read_message(request: Request, rule: Rule, limit: int, seconds: float) -> Message:
    """Read the message that a request stands for.

    Args:
        request: the request.
        rule: the rule that it matches.
        limit: most bytes of the body.
        seconds: longest time that the body may take to come.

    Raises:
        Refusal: the request breaks a rule.
    """
    if request.url.query:
        raise invalid(Violation("query", "this path takes no parameters"))
    message = rule.request_type()
    if rule.has_body:
        message = parsed(await read_body(request, limit, seconds), rule.method.input_type)
    for name in rule.variables:
        setattr(message, name, request.path_params[name])
    return message


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """Read a body of JSON.

    Raises:
        Refusal: it says that it is something else, is too long, or comes too slowly.
    """
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        raise invalid(Violation("content-type", "must be application/json, in UTF-8"), http=415)
    return await read_bytes(request, limit, seconds)


async def read_bytes(request: Request, limit: int, seconds: float) -> bytes:
    """Read a body of any type.

    Raises:
        Refusal: it is compressed, too long, or comes too slowly.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise invalid(Violation("content-encoding", "must be left out"), http=415)
    if int(request.headers.get("content-length", 0)) > limit:
        _too_long(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, limit)
    except TimeoutError:
        message = f"the body didn't come within {seconds:g} seconds"
        raise Refusal(Status(code=code_pb2.DEADLINE_EXCEEDED, message=message), 408) from None


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            _too_long(limit)
    return bytes(body)


def _too_long(limit: int) -> NoReturn:
    raise invalid(Violation("request", f"is too long; the limit is {limit} bytes"), http=413)


def parsed(body: bytes, kind: Descriptor) -> Message:
    """Read a message from protobuf's JSON.

    Raises:
        Refusal: the body isn't JSON, or isn't such a message.
    """
    return message_of(read_json(body), kind)


def message_of(value: Any, kind: Descriptor, field: str = "") -> Message:
    """Make a message of a value of JSON.

    Args:
        value: the value.
        kind: the message's type.
        field: the request's field that it stands in; "" for the whole.

    Raises:
        Refusal: it isn't such a message.
    """
    prefix = f"{field}." if field else ""
    violations = tuple(islice(_wrong(value, kind, prefix), _MAX_VIOLATIONS))
    if violations:
        raise invalid(*violations)
    message = GetMessageClass(kind)()
    try:
        ParseDict(value, message)
    except (ParseError, ValueError):
        # Its words may hold the request's; what can be wrong was told apart above.
        raise invalid(Violation(field or "request", f"isn't a {kind.name}")) from None
    return message


def read_json(body: bytes) -> Any:
    """Read JSON in UTF-8, strictly: no field twice, no number that JSON doesn't have.

    Raises:
        Refusal: it isn't.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        rule = f"isn't UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        rule = f"isn't JSON at line {error.lineno}, column {error.colno}"
    except RecursionError:
        rule = "is nested too deeply"
    except ValueError as error:  # our own, and a number with too many digits
        rule = str(error) if isinstance(error, _NotJsonError) else "holds a number that is too long"
    raise invalid(Violation("request", rule))


class _NotJsonError(ValueError):
    """Something that Python takes for JSON."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotJsonError("holds a field twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"isn't JSON: {name} is no number there")


def _wrong(value: Any, descriptor: Descriptor, prefix: str) -> Iterator[Violation]:
    """Find what isn't a message of a type."""
    if not isinstance(value, dict):
        yield Violation(prefix.rstrip(".") or "request", "must be an object")
        return
    fields = {f.json_name: f for f in descriptor.fields} | {f.name: f for f in descriptor.fields}
    seen: set[str] = set()
    for name, part in value.items():
        field = fields.get(name)
        if field is None:
            yield _unknown(name, descriptor, prefix)
        elif field.name in seen:
            yield Violation(f"{prefix}{field.name}", "is there twice, by both of its names")
        elif part is not None:
            seen.add(field.name)
            yield from _wrong_field(part, field, f"{prefix}{field.name}")


def _unknown(name: str, descriptor: Descriptor, prefix: str) -> Violation:
    shown = f"named {name}" if _NAME.fullmatch(name) else "of such a name"
    where = prefix.rstrip(".") or "request"
    return Violation(where, f"{descriptor.name} has no field {shown}")


def _wrong_field(value: Any, field: FieldDescriptor, path: str) -> Iterator[Violation]:
    if field.message_type is not None and _has_own_form(field.message_type):
        return  # protobuf finds what is wrong with these
    if not field.is_repeated:
        yield from _wrong_value(value, field, path)
    elif not isinstance(value, list):
        yield Violation(path, "must be a list")
    else:
        for index, item in enumerate(value):
            yield from _wrong_value(item, field, f"{path}[{index}]")


def _has_own_form(message: Descriptor) -> bool:
    """Tell whether a message isn't an object of its fields: a map's entry, a `Duration`."""
    return message.GetOptions().map_entry or message.full_name.startswith("google.protobuf.")


def _wrong_value(value: Any, field: FieldDescriptor, path: str) -> Iterator[Violation]:
    if field.message_type is not None:
        yield from _wrong(value, field.message_type, f"{path}.")
    elif field.enum_type is not None:
        yield from _wrong_enum(value, field.enum_type, path)
    elif (check := _CHECKS.get(field.cpp_type)) and (rule := check(value)):
        yield Violation(path, rule)


def _wrong_enum(value: Any, enum: EnumDescriptor, path: str) -> Iterator[Violation]:
    named = isinstance(value, str) and value in enum.values_by_name
    numbered = isinstance(value, int) and not isinstance(value, bool)
    if not (named or (numbered and -(2**31) <= value < 2**31)):
        names = ", ".join(known.name for known in enum.values if known.number)
        yield Violation(path, f"must be one of {names}")


def wrong_string(value: Any) -> str:
    """Tell what is wrong with a value that should be text; "" if nothing is."""
    if not isinstance(value, str):
        return "must be a string"
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"holds half a surrogate pair, at character {error.start}"
    return ""


def _wrong_int32(value: Any) -> str:
    """Check a number, which may stand in quotes and have a fraction of zero."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,10}", value, re.ASCII):
        value = int(value)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    return "" if whole and -(2**31) <= value < 2**31 else "must be a whole number of 32 bits"


_CHECKS: Mapping[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: wrong_string,
    FieldDescriptor.CPPTYPE_INT32: _wrong_int32,
    FieldDescriptor.CPPTYPE_BOOL: lambda v: "" if isinstance(v, bool) else "must be true or false",
}

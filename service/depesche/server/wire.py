"""What the bytes of a request can hold that its message type doesn't say.

Text in another encoding than UTF-8, fields of a later version, numbers that no enumeration has:
protobuf refuses the first without a hint where it stands, and passes over the others in silence.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from depesche.errors import InvalidRequest, Violation

__all__ = ["check_known", "decoder"]

_MAX_VIOLATIONS = 20


def decoder(
    decode: Callable[[bytes], Message], name: str, limit: int
) -> Callable[[bytes], Message | InvalidRequest]:
    """Make a decoder that gives an error as a value, for gRPC would answer one raised by INTERNAL.

    Args:
        decode: decodes a message of the type.
        name: full name of the message type.
        limit: most bytes of a message.
    """

    def decode_or_explain(data: bytes) -> Message | InvalidRequest:
        if len(data) > limit:
            rule = f"has {len(data)} bytes; the limit is {limit}"
            return InvalidRequest([Violation("request", rule)])
        try:
            return decode(data)
        except DecodeError:
            return InvalidRequest([_explain(data, name)])

    return decode_or_explain


def check_known(request: Message) -> None:
    """Refuse a request that asks for what this version doesn't know.

    To leave an option aside in silence would mislead the caller.

    Raises:
        InvalidRequest: names unknown fields by their numbers, and unknown values by their fields.
    """
    violations = tuple(islice(_unknown(request, ""), _MAX_VIOLATIONS))
    if violations:
        raise InvalidRequest(violations)


def _unknown(message: Message, prefix: str) -> Iterator[Violation]:
    kind = message.DESCRIPTOR.name
    for field in UnknownFieldSet(message):  # type: ignore[attr-defined]  # a gap of the stubs
        number = field.field_number
        yield Violation(f"{prefix}{number}", f"no field of {kind} has the number {number} here")
    for path, descriptor, value in _values(message, prefix):
        if descriptor.message_type is not None:
            yield from _unknown(value, f"{path}.")
        elif (enum := descriptor.enum_type) and value not in enum.values_by_number:
            names = ", ".join(v.name for v in enum.values if v.number)
            yield Violation(path, f"must be one of {names}, not {value}")


def _values(message: Message, prefix: str) -> Iterator[tuple[str, FieldDescriptor, Any]]:
    """Give path, descriptor and value of each field that is set, item by item."""
    for descriptor, value in message.ListFields():
        path = f"{prefix}{descriptor.name}"
        if descriptor.is_repeated:
            for index, item in enumerate(value):
                yield f"{path}[{index}]", descriptor, item
        else:
            yield path, descriptor, value


def _explain(data: bytes, name: str) -> Violation:
    """Say why a message can't be decoded: the first text that isn't UTF-8, or else damage."""
    short_name = name.rpartition(".")[2]
    try:
        twin = _bytes_twin(name).FromString(data)
    except DecodeError:
        return Violation("request", f"isn't a {short_name}: its bytes are damaged")
    found = next(_not_utf8(twin, ""), None)
    return found or Violation("request", f"isn't a {short_name}")


def _not_utf8(message: Message, prefix: str) -> Iterator[Violation]:
    for path, descriptor, value in _values(message, prefix):
        if descriptor.message_type is not None:
            yield from _not_utf8(value, f"{path}.")
        elif isinstance(value, bytes):
            try:
                value.decode()
            except UnicodeDecodeError as error:
                yield Violation(path, f"isn't UTF-8 at byte {error.start}")


@cache
def _bytes_twin(name: str) -> type[Message]:
    """Make a message type like the one of that name, with bytes for strings, which decodes any."""
    pool = DescriptorPool()
    file = Default().FindMessageTypeByName(name).file
    _add_twins(pool, file, set())
    return GetMessageClass(pool.FindMessageTypeByName(name))


def _add_twins(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add_twins(pool, dependency, added)
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    proto.ClearField("service")
    for message in proto.message_type:
        _strings_to_bytes(message)
    pool.Add(proto)


def _strings_to_bytes(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES
    for nested in message.nested_type:
        # The key of a map can't be bytes.
        if not nested.options.map_entry:
            _strings_to_bytes(nested)

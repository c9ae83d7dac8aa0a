"""Messages as JSON, in the very bytes that Envoy's transcoder writes.

It isn't what `google.protobuf.json_format` writes: fields come in the order of their numbers,
whether they are set or not, entries of maps in the order in which they came, and more characters
are escaped. `make fleet` compares the bytes with those of an Envoy.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from depesche.web.ordered import is_entry, ordered

__all__ = ["to_json"]

_ANY = "google.protobuf.Any"
_WELL_KNOWN = "google.protobuf."
# What browsers could take for markup or for the end of a line of a script, and what doesn't show.
_ESCAPED = re.compile(
    "[<>\x7f-\x9f\xad\u0600-\u0603\u06dd\u070f\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u2064"
    "\u206a-\u206f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def to_json(data: bytes, name: str) -> str:
    """Write a message, with those fields without a value that can't be told from one of zero.

    Args:
        data: the message, as gRPC has sent it.
        name: full name of its type.
    """
    return _message(ordered(name).FromString(data))


def _message(message: Message) -> str:
    if message.DESCRIPTOR.full_name == _ANY:
        return _any(message)
    if message.DESCRIPTOR.full_name.startswith(_WELL_KNOWN):
        return _plain(MessageToDict(message))
    return f"{{{','.join(_fields(message))}}}"


def _any(message: Any) -> str:
    """Write a message of a type that it names; one that isn't known has no fields."""
    fields = [f'"@type":{_string(message.type_url)}']
    try:
        kind = ordered(message.type_url.rpartition("/")[2])
    except KeyError:
        pass
    else:
        fields += _fields(kind.FromString(message.value))
    return f"{{{','.join(fields)}}}"


def _fields(message: Message) -> Iterable[str]:
    """Write each field that has a value or needs none."""
    for field in _written(message.DESCRIPTOR):
        if not field.has_presence or message.HasField(field.name):
            yield field.key + field.write(getattr(message, field.name))


@dataclass(frozen=True, slots=True)
class _Field:
    """How a field is written."""

    name: str
    key: str
    has_presence: bool
    write: Callable[[Any], str]


@cache
def _written(descriptor: Descriptor) -> tuple[_Field, ...]:
    """Tell how the fields of a type are written, in the order of their numbers."""
    fields = sorted(descriptor.fields, key=lambda field: field.number)
    return tuple(
        _Field(field.name, f"{_string(field.json_name)}:", field.has_presence, _writer(field))
        for field in fields
    )


def _writer(field: FieldDescriptor) -> Callable[[Any], str]:
    if field.message_type is not None and is_entry(field.message_type.full_name):
        value = _value_writer(field.message_type.fields_by_name["value"])
        return lambda entries: f"{{{','.join(f'{_key(e.key)}:{value(e.value)}' for e in entries)}}}"
    write = _value_writer(field)
    return (lambda values: f"[{','.join(map(write, values))}]") if field.is_repeated else write


def _value_writer(field: FieldDescriptor) -> Callable[[Any], str]:
    if field.message_type is not None:
        return _message
    if field.enum_type is not None:
        names = {number: f'"{v.name}"' for number, v in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number) or str(number)
    return _SCALARS.get(field.cpp_type, _plain)


def _key(key: Any) -> str:
    return _string(key if isinstance(key, str) else _plain(key))


def _float(value: float) -> str:
    """Write a number with 15 digits if they tell it, else with 17."""
    if not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else f'"{"-" * (value < 0)}Infinity"'
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


def _string(text: str) -> str:
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] > "\x7f" else f"\\u{ord(found[0]):04x}"


def _plain(value: Any) -> str:
    return _string(value) if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


_SCALARS: dict[int, Callable[[Any], str]] = {
    FieldDescriptor.CPPTYPE_STRING: _string,
    FieldDescriptor.CPPTYPE_INT64: lambda value: f'"{value}"',
    FieldDescriptor.CPPTYPE_UINT64: lambda value: f'"{value}"',
    FieldDescriptor.CPPTYPE_DOUBLE: _float,
}

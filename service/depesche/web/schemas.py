"""Messages of the API as schemas of JSON, in the form in which the JSON edge writes them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

__all__ = ["reference", "schemas"]

_PACKAGE = "depesche.v1."
_DURATION = "google.protobuf.Duration"
_SCALARS: Mapping[int, Mapping[str, Any]] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_INT32: {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
    FieldDescriptor.CPPTYPE_INT64: {"type": "string", "pattern": r"^-?\d{1,19}$"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
}


def schemas(
    requests: Iterable[Descriptor], responses: Iterable[Descriptor], comments: Mapping[str, str]
) -> dict[str, Any]:
    """Make the schemas of messages and of all that they hold, by name.

    Args:
        requests: the messages that clients send. They take no other fields than these.
        responses: the messages that clients get. They have all fields that can't be absent, and may
            get new ones.
        comments: what the protos say, by full name.
    """
    sent = set(chain.from_iterable(_within(message) for message in requests))
    got = set(chain.from_iterable(_within(message) for message in responses))
    made = {
        _name(kind): _enum(kind, comments)
        if isinstance(kind, EnumDescriptor)
        else _message(kind, comments, is_sent=kind in sent)
        for kind in sent | got
    }
    return dict(sorted(made.items()))


def reference(kind: Descriptor | EnumDescriptor) -> dict[str, Any]:
    """Point at the schema of a type."""
    return {"$ref": f"#/components/schemas/{_name(kind)}"}


def _name(kind: Descriptor | EnumDescriptor) -> str:
    return str(kind.full_name).removeprefix(_PACKAGE)


def _within(message: Descriptor) -> Iterator[Descriptor | EnumDescriptor]:
    """Give a type and all that it holds, which never is itself."""
    yield message
    for field in message.fields:
        if field.enum_type is not None:
            yield field.enum_type
        elif field.message_type is not None and not _is_special(field.message_type):
            yield from _within(field.message_type)


def _is_special(message: Descriptor) -> bool:
    return message.full_name == _DURATION or message.GetOptions().map_entry


def _message(message: Descriptor, comments: Mapping[str, str], *, is_sent: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "description": comments[message.full_name],
        "properties": {f.json_name: _field(f, comments) for f in message.fields},
    }
    required = [f.json_name for f in message.fields if _is_required(f, comments, is_sent=is_sent)]
    if required:
        schema["required"] = required
    if is_sent:
        schema["additionalProperties"] = False
    if any(len(oneof.fields) == len(message.fields) for oneof in message.oneofs):
        schema |= {"minProperties": 1, "maxProperties": 1}
    return schema


def _is_required(field: FieldDescriptor, comments: Mapping[str, str], *, is_sent: bool) -> bool:
    """Tell whether a field is always there: by what the protos say, or by how answers are made."""
    return "; required." in comments[field.full_name] if is_sent else not field.has_presence


def _field(field: FieldDescriptor, comments: Mapping[str, str]) -> dict[str, Any]:
    schema = _value(field)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        schema = {"type": "object", "additionalProperties": _value(value)}
    elif field.is_repeated:
        schema = {"type": "array", "items": schema}
    return schema | {"description": comments[field.full_name]}


def _value(field: FieldDescriptor) -> dict[str, Any]:
    kind = field.message_type or field.enum_type
    if kind is None:
        return dict(_SCALARS[field.cpp_type])
    if kind.full_name == _DURATION:
        return {"type": "string", "pattern": r"^-?\d+(\.\d{3}|\.\d{6}|\.\d{9})?s$"}
    return reference(kind)


def _enum(enum: EnumDescriptor, comments: Mapping[str, str]) -> dict[str, Any]:
    prefix = enum.full_name.rpartition(".")[0]
    values = [f"- `{v.name}`: {comments[f'{prefix}.{enum.name}.{v.name}']}" for v in enum.values]
    return {
        "type": "string",
        "description": "\n".join([comments[enum.full_name], "", *values]),
        "enum": [value.name for value in enum.values],
    }

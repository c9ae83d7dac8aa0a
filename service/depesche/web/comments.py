"""What the protos say of their messages, fields, values, services and methods, by full name.

Generated code doesn't hold comments; descriptors that protoc made with `--include_source_info` do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

__all__ = ["comments"]

_Found = Iterator[tuple[tuple[int, ...], str]]


def comments(files: FileDescriptorSet) -> Mapping[str, str]:
    """Give the comment of everything that has one, each paragraph on one line."""
    return dict(chain.from_iterable(_of_file(file) for file in files.file))


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    texts = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    for path, name in _named(file):
        if text := texts.get(path):
            yield f"{file.package}.{name}", _unwrapped(text)


def _unwrapped(text: str) -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _named(file: FileDescriptorProto) -> _Found:
    """Give the path of everything with its name, as `SourceCodeInfo.Location.path` counts them."""
    yield from _each(file.message_type, (FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER,), "")
    yield from _each(file.enum_type, (FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER,), "")
    yield from _each(file.service, (FileDescriptorProto.SERVICE_FIELD_NUMBER,), "")


def _each(items: Iterable[Any], path: Sequence[int], prefix: str) -> _Found:
    for index, item in enumerate(items):
        here, name = (*path, index), f"{prefix}{item.name}"
        yield here, name
        for number, parts in _parts(item):
            yield from _each(parts, (*here, number), f"{name}.")


def _parts(item: Any) -> Iterator[tuple[int, Iterable[Any]]]:
    if isinstance(item, DescriptorProto):
        yield DescriptorProto.FIELD_FIELD_NUMBER, item.field
        yield DescriptorProto.NESTED_TYPE_FIELD_NUMBER, item.nested_type
        yield DescriptorProto.ENUM_TYPE_FIELD_NUMBER, item.enum_type
    elif isinstance(item, EnumDescriptorProto):
        yield EnumDescriptorProto.VALUE_FIELD_NUMBER, item.value
    elif isinstance(item, ServiceDescriptorProto):
        yield ServiceDescriptorProto.METHOD_FIELD_NUMBER, item.method

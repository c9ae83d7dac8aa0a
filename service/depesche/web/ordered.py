"""Message types whose maps keep the order in which their entries came.

Protobuf's maps have none: read one twice, and it may come in two orders. Envoy never makes a map of
the entries and writes them as they come.
"""

from functools import cache

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

__all__ = ["is_entry", "ordered"]


@cache
def ordered(name: str) -> type[Message]:
    """Make a message type like the one of that name, with lists of entries for maps.

    Raises:
        KeyError: there is none of that name.
    """
    pool = DescriptorPool()
    _add(pool, Default().FindMessageTypeByName(name).file)
    return GetMessageClass(pool.FindMessageTypeByName(name))


@cache
def is_entry(name: str) -> bool:
    """Tell whether a message type is that of a map's entries."""
    return bool(Default().FindMessageTypeByName(name).GetOptions().map_entry)


def _add(pool: DescriptorPool, file: FileDescriptor) -> None:
    for dependency in file.dependencies:
        _add(pool, dependency)
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    proto.ClearField("service")
    for message in proto.message_type:
        _maps_to_lists(message)
    pool.Add(proto)


def _maps_to_lists(message: DescriptorProto) -> None:
    for nested in message.nested_type:
        nested.options.ClearField("map_entry")
        _maps_to_lists(nested)

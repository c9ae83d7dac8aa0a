"""How values stand in the JSON of the page."""

from datetime import UTC, datetime

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

__all__ = ["moment", "plain"]


def moment(seconds: float) -> str:
    """Write a time, in seconds since 1970, as RFC 3339 has it, in UTC and to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def plain(message: Message) -> object:
    """Give a message as values of JSON, with fields that are empty."""
    return MessageToDict(message, always_print_fields_with_no_presence=True)

"""One JSON line for each event, on standard output; the logs of libraries too.

A line never holds text of a release. That includes the messages of exceptions that nobody raised
on purpose: such an exception is logged by its class and its place in the code.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

__all__ = ["configure"]

_MAX_FRAMES = 12


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process through one JSON formatter.

    Args:
        level: the least severe level that is written: debug, info, warning or error.
        stream: where lines go; standard output by default.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=[]), *shared],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                _event_first,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def _place_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its class and the places it passed through."""
    info = event.pop("exc_info", None)
    error = sys.exception() if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
        event["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames]
    return event


def _event_first(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Begin the line with what happened, for people read it as well."""
    return {"event": event.pop("event", ""), **event}

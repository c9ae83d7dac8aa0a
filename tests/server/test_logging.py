import io
import json
import logging
from datetime import UTC, datetime

import pytest
import structlog

from depesche.server.logging import configure
from tests.server.logs import captured_logs


def test_an_event_is_one_json_line() -> None:
    """A line begins with its event and holds its fields, its level and its time in UTC."""
    with captured_logs() as lines:
        structlog.get_logger().info("ready", listen="127.0.0.1:1")
    (line,) = lines()
    age = datetime.now(UTC) - datetime.fromisoformat(line.pop("timestamp"))

    assert line == {"event": "ready", "listen": "127.0.0.1:1", "level": "info"}
    assert 0 <= age.total_seconds() < 60


def test_what_is_bound_to_the_context_is_on_the_line() -> None:
    """A call's lines share its id."""
    with captured_logs() as lines:
        structlog.contextvars.bind_contextvars(request_id="abc")
        structlog.get_logger().info("call")

    assert lines()[0]["request_id"] == "abc"


def test_libraries_log_through_the_same_formatter() -> None:
    """A library's record is a JSON line too."""
    with captured_logs() as lines:
        logging.getLogger("grpc").warning("port %d is odd", 7)

    assert lines()[0]["event"] == "port 7 is odd"
    assert lines()[0]["level"] == "warning"


@pytest.mark.parametrize("foreign", [True, False])
def test_an_exception_is_its_class_and_its_places(*, foreign: bool) -> None:
    """Neither the message of an exception nor any value shows, for both could be text."""
    with captured_logs() as lines:
        log = logging.getLogger("asyncio") if foreign else structlog.get_logger()
        try:
            int("geheim")
        except ValueError as error:
            log.exception("failed", exc_info=error)
    (line,) = lines()

    assert line["exception"] == "ValueError"
    assert line["frames"][0].endswith("test_an_exception_is_its_class_and_its_places")
    assert "geheim" not in json.dumps(line)


def test_less_severe_lines_are_left_out() -> None:
    """The level is the least that is written."""
    stream = io.StringIO()
    with captured_logs():
        configure("warning", stream)
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]

"""Fixtures of the watcher's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watch.support import Desk
from tests.watch.web import WebServer


@pytest.fixture
def web() -> Iterator[WebServer]:
    """Run a web server."""
    with WebServer() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Make a watcher of fakes."""
    return Desk(tmp_path)

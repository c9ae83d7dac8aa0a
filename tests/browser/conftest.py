"""The marker `browser`: these tests need what `make browser` installs, and run if asked for."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.support import Desk

# They import it.
collect_ignore_glob = [] if find_spec("schemathesis") and find_spec("playwright") else ["test_*.py"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of browsers out unless `-m` names them."""
    if "browser" in config.option.markexpr:
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=browser)
    items[:] = [item for item in items if item not in browser]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Run Chromium."""
    from tests.browser.support import chromium  # noqa: PLC0415 - `make browser` installs it

    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def real_url() -> Iterator[str]:
    """Run the service with the models of the repository."""
    from tests.browser.support import web_process  # noqa: PLC0415 - as above

    with web_process() as url:
        yield url


@pytest.fixture(scope="session")
def fake_url() -> Iterator[str]:
    """Run the service with a model that knows one release by heart."""
    from tests.browser.newsroom import newsroom  # noqa: PLC0415 - as above
    from tests.browser.support import hosted  # noqa: PLC0415 - as above

    with hosted(newsroom) as found:
        yield found.value.url


@pytest.fixture
def real(browser: "Browser", real_url: str) -> "Iterator[Desk]":
    """Open the page of the service with real models."""
    from tests.browser.support import desk  # noqa: PLC0415 - as above

    with desk(browser, real_url) as found:
        yield found


@pytest.fixture
def fake(browser: "Browser", fake_url: str) -> "Iterator[Desk]":
    """Open the page of the service that knows one release."""
    from tests.browser.support import desk  # noqa: PLC0415 - as above

    with desk(browser, fake_url) as found:
        yield found

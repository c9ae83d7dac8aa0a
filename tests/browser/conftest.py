"""The marker `browser`: these tests need what `make browser` installs, and run if asked for."""

from importlib.util import find_spec

import pytest

# They import it.
collect_ignore_glob = [] if find_spec("schemathesis") else ["test_*.py"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of browsers out unless `-m` names them."""
    if "browser" in config.option.markexpr:
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=browser)
    items[:] = [item for item in items if item not in browser]

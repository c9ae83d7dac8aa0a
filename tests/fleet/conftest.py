"""The marker `fleet`: these tests take minutes, so they run if they are asked for alone."""

from importlib.util import find_spec

import pytest

# They import it; `make fleet` installs it.
collect_ignore_glob = [] if find_spec("dnslib") else ["test_*.py"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of fleets out unless `-m` names them."""
    if "fleet" in config.option.markexpr:
        return
    fleet = [item for item in items if item.get_closest_marker("fleet")]
    config.hook.pytest_deselected(items=fleet)
    items[:] = [item for item in items if item not in fleet]

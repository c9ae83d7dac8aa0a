"""The configuration of Envoy that is shipped."""

import subprocess

import pytest

from tests.fleet.proxy import EXAMPLE, binary

pytestmark = pytest.mark.fleet


def test_envoy_takes_it() -> None:
    """As it is, and without a word on anything deprecated."""
    command = [binary(), "--mode", "validate", "-c", str(EXAMPLE), "-l", "warn"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "OK" in done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr

"""Fixtures that run helm."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, Refused, Render


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm of `make chart`."""
    beside = Path(sys.executable).with_name("helm")
    found = str(beside) if beside.exists() else shutil.which("helm")
    if found is None:
        pytest.skip("helm isn't installed; `make chart` installs it")
    return found


@pytest.fixture(scope="session")
def render(helm: str) -> Render:
    """Render the chart for some values, or for a scenario's file with values over it."""

    def rendered(values: Mapping[str, Any] | Path, *more: str, notes: bool = False) -> Any:
        text = values.read_text("utf-8") if isinstance(values, Path) else json.dumps(values)
        # `install` on the client alone, since `template` leaves the notes out.
        verb = ("install", "--dry-run=client") if notes else ("template",)
        command = [helm, *verb, "briefs", CHART, "-n", "news", "-f", "-", *more]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(done.stderr)
        if notes:
            return done.stdout.partition("NOTES:")[2]
        return [each for each in yaml.safe_load_all(done.stdout) if each]

    return rendered


@pytest.fixture(scope="session")
def chart_docs() -> ModuleType:
    """What docs/ knows of the chart's values."""
    spec = importlib.util.spec_from_file_location("chart", CHART.parents[1] / "docs" / "chart.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module

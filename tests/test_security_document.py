"""docs/security.md names only what is there."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from depesche.config import Settings

ROOT = Path(__file__).parents[1]
_TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
_TESTS = sorted(set(re.findall(r"`(tests/[\w/.]+?)(?:::(\w+))?`", _TEXT)))
_SETTINGS = sorted(set(re.findall(r"`DEPESCHE_(\w+)`", _TEXT)))
_VALUES = sorted(set(re.findall(r"`([a-z]\w*(?:\.\w+)+|resources|scratchSize)`", _TEXT)))
_FILES = sorted(set(re.findall(r"\]\(([\w/.-]+)\)", _TEXT)))
_TARGETS = sorted(set(re.findall(r"(?m)(?:`|^    )make (\w+)", _TEXT)))


@cache
def _values() -> object:
    return yaml.safe_load((ROOT / "helm" / "depesche" / "values.yaml").read_text("utf-8"))


@pytest.mark.parametrize(("path", "name"), _TESTS)
def test_named_test_exists(path: str, name: str) -> None:
    """A test that was renamed or taken out answers no threat."""
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", _SETTINGS)
def test_named_setting_exists(name: str) -> None:
    """Each variable is a setting."""
    assert name.lower() in Settings.model_fields


@pytest.mark.parametrize("path", _VALUES)
def test_named_value_exists(path: str) -> None:
    """Each value is in the chart."""
    part = _values()
    for key in path.split("."):
        assert isinstance(part, dict)
        part = part[key]


@pytest.mark.parametrize("path", _FILES)
def test_linked_file_exists(path: str) -> None:
    """Each link leads to a file."""
    assert (ROOT / "docs" / path).is_file()


@pytest.mark.parametrize("name", _TARGETS)
def test_named_target_exists(name: str) -> None:
    """Each chore is one of the Makefile."""
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_enough_is_named() -> None:
    """The patterns above find what the document names."""
    assert len(_TESTS) > 80
    assert len(_FILES) > 0
    assert len(_TARGETS) > 0
    assert len(_SETTINGS) > 10
    assert len(_VALUES) > 6

"""What is installed is locked, and may be used."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "requirements"
_LOCKS = sorted(FOLDER.glob("*.txt"))

# Permissive licences, and the MPL, whose terms hold for changed files of the package alone.
_ALLOWED = re.compile(
    r"MIT|BSD|0BSD|Apache|ISC|Zlib|CC0|PSF|CNRI-Python|MPL|Mozilla Public", re.IGNORECASE
)
_STRICT = re.compile(r"\b[AL]?GPL|SSPL|BUSL|Commons Clause|NonCommercial", re.IGNORECASE)
# Triple-licensed, and taken under the MPL.
_CHOICE = {"tld": "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later"}


def _entries(lock: Path) -> list[str]:
    """Give the requirements of a lock, each with its hashes, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", lock.read_text("utf-8"))
    return re.sub(r"\\\n\s*", "", text).splitlines()


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda path: path.stem)
def test_every_line_has_a_version_and_a_hash(lock: Path) -> None:
    """Nothing can come in another version, or as other bytes, than was locked."""
    entries = _entries(lock)

    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER.parent / "docs"))
    return importlib.import_module("dependencies")


def test_licences_are_known(shipped: ModuleType) -> None:
    """Each package that is shipped is under a licence that allows it."""
    licences = {each.name: shipped.licence(each.name) for each in shipped.packages()}

    assert len(licences) > 50
    for name, licence in licences.items():
        if _CHOICE.get(name) != licence:
            assert _ALLOWED.search(licence), f"{name}: {licence or 'no licence'}"
            assert not _STRICT.search(licence), f"{name}: {licence}"


def test_every_package_is_needed(shipped: ModuleType) -> None:
    """The table tells of each package which other one asks for it, up to the service itself."""
    needed_by = {each.name: each.needed_by for each in shipped.packages()}

    assert all(needed_by.values())
    assert {user for users in needed_by.values() for user in users} <= {*needed_by, "depesche"}

"""What is installed is locked, and may be used."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

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


def _shipped() -> Iterator[tuple[str, str]]:
    """Give the packages of the image that are installed here, each with its licence."""
    for name in {entry.partition("==")[0] for entry in _entries(FOLDER / "image.txt")}:
        try:
            about = metadata(name)
        except PackageNotFoundError:
            continue  # of another platform, or an extra that this environment lacks
        classifiers = [
            each.rpartition("::")[2].strip()
            for each in about.get_all("Classifier") or []
            if each.startswith("License ::")
        ]
        texts = (about.get("License-Expression"), *classifiers, about.get("License"))
        yield name, next((text for text in texts if text), "").splitlines()[0]


def test_licences_are_known() -> None:
    """Each package that is shipped is under a licence that allows it."""
    licences = dict(_shipped())

    assert len(licences) > 50
    for name, licence in licences.items():
        if _CHOICE.get(name) != licence:
            assert _ALLOWED.search(licence), f"{name}: {licence or 'no licence'}"
            assert not _STRICT.search(licence), f"{name}: {licence}"

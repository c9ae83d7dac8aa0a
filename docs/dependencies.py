"""Write what is shipped beside the service's own code: packages, licences, who needs them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

__all__ = ["Package", "dependencies", "licence", "packages"]

_LOCK = Path(__file__).parents[1] / "requirements" / "image.txt"
_ENTRY = re.compile(r"(?m)^([\w.-]+)==(\S+)(.*)\n((?:    .*\n?)*)")
_VIA = re.compile(r"(?m)^    # (?:via |  )(?!via$)(\S+)(?: .*)?$")
# For a browser, where the service doesn't run.
_ELSEWHERE = "sys_platform == 'emscripten'"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the image's lock.

    Attributes:
        name: its name.
        versions: the locked version, or one for each range of Python's versions.
        needed_by: names of the packages that ask for it; `depesche` for the service itself.
    """

    name: str
    versions: tuple[str, ...]
    needed_by: tuple[str, ...]


def packages() -> Iterator[Package]:
    """Read the lock, in its order."""
    found: dict[str, Package] = {}
    for name, version, marker, notes in _ENTRY.findall(_LOCK.read_text("utf-8")):
        if _ELSEWHERE in marker:
            continue
        users = tuple(user for user in _VIA.findall(notes) if user != "-c")
        versions = (*found[name].versions, version) if name in found else (version,)
        found[name] = Package(name, versions, users)
    yield from found.values()


def licence(name: str) -> str:
    """Give the licence that an installed package names; "" for none.

    Raises:
        PackageNotFoundError: it isn't installed.
    """
    about = metadata(name)
    classifiers = [
        each.rpartition("::")[2].strip()
        for each in about.get_all("Classifier") or []
        if each.startswith("License ::")
    ]
    texts = (about.get("License-Expression"), *classifiers, about.get("License"))
    return next((text for text in texts if text), "").partition("\n")[0]


def dependencies() -> str:
    """Make the table of packages."""
    rows = [
        "# Dependencies",
        "",
        "What the image holds beside the service and Python, by `requirements/image.txt`;",
        "the licences are those that the packages name. `tests/test_requirements.py` has the",
        "allowed ones.",
        "",
        "| package | version | licence | needed by |",
        "| --- | --- | --- | --- |",
        *map(_row, packages()),
    ]
    return "\n".join(rows) + "\n"


def _row(package: Package) -> str:
    cells = (
        f"`{package.name}`",
        " or ".join(package.versions),
        licence(package.name),
        ", ".join(package.needed_by),
    )
    return f"| {' | '.join(cells)} |"

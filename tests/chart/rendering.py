"""Rendering of the chart, and what is looked for in it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["CHART", "SCENARIOS", "Objects", "Refused", "Render", "environment", "one", "server_of"]

CHART = Path(__file__).parents[2] / "helm" / "depesche"
SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))

Objects = list[dict[str, Any]]
Render = Callable[..., Objects]


class Refused(Exception):
    """Helm refused the values."""


def one(objects: Objects, kind: str, suffix: str = "") -> dict[str, Any]:
    """Return the only object of a kind whose name ends so."""
    (found,) = (
        each
        for each in objects
        if each["kind"] == kind and each["metadata"]["name"].endswith(suffix)
    )
    return found


def server_of(objects: Objects) -> dict[str, Any]:
    """Return the server's container."""
    containers = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    (found,) = (each for each in containers if each["name"] == "server")
    result: dict[str, Any] = found
    return result


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that have a value, each of which may be set once only."""
    names = [variable["name"] for variable in container["env"]]
    assert len(names) == len(set(names))
    return {v["name"]: v["value"] for v in container["env"] if "value" in v}

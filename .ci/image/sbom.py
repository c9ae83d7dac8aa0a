"""Add the models to a bill of materials: `python sbom.py ENVIRONMENT MANIFEST OUTPUT`.

ENVIRONMENT is CycloneDX in JSON, of the installed packages; the models that are in the image become
components of the type `machine-learning-model`, with the digests of their files.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["bill", "model_component"]


def bill(environment: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the bill of the environment with those of the manifest's models that come with it."""
    models = [
        model_component(name, spec) for name, spec in manifest["models"].items() if "path" in spec
    ]
    return environment | {"components": [*environment.get("components", []), *models]}


def model_component(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of the manifest (https://cyclonedx.org/docs/1.6/json/#components)."""
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{name}@{spec['revision']}",
        "name": name,
        "version": spec["revision"],
        "description": spec["source"],
        "licenses": [{"expression": spec["licence"]}],
        "components": [
            {
                "type": "file",
                "name": file["name"],
                "hashes": [{"alg": "SHA-256", "content": file["sha256"]}],
            }
            for file in spec["files"]
        ],
    }


def main() -> None:
    """Read, add, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("environment", "manifest", "output"):
        parser.add_argument(name, type=Path)
    paths = parser.parse_args()
    whole = bill(
        json.loads(paths.environment.read_text("utf-8")),
        tomllib.loads(paths.manifest.read_text("utf-8")),
    )
    paths.output.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

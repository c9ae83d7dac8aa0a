"""Add the models to a bill of materials: `python sbom.py ENVIRONMENT MANIFEST OUTPUT`.

ENVIRONMENT is CycloneDX 1.6 in JSON, of the installed packages, of which `depesche` becomes the
subject of the bill. The models that are in the image become components of the type
`machine-learning-model`, with the digests of their files.
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
    references = [model["bom-ref"] for model in models]
    packages = environment["components"]
    (subject,) = (each for each in packages if each["name"] == "depesche")
    dependencies = [
        each | {"dependsOn": [*each.get("dependsOn", []), *references]}
        if each["ref"] == subject["bom-ref"]
        else each
        for each in environment["dependencies"]
    ]
    return environment | {
        "metadata": environment["metadata"] | {"component": subject | {"type": "application"}},
        "components": [*(each for each in packages if each is not subject), *models],
        "dependencies": [*dependencies, *({"ref": reference} for reference in references)],
    }


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
    """Read, add, check against CycloneDX's schema, write."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - the build has it, tests of `bill` don't
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - as above

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("environment", "manifest", "output"):
        parser.add_argument(name, type=Path)
    paths = parser.parse_args()
    whole = bill(
        json.loads(paths.environment.read_text("utf-8")),
        tomllib.loads(paths.manifest.read_text("utf-8")),
    )
    text = json.dumps(whole, indent=2) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"{paths.output}: {error}")
    paths.output.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

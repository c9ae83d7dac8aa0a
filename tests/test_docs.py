"""Documents that are made from the code are up to date."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", ["catalogue.md", "cli.md", "configuration.md", "metrics.md"])
def test_document_equals_what_the_code_makes(name: str) -> None:
    """A change of the code that changes a document fails until `make docs` was run."""
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    assert (FOLDER / name).read_text("utf-8") == generate.DOCUMENTS[name]()

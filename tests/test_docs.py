"""Documents that are made from the code are up to date."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        *(
            f"docs/{name}.md"
            for name in ("api", "catalogue", "cli", "configuration", "dependencies", "metrics")
        ),
        "helm/depesche/README.md",
        "helm/depesche/values.schema.json",
        "service/depesche/web/openapi.json",
    ],
)
def test_document_equals_what_the_code_makes(generate: ModuleType, name: str) -> None:
    """A change of the code that changes a document fails until `make docs` was run."""
    assert (ROOT / name).read_text("utf-8") == generate.DOCUMENTS[name]()


def test_every_document_is_compared(generate: ModuleType) -> None:
    """No document can be added without the test above."""
    assert len(generate.DOCUMENTS) == 9

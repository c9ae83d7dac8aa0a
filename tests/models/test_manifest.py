from pathlib import Path

import pytest

from depesche.errors import ModelError
from depesche.models.manifest import Manifest

SHIPPED = Path(__file__).parents[2] / "models" / "manifest.toml"

DIGEST = "a" * 64
FILES = f'[{{ name = "model.bin", size = 3, sha256 = "{DIGEST}" }}]'
VALID = {
    "task": '"summary"',
    "family": '"bert"',
    "languages": '["en"]',
    "revision": '"1"',
    "path": '"tiny/1"',
    "source": '"made for a test"',
    "licence": '"Apache-2.0"',
    "commercial": "true",
    "quantisation": '"int8"',
    "max_source_tokens": "256",
    "files": FILES,
}


def read(folder: Path, document: str) -> Manifest:
    path = folder / "manifest.toml"
    path.write_text(document, "utf-8")
    return Manifest.read(path)


def table(**changes: str | None) -> str:
    """Write a valid table with some keys changed, or left out where None."""
    keys = {key: value for key, value in (VALID | changes).items() if value is not None}
    return "[models.tiny]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items())


def test_valid(tmp_path: Path) -> None:
    """A valid table becomes a spec, named by its table."""
    (spec,) = read(tmp_path, table())
    assert (spec.name, spec.task, spec.languages, spec.target) == ("tiny", "summary", ("en",), None)
    assert (spec.files[0].sha256, spec.files[0].size, spec.max_target_tokens) == (DIGEST, 3, 0)


def test_no_models(tmp_path: Path) -> None:
    """An empty manifest holds no models."""
    assert list(read(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"license": '"MIT"'}, "license: Extra inputs"),
        ({"name": '"other"'}, "second name"),
        ({"licence": None}, "licence: Field required"),
        ({"task": '"poetry"'}, "task: Input should be 'summary' or 'translation'"),
        ({"languages": "[]"}, "languages: .*at least 1"),
        ({"languages": '["tlh"]'}, "languages.0: "),
        ({"commercial": '"yes"'}, "commercial: Input should be a valid boolean"),
        ({"path": '"../elsewhere"'}, "path: "),
        ({"path": '"tiny/../../elsewhere"'}, "path: "),
        ({"path": '"/etc"'}, "path: "),
        ({"path": '"tiny\\\\1"'}, "path: "),
        ({"files": "[]"}, "revision, path, quantisation and files are needed, or else hub"),
        ({"files": FILES.replace("model.bin", "m.bin")}, "files must hold model.bin"),
        ({"files": '[{ name = "model.bin", size = 3 }]'}, "files.0.sha256: Field required"),
        ({"files": FILES.replace(DIGEST, "abc")}, "files.0.sha256: "),
        ({"files": FILES.replace("3", '"3"')}, "files.0.size: "),
        ({"files": FILES.replace("model.bin", "../model.bin")}, "files.0.name: "),
        ({"files": FILES.replace("model.bin", "a/model.bin")}, "files.0.name: "),
        ({"files": f"[{FILES[1:-1]}, {FILES[1:-1]}]"}, "files must differ in name"),
        ({"task": '"translation"'}, "needs target and max_target_tokens"),
    ],
)
def test_invalid(tmp_path: Path, changes: dict[str, str | None], rule: str) -> None:
    """What breaks a rule is refused, with the model and the key named."""
    with pytest.raises(ModelError, match=rf"model 'tiny'.*{rule}"):
        read(tmp_path, table(**changes))


@pytest.mark.parametrize(
    "document", ["[models.tiny", "[models.tiny]\n[models.tiny]", "\N{NO-BREAK SPACE}= 1"]
)
def test_not_toml(tmp_path: Path, document: str) -> None:
    """A file that isn't TOML is refused."""
    with pytest.raises(ModelError, match="isn't TOML"):
        read(tmp_path, document)


def test_not_text(tmp_path: Path) -> None:
    """A file that isn't UTF-8 is refused as well."""
    (tmp_path / "manifest.toml").write_bytes(b"\xff")
    with pytest.raises(ModelError, match="isn't TOML"):
        Manifest.read(tmp_path / "manifest.toml")


@pytest.mark.parametrize("document", ["models = 3", "version = 1", "[model.tiny]"])
def test_other_keys(tmp_path: Path, document: str) -> None:
    """Nothing stands beside the models' tables."""
    with pytest.raises(ModelError, match="nothing but tables"):
        read(tmp_path, document)


def test_model_is_no_table(tmp_path: Path) -> None:
    """A model is a table."""
    with pytest.raises(ModelError, match="model 'tiny' must be a table"):
        read(tmp_path, "models.tiny = 3")


def test_missing(tmp_path: Path) -> None:
    """A missing manifest is a model error that names the file."""
    with pytest.raises(ModelError, match=r"manifest\.toml can't be read: No such file"):
        Manifest.read(tmp_path / "manifest.toml")


def test_shipped() -> None:
    """The shipped manifest is valid, and two models come with the service."""
    assert {spec.name: spec.task for spec in Manifest.read(SHIPPED) if spec.hub is None} == {
        "embedded": "translation",
        "minilm": "summary",
    }


def test_where_a_model_is_had_from(tmp_path: Path) -> None:
    """A repository whose files are named, or an archive; not both, and not neither."""
    table = TABLE_ON_HUB.format(origin='repository = "o/n"', name="*.npz")
    with pytest.raises(ModelError, match=r"hub: .*files of a repository must be named whole"):
        read(tmp_path, table)
    both = 'repository = "o/n"\nhub.archive = "https://models.example/x.zip"'
    for origin in (both, 'archive = ""'):
        with pytest.raises(ModelError, match="repository or archive is needed, and not both"):
            read(tmp_path, TABLE_ON_HUB.format(origin=origin, name="x.npz"))
    with pytest.raises(ModelError, match=r"hub\.archive"):
        read(tmp_path, TABLE_ON_HUB.format(origin='archive = "ftp://x/y.zip"', name="x.npz"))


TABLE_ON_HUB = """
[models.tiny]
task = "translation"
family = "marian"
languages = ["de"]
target = "en"
source = "made for tests"
licence = "MIT"
commercial = true
max_source_tokens = 200
max_target_tokens = 40
hub.{origin}
hub.revision = "main"
hub.files = [{{ name = "{name}" }}]
"""

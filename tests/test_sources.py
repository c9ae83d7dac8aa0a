import io
from pathlib import Path

import pytest

from depesche.errors import InvalidRequest
from depesche.sources import Source, find_files, is_one_file
from depesche.types import ContentFormat, Language, Release
from tests.documents.samples import docx_of, eml_of

_TEXT = "Die Brücke ist offen."


async def test_a_release_of_any_kind(tmp_path: Path) -> None:
    """A file gives a release, with the title that it holds unless another is given."""
    path = tmp_path / "a.eml"
    path.write_bytes(eml_of(_TEXT, subject="Köln").as_bytes())

    assert await Source(str(path)).read() == Release(f"{_TEXT}\n", title="Köln")
    assert await Source(str(path), "auto", "Neu", Language.GERMAN).read() == Release(
        f"{_TEXT}\n", title="Neu", language=Language.GERMAN
    )


@pytest.mark.parametrize(
    ("input_format", "release"),
    [
        ("auto", Release(f"<p>{_TEXT}</p>", ContentFormat.HTML)),
        ("plain", Release(f"<p>{_TEXT}</p>", ContentFormat.HTML)),
        ("html", Release(f"<p>{_TEXT}</p>", ContentFormat.HTML)),
    ],
)
async def test_the_standard_input(
    input_format: str, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes in is told by its content, whatever is said of text."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(docx_of(_TEXT))))

    assert await Source("-", input_format).read() == release


@pytest.mark.parametrize(
    ("input_format", "content_format"),
    [
        ("plain", ContentFormat.PLAIN),
        ("html", ContentFormat.HTML),
        ("lines", ContentFormat.LINES),
    ],
)
async def test_text_as_it_is_said_to_be(
    input_format: str, content_format: ContentFormat, tmp_path: Path
) -> None:
    """What is said of a text goes before its name."""
    path = tmp_path / "a.eml"
    path.write_text(_TEXT, encoding="utf-8")

    assert await Source(str(path), input_format).read() == Release(_TEXT, content_format)


async def test_errors_name_the_file(tmp_path: Path) -> None:
    """What is wrong is told of the file's name, as it may be shown."""
    path = tmp_path / "a\x1b.pdf"
    path.write_text(_TEXT, encoding="utf-8")

    with pytest.raises(InvalidRequest) as refused:
        await Source(str(path)).read()

    assert str(refused.value) == f"{tmp_path}/a�.pdf: is no PDF, though its name or type says so"


def test_files_of_a_folder(tmp_path: Path) -> None:
    """A folder stands for its files of an accepted kind, by name, and nothing else in it."""
    for name in ("b.TXT", "a.docx", ".hidden.txt", "c.png", "a.docx.brief.txt", "x.brief.md"):
        (tmp_path / name).touch()
    (tmp_path / "inner.txt").mkdir()
    own = str(tmp_path / "a.docx")

    assert find_files([str(tmp_path), own, "missing.pdf"]) == [
        own,
        str(tmp_path / "b.TXT"),
        "missing.pdf",
    ]


@pytest.mark.parametrize(
    ("paths", "rule"),
    [
        (["{}"], "{}: holds no file that can be read; their names end in .docx, .eml, .htm"),
        (["a.txt", "-"], "standard input: can't be one of several files"),
    ],
)
def test_what_is_no_file(tmp_path: Path, paths: list[str], rule: str) -> None:
    """A folder without a release, and the standard input among files, are wrong use."""
    with pytest.raises(InvalidRequest) as refused:
        find_files([path.format(tmp_path) for path in paths])

    assert str(refused.value).startswith(rule.format(tmp_path))


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that can't be read is told as such."""

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read any folder

    with pytest.raises(InvalidRequest, match="can't be read: Permission denied"):
        find_files([str(tmp_path)])


def test_one_file(tmp_path: Path) -> None:
    """One path is one file unless it is a folder; an empty one isn't the current folder."""
    assert is_one_file(["-"])
    assert is_one_file([""])
    assert is_one_file(["missing.txt"])
    assert not is_one_file([str(tmp_path)])
    assert not is_one_file(["a", "b"])

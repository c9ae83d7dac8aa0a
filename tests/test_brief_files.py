"""Briefs of several files and of folders, with fake models here or behind a server."""

import html
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse

from depesche import batch, commands
from depesche.cli import main
from depesche.config import Settings
from depesche.errors import ModelError
from depesche.inference.fake import FakeBackend
from depesche.loading import LoadedModels
from depesche.models.store import ModelStore
from depesche.outputs import Folder, Printed
from depesche.sources import Source
from depesche.types import BriefOptions, Priority
from depesche.v1 import brief_pb2
from tests.documents.samples import docx_of, eml_of, page_of, pdf_of
from tests.rpc.support import serving
from tests.support import fake_loader

_EXAMPLE = Path(__file__).parents[1] / "examples/release.de.txt"
_GERMAN = (
    "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet. Sie kostete viel Geld."
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command line: (arguments, stdin) → (exit code, out, err)."""

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments, loader=fake_loader(FakeBackend(str.upper)))
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill a folder with three releases and a file that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(f"Erste\n\n{_GERMAN}", encoding="utf-8")
    (folder / "b.pdf").write_bytes(b"%PDF-1.7 nothing")
    (folder / "c.docx").write_bytes(docx_of("Dritte", _GERMAN))
    (folder / "d.eml").write_bytes(eml_of(_GERMAN, subject="Vierte").as_bytes())
    return folder


def _all_kinds(folder: Path) -> None:
    """Write the bundled German release as a file of each kind."""
    text = _EXAMPLE.read_text(encoding="utf-8")
    parts = text.split("\n")
    page = "".join(f"<p>{html.escape(part)}</p>" for part in parts)
    folder.mkdir(exist_ok=True)
    (folder / "r.txt").write_text(text, encoding="utf-8")
    (folder / "r.html").write_text(page, encoding="utf-8")
    (folder / "r.docx").write_bytes(docx_of(*parts))
    (folder / "r.pdf").write_bytes(pdf_of([page_of(*parts[:4]), page_of(*parts[4:])]))
    (folder / "r.eml").write_bytes(eml_of(text).as_bytes())


def _sentences(brief: dict[str, Any]) -> tuple[list[str], list[str]]:
    translated = [sentence["normalisedSource"] for sentence in brief["translation"]]
    return translated, [sentence["text"] for sentence in brief["keySentences"]]


def test_every_kind_gives_the_same_sentences(run: Run, tmp_path: Path) -> None:
    """A release has the same sentences and the same brief, whatever file it comes in."""
    _all_kinds(tmp_path)

    code, out, err = run("brief", str(tmp_path), "--format", "json")
    briefs = {record["file"][-5:]: record["brief"] for record in map(json.loads, out.splitlines())}

    assert (code, err) == (0, "")
    assert briefs.keys() == {"r.txt", ".html", ".docx", "r.pdf", "r.eml"}
    assert len(briefs["r.txt"]["translation"]) == 9
    for brief in briefs.values():
        assert _sentences(brief) == _sentences(briefs["r.txt"])


@pytest.mark.parametrize("name", ["r.docx", "r.pdf"])
@pytest.mark.parametrize("command", ["brief", "translate"])
def test_one_file_of_another_kind(run: Run, tmp_path: Path, command: str, name: str) -> None:
    """One file is answered as text is, by its name or as the standard input."""
    _all_kinds(tmp_path)
    expected = run(command, str(tmp_path / "r.txt"))
    content = (tmp_path / name).read_bytes()

    assert run(command, str(tmp_path / name)) == expected
    assert run(command, stdin=content) == run(command, "-", stdin=content) == expected


def test_briefs_below_each_other(run: Run, folder: Path) -> None:
    """Each brief stands below its file's name; what failed is told at the end."""
    code, out, err = run("brief", str(folder))
    names = [line for line in out.splitlines() if line.startswith("==>")]

    assert code == 2
    assert names == [f"==> {folder}/{name} <==" for name in ("a.txt", "c.docx", "d.eml")]
    assert "\n\nERSTE [1]\n" in out
    assert "\n\nVIERTE [1]\n" in out
    assert err == f"depesche: {folder}/b.pdf: is broken: it can't be opened as a PDF\n"


def test_the_order_is_that_of_the_command_line(run: Run, folder: Path) -> None:
    """Files stand as they were named, a missing one among them."""
    paths = [str(folder / name) for name in ("d.eml", "missing.txt", "a.txt")]

    code, out, err = run("brief", *paths)

    assert code == 2
    assert out.index(paths[0]) < out.index(paths[2])
    assert err == f"depesche: {paths[1]}: can't be read: No such file or directory\n"


def test_markdown_is_one_document(run: Run, folder: Path) -> None:
    """Each brief is a section, and no two footnotes have one name."""
    _, out, _ = run("brief", str(folder), "--format", "markdown")
    lines = out.splitlines()
    notes = [line.partition(":")[0] for line in lines if line.startswith("[^")]

    assert [line for line in lines if line.startswith("# ")] == [
        f"# `{folder}/{name}`" for name in ("a.txt", "c.docx", "d.eml")
    ]
    assert "## ERSTE[^1-1]" in lines
    assert "## VIERTE[^4-1]" in lines
    assert len(notes) == len(set(notes)) >= 6


def test_json_lines(run: Run, folder: Path) -> None:
    """Each file has one line of JSON, a brief or what is wrong."""
    _, out, _ = run("brief", str(folder), "--format", "json")
    records = [json.loads(line) for line in out.splitlines()]

    assert [record["file"][-5:] for record in records] == ["a.txt", "b.pdf", ".docx", "d.eml"]
    assert records[1] == {
        "file": f"{folder}/b.pdf",
        "error": "is broken: it can't be opened as a PDF",
    }
    assert records[3]["brief"]["headline"]["text"] == "VIERTE"
    assert records[3]["brief"]["id"] == ""


@pytest.mark.parametrize(
    ("output_format", "suffix"),
    [("text", "txt"), ("markdown", "md"), ("html", "html"), ("json", "json")],
)
def test_a_folder_of_briefs(
    run: Run, folder: Path, tmp_path: Path, output_format: str, suffix: str
) -> None:
    """With --output each brief is a file, the same as one gets of that release alone."""
    out = tmp_path / "deep" / "out"
    arguments = ("--format", output_format, "--output", str(out))

    code, printed, err = run("brief", str(folder), *arguments)
    again, _, _ = run("brief", str(folder / "a.txt"), *arguments)
    alone = run("brief", str(folder / "c.docx"), "--format", output_format)[1]
    written = (out / f"c.docx.brief.{suffix}").read_text(encoding="utf-8")

    assert (code, again, printed) == (2, 0, "")
    assert err.startswith(f"depesche: {folder}/b.pdf: ")
    assert sorted(path.name for path in out.iterdir()) == [
        f"{name}.brief.{suffix}" for name in ("a.txt", "c.docx", "d.eml")
    ]
    assert _timeless(written, output_format) == _timeless(alone, output_format)


def _timeless(text: str, output_format: str) -> object:
    if output_format != "json":
        return text
    response = Parse(text, brief_pb2.CreateBriefResponse())
    response.brief.ClearField("timings")
    return response


def test_html_needs_a_folder_for_several(run: Run, folder: Path) -> None:
    """Documents one below the other would be none; it is told before anything is briefed."""
    code, out, err = run("brief", str(folder), "--format", "html")

    assert (code, out) == (2, "")
    rule = "html is one document for each file: name a folder for them in --output"
    assert err == f"depesche: --format: {rule}\n"


def test_briefs_beside_their_releases(run: Run, folder: Path) -> None:
    """Briefs that are written into the folder aren't briefed the next time."""
    run("brief", str(folder), "--output", str(folder))
    before = sorted(folder.iterdir())

    run("brief", str(folder), "--output", str(folder))

    assert sorted(folder.iterdir()) == before
    assert len(before) == 7


def test_two_files_of_one_name(run: Run, folder: Path, tmp_path: Path) -> None:
    """Two inputs are never written to one name, and then nothing is written at all."""
    (tmp_path / "a.txt").write_text(_GERMAN, encoding="utf-8")
    paths = (str(folder / "a.txt"), str(tmp_path / "a.txt"))

    code, _, err = run("brief", *paths, "--output", str(tmp_path / "out"))

    assert code == 2
    assert err == (
        f"depesche: --output: would hold the briefs of {paths[0]} and of {paths[1]}"
        " under one name\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(run: Run, folder: Path, tmp_path: Path) -> None:
    """What can't be written is told by its path, before or after the briefing."""
    (tmp_path / "file").touch()
    out = tmp_path / "out"
    (out / "a.txt.brief.txt").mkdir(parents=True)

    code, _, err = run("brief", str(folder), "--output", str(tmp_path / "file"))
    assert (code, err) == (
        1,
        f"depesche: --output: {tmp_path}/file can't be written: File exists\n",
    )

    code, _, err = run("brief", str(folder), "--output", str(out))
    assert code == 1
    assert err == f"depesche: --output: {out}/a.txt.brief.txt can't be written: Is a directory\n"
    assert [path.name for path in out.iterdir()] == ["a.txt.brief.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}", "--title", "Neu"], "--title: can be given with one file alone"),
        (["{}", "-"], "standard input: can't be one of several files"),
        (["-", "--output", "{}/out"], "standard input: can't be one of several files"),
        (["{}/none"], "{}/none: can't be read: No such file or directory"),
    ],
)
def test_wrong_use(run: Run, folder: Path, arguments: list[str], message: str) -> None:
    """What goes with one file alone is refused with several."""
    code, out, err = run("brief", *(argument.format(folder) for argument in arguments))

    assert (code, out) == (2, "")
    assert err.startswith(f"depesche: {message.format(folder)}")


def test_a_title_for_one_file_of_a_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    """One file keeps its options where its brief goes to a folder."""
    out = tmp_path / "out"

    code, _, _ = run("brief", str(folder / "a.txt"), "--title", "Neu", "--output", str(out))

    assert code == 0
    assert (out / "a.txt.brief.txt").read_text(encoding="utf-8").startswith("NEU [1]\n")


def test_models_that_cannot_be_loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the installation is told once, not for each file."""

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        raise ModelError("model 'embedded': model.bin is missing")

    assert main(["brief", str(folder)], loader=load) == 1
    assert capsys.readouterr().err == "depesche: model 'embedded': model.bin is missing\n"


def test_an_unforeseen_error_is_one_files(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A fault that one release brings to light leaves the others alone."""

    def translate(text: str) -> str:
        if "Erste" in text:
            raise ZeroDivisionError
        return text.upper()

    code = main(["brief", str(folder)], loader=fake_loader(FakeBackend(translate)))
    out, err = capsysbinary.readouterr()

    assert code == 2
    assert out.count(b"==>") == 2
    assert err.decode().splitlines()[0] == f"depesche: {folder}/a.txt: unforeseen ZeroDivisionError"


def test_a_server_that_is_not_there(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that no server briefed fail by that, and it isn't their fault."""
    monkeypatch.setattr(batch, "_PAUSE_SECONDS", 0.0)
    paths = [str(folder / name) for name in ("a.txt", "c.docx")]

    code, out, err = run("brief", *paths, "--server", "127.0.0.1:1")

    assert (code, out) == (1, "")
    assert [line.split(": ")[1] for line in err.splitlines()] == paths
    assert err.count("the service can't be reached") == 2


async def test_a_server_briefs_the_same(folder: Path, tmp_path: Path) -> None:
    """Behind a server each file has the brief that it has here, by the feed for bulk work."""
    (folder / "huge.txt").write_text(_GERMAN * 60_000, encoding="utf-8")
    names = ("a.txt", "b.pdf", "c.docx", "d.eml", "huge.txt")
    sources = [Source(str(folder / name)) for name in names]
    options = BriefOptions(reproducible=True, priority=Priority.BULK)
    printed: list[str] = []
    here = Printed(sources, "text", printed.append)
    loader = fake_loader(FakeBackend(str.upper))
    local = await commands.brief_files(commands.Service(loader=loader), sources, options, here)

    async with serving(loader=loader, decode_again=True) as (server, _):
        service = commands.Service(server.address)
        there = Folder(tmp_path / "out", sources, "text")
        remote = await commands.brief_files(service, sources, options, there)

    assert [name for name, _ in local] == [name for name, _ in remote]
    assert [name[-8:] for name, _ in remote] == ["in/b.pdf", "huge.txt"]
    assert "request: has" in str(remote[1][1])
    assert [text.partition("<==\n\n")[2] for text in printed] == [
        (tmp_path / "out" / f"{name}.brief.txt").read_text(encoding="utf-8")
        for name in ("a.txt", "c.docx", "d.eml")
    ]

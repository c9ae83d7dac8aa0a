"""The command line, with fake models in this process or behind a server on a loopback port."""

import asyncio
import io
import itertools
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from google.protobuf.json_format import Parse

from depesche import __version__
from depesche.cli import main
from depesche.config import Settings
from depesche.errors import ModelError
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModel, LoadedModels, Loader
from depesche.models.store import ModelStore
from depesche.server.app import running
from depesche.types import SOURCES, Language, ModelIdentity
from depesche.v1 import brief_pb2, translation_pb2
from tests.support import SUMMARY, TRANSLATION, fake_loader

_ROOT = Path(__file__).parents[1]
_GERMAN = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet."
_TOKEN = "abracadabra"  # noqa: S105 - opens nothing
_UKRAINIAN = "Уряд України ухвалив нову програму підтримки малого бізнесу на наступний рік." * 3

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
def release(tmp_path: Path) -> str:
    """Write a short German release to a file."""
    path = tmp_path / "release.txt"
    path.write_text(f"Neue Brücke in Köln\n\n{_GERMAN} Sie kostete viel Geld.\n", encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a server on a thread of its own; gives its address."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[str] = []
    # The server of another process logs elsewhere.
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

    async def serve() -> None:
        settings = Settings(listen="127.0.0.1:0", metrics="127.0.0.1:0", token=_TOKEN)
        async with running(settings, loader=fake_loader(FakeBackend(str.upper))) as server:
            found.append(server.address)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
    structlog.reset_defaults()


def test_brief_as_text(run: Run, release: str) -> None:
    """The brief of a file is written as text by default."""
    code, out, err = run("brief", release, "--sentences", "1")

    assert code == 0
    assert out.startswith("NEUE BRÜCKE IN KÖLN [1]\n\n• ")
    assert "\nSources\n[1] Neue Brücke in Köln\n" in out
    assert out.count("• ") == 1
    assert err == ""


def test_brief_as_markdown(run: Run, release: str) -> None:
    """A brief can be written as Markdown."""
    code, out, _ = run("brief", release, "--format", "markdown")

    assert code == 0
    assert out.startswith("# ")
    assert "\n[^1]: Neue Brücke in Köln\n" in out


def test_brief_as_json(run: Run, release: str) -> None:
    """JSON is the protobuf JSON of the response, with offsets of zero and letters as they are."""
    code, out, _ = run("brief", release, "--format", "json", "--lang", "de")
    brief = Parse(out, brief_pb2.CreateBriefResponse()).brief

    assert code == 0
    assert brief.detection.language == "de"
    assert json.loads(out)["brief"]["translation"][0]["sourceSpan"]["start"] == 0
    assert "Köln" in out


@pytest.mark.parametrize("command", ["brief", "translate"])
def test_a_model_by_name(run: Run, release: str, command: str) -> None:
    """The loaded one may be named; for another there is an error that tells which are loaded."""
    code, _, _ = run(command, release, "--model", "embedded")
    wrong, out, err = run(command, release, "--model", "huge")

    assert (code, wrong, out) == (0, 2, "")
    assert err.endswith("translation_model: must be one of the loaded embedded, or empty\n")


@pytest.fixture
def glossary(tmp_path: Path) -> str:
    """Write a glossary to a file: a term that the fake has, one that it hasn't, and one apart."""
    path = tmp_path / "terms.tsv"
    path.write_text("# desk\nBrücke\t=\nStadt\ttown\nHaushalt\tbudget\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("arguments", [["brief"], ["brief", "--format", "markdown"], ["translate"]])
@pytest.mark.parametrize("remote", [True, False])
def test_a_glossary(
    run: Run, release: str, glossary: str, server: str, arguments: list[str], *, remote: bool
) -> None:
    """What became of each term is told, in this process and behind a server alike."""
    options = ["--server", server, "--token", _TOKEN] if remote else []

    code, out, _ = run(*arguments, release, "--lang", "de", "--glossary", glossary, *options)

    assert code == 0
    assert "Applied: Brücke → Brücke; Stadt → town\n" in out
    assert "Not in the release: Haushalt → budget\n" in out
    assert "town" in out


def test_a_glossary_for_lines(run: Run, glossary: str) -> None:
    """Lines take a glossary too, and nothing but lines is written."""
    code, out, _ = run(
        *("translate", "--lines", "--lang", "de", "--glossary", glossary),
        stdin=b"Die Stadt ruht.\n\nEs regnet.\n",
    )

    assert code == 0
    assert out.lower() == "die town ruht.\n\nes regnet.\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Rat\tcouncil\nStadt town\n", "terms.tsv line 2: must be a term, one tab"),
        ("-\tdash\n", "options.glossary[0].source: must hold a letter or digit"),
        (None, "terms.tsv: can't be read: No such file or directory"),
    ],
)
def test_a_glossary_that_is_wrong(
    run: Run, release: str, tmp_path: Path, content: str | None, words: str
) -> None:
    """The line or term that is wrong is named, and the exit code is that of bad input."""
    path = tmp_path / "terms.tsv"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    code, out, err = run("translate", release, "--glossary", str(path))

    assert (code, out) == (2, "")
    assert words in err


def test_a_title_of_its_own(run: Run) -> None:
    """A headline can be given apart from the text."""
    _, out, _ = run("brief", "--title", "Ein Titel", "--lang", "de", stdin=_GERMAN.encode())

    assert "\n[1] Ein Titel\n" in out


@pytest.mark.parametrize(
    ("name", "options", "is_html"),
    [
        ("page.html", [], True),
        ("page.HTM", [], True),
        ("page.txt", [], False),
        ("page.txt", ["--input-format", "html"], True),
        ("page.html", ["--input-format", "plain"], False),
    ],
)
def test_html(run: Run, tmp_path: Path, name: str, options: list[str], is_html: bool) -> None:
    """HTML is told by the file's name, or by an option, which wins."""
    (tmp_path / name).write_text(f"<p>{_GERMAN}</p>", encoding="utf-8")

    code, out, _ = run("translate", str(tmp_path / name), "--lang", "de", *options)

    assert code == 0
    assert ("<P>" not in out) == is_html


def test_translate(run: Run, release: str) -> None:
    """A translation has the paragraphs of its release."""
    code, out, _ = run("translate", release)

    assert code == 0
    assert len(out.partition("\n\nTo check\n")[0].split("\n\n")) == 2


def test_translate_as_json(run: Run, release: str) -> None:
    """JSON is the protobuf JSON of the response; with --lines, a block is a line."""
    _, out, _ = run("translate", release, "--lines", "--format", "json")
    response = Parse(out, translation_pb2.TranslateResponse())

    assert [sentence.block for sentence in response.translation] == [0, 2, 2]


def test_lines(run: Run) -> None:
    """Each line of the input gives one line, blank ones too."""
    text = f"{_GERMAN}\r\n\n{_GERMAN} Gut.".encode()

    code, out, _ = run("translate", "-", "--lines", stdin=text)

    assert code == 0
    assert out == f"{_GERMAN.upper()}\n\n{_GERMAN.upper()} GUT.\n"


def test_evaluate(run: Run, tmp_path: Path) -> None:
    """An evaluation has the scores with their signatures, and the rates of faults."""
    (tmp_path / "de").write_text(f"{_GERMAN}\n", encoding="utf-8")
    (tmp_path / "en").write_text(f"{_GERMAN.upper()}\n", encoding="utf-8")
    arguments = ("--lang", "de", "--source", f"{tmp_path}/de", "--reference", f"{tmp_path}/en")

    code, out, _ = run("evaluate", *arguments)

    assert code == 0
    assert out.splitlines()[0].split() == ["embedded"]
    assert out.splitlines()[1].split() == ["chrF2", "100.00"]
    assert "chrF2: nrefs:1|" in out

    code, out, _ = run("evaluate", *arguments, "--format", "json")
    (system,) = json.loads(out)["systems"]
    assert code == 0
    assert system["model"]["digest"] == "a" * 64
    assert system["sentences"] == 1


def test_evaluate_two_models(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Another begins each turn; each is told by what the replies say of it."""
    asked: list[str] = []

    def model(name: str, english: Callable[[str], str]) -> LoadedModel:
        def answer(text: str) -> str:
            if "Köln" in text:
                asked.append(name)
            return english(text)

        identity = ModelIdentity("translation", name, "7", name * 8, "none", "Apache-2.0")
        return LoadedModel(FakeBackend(answer), identity, frozenset(SOURCES))

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        models = {"small": model("small", str.upper), "large": model("large", str.lower)}
        return LoadedModels(FakeEncoder(), SUMMARY, models, dict.fromkeys(SOURCES, "small"))

    lines = [f"Die Stadt Köln hat {i} neue Brücken." for i in range(120)]
    (tmp_path / "de").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "en").write_text("\n".join(map(str.upper, lines)), encoding="utf-8")
    files = ("--source", f"{tmp_path}/de", "--reference", f"{tmp_path}/en")
    arguments = ("--lang", "de", "--model", "small", "--model", "large", "--format", "json")
    code = main(("evaluate", *files, *arguments), loader=load)
    report = json.loads(capsysbinary.readouterr().out)
    small, large = report["systems"]

    assert code == 0
    assert [name for name, _ in itertools.groupby(asked)] == ["small", "large", "small", "large"]
    assert [system["model"]["digest"] for system in (small, large)] == ["small" * 8, "large" * 8]
    assert small["scores"][0]["value"] == pytest.approx(100)
    assert large["scores"][0]["p_value"] < 0.01
    assert report["words"] == 120 * 7


def test_evaluate_by_a_server(run: Run, tmp_path: Path, server: str) -> None:
    """A server's models are measured through it; one that it hasn't is an error."""
    (tmp_path / "de").write_text(f"{_GERMAN}\n" * 120, encoding="utf-8")
    (tmp_path / "en").write_text(f"{_GERMAN.upper()}\n" * 120, encoding="utf-8")
    arguments = ("--lang", "de", "--source", f"{tmp_path}/de", "--reference", f"{tmp_path}/en")
    there = ("--server", server, "--token", _TOKEN)

    twice = ("--model", "embedded", "--model", "embedded", "--format", "json")
    code, out, _ = run("evaluate", *arguments, *there, *twice)
    first, again = json.loads(out)["systems"]
    assert code == 0
    assert first["scores"][0]["value"] == pytest.approx(100)
    assert [found["p_value"] for found in again["scores"]] == [1.0, 1.0]

    code, out, err = run("evaluate", *arguments, *there, "--model", "opus-mt-de-en")
    assert (code, out) == (2, "")
    assert "options.translation_model: must be one of the loaded embedded" in err


def test_evaluate_summaries(run: Run, tmp_path: Path) -> None:
    """Extracts are compared with references; a model that isn't loaded is an error."""
    text = (
        "The bridge opened on Monday. It cost 12 million euros. It took three long years to build."
    )
    (tmp_path / "texts").write_text(f"{text}\n{text}\n", encoding="utf-8")
    (tmp_path / "short").write_text("The bridge opened on Monday.\n" * 2, encoding="utf-8")
    arguments = (
        *("evaluate", "--task", "summary", "--sentences", "1"),
        *("--source", f"{tmp_path}/texts", "--reference", f"{tmp_path}/short"),
    )
    code, out, _ = run(*arguments, "--format", "json")
    report = json.loads(out)

    assert code == 0
    assert (report["task"], report["language"], report["sources"]) == ("summary", "en", 2)
    (system,) = report["systems"]
    assert system["name"] == "extractive"
    assert system["model"]["name"] == "minilm"
    assert system["rates"]["own sentences"] == 0
    assert [found["name"] for found in system["scores"]] == ["ROUGE-1", "ROUGE-2", "ROUGE-Lsum"]

    code, _, err = run(*arguments, "--model", "bart-large-cnn")
    assert code == 2
    assert "depesche: summary_model: none is loaded" in err


def test_evaluate_written_summaries(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The model that writes is told beside the encoder, and how often its own sentences stood."""
    sound = "The city opened a new bridge across the river on Monday."
    text = f"{sound} It cost 12 million euros and is 400 metres long. The old one is closed."
    wrong = "The new bridge across the river cost 15 million euros."
    other = "The museum shows a hundred paintings of the last century until the end of March."
    (tmp_path / "texts").write_text(f"{text}\n{text} {other}\n", encoding="utf-8")
    (tmp_path / "short").write_text(f"{sound}\n" * 2, encoding="utf-8")
    writer = FakeBackend(lambda read: wrong if other in read else sound, max_source_tokens=1000)
    identity = ModelIdentity("summary", "bart", "1", "c" * 64, "int8", "MIT")

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(
            FakeEncoder(),
            SUMMARY,
            {"embedded": LoadedModel(FakeBackend(), TRANSLATION, frozenset(SOURCES))},
            dict.fromkeys(SOURCES, "embedded"),
            {"bart": LoadedModel(writer, identity, frozenset({Language.ENGLISH}))},
        )

    files = ("--source", f"{tmp_path}/texts", "--reference", f"{tmp_path}/short")
    arguments = ("--task", "summary", "--sentences", "1", "--model", "bart", "--format", "json")
    code = main(("evaluate", *files, *arguments), loader=load)
    extracts, written = json.loads(capsysbinary.readouterr().out)["systems"]

    assert code == 0
    assert (extracts["name"], extracts["model"]["digest"]) == ("extractive", "b" * 64)
    assert (written["name"], written["model"]["digest"]) == ("bart", "c" * 64)
    assert (extracts["rates"]["own sentences"], written["rates"]["own sentences"]) == (0, 50)


def test_models(run: Run) -> None:
    """The models of the manifest are listed and shown."""
    code, out, _ = run("models", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()][:3] == ["NAME", "embedded", "minilm"]

    code, out, _ = run("models", "show", "minilm")
    assert code == 0
    assert "Apache-2.0" in out
    assert "model.bin" in out


def test_models_are_verified(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files as in the manifest are confirmed; a missing one fails."""
    code, out, _ = run("models", "verify", "minilm")
    assert (code, out) == (0, "minilm: 4 files as in the manifest\n")

    manifest = (_ROOT / "models/manifest.toml").read_text(encoding="utf-8")
    (tmp_path / "manifest.toml").write_text(manifest, encoding="utf-8")
    monkeypatch.setenv("DEPESCHE_MODELS_DIR", str(tmp_path))
    code, out, err = run("models", "verify")
    assert code == 1
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        "model 'embedded'",
        "model 'minilm'",
    ]
    assert err == "depesche: not as recorded: embedded, minilm\n"


@pytest.mark.parametrize("command", ["brief", "translate"])
def test_a_server_answers_the_same(run: Run, release: str, server: str, command: str) -> None:
    """With --server the answer is the same but for the time it took."""
    arguments = (command, release, "--format", "json")
    here = run(*arguments)
    there = run(*arguments, "--server", server, "--token", _TOKEN)

    assert here[0] == there[0] == 0
    assert _timeless(here[1]) == _timeless(there[1])


def test_a_server_translates_lines(run: Run, server: str) -> None:
    """With --server, lines are translated as they are without."""
    arguments = ("translate", "--lines", "--server", server, "--token", _TOKEN)

    code, out, _ = run(*arguments, stdin=f"{_GERMAN}\n\n***\n".encode())

    assert (code, out) == (0, f"{_GERMAN.upper()}\n\n***\n")


def test_the_token_comes_from_the_environment(
    run: Run, release: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable DEPESCHE_TOKEN keeps the token off the command line."""
    monkeypatch.setenv("DEPESCHE_TOKEN", _TOKEN)

    assert run("brief", release, "--server", server)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        ([], "", 2, "Missing command"),
        (["nonsense"], "", 2, "No such command 'nonsense'"),
        (["brief", "--nonsense"], "", 2, "No such option"),
        (["brief", "--lang", "uk"], "", 2, "Invalid value for '--lang'"),
        (["brief", "--sentences", "0"], _GERMAN, 2, "options.sentence_count: must be from 1 to"),
        (["brief", "--sentences", f"{2**40}"], _GERMAN, 2, "options.sentence_count: must be from"),
        (["brief", "--sentences", "999"], _GERMAN, 2, "options.sentence_count: must be from 1 to"),
        (["brief", "--format", "pdf"], "", 2, "Invalid value for '--format'"),
        (["brief", "--server", "nonsense"], "", 2, "must be HOST:PORT"),
        (["brief", "--title", "\udcff"], _GERMAN, 2, "--title: isn't UTF-8"),
        (["brief", "/no/such/file"], "", 2, "/no/such/file: can't be read: No such file"),
        (["brief", "/"], "", 2, "/: holds no file that can be read; their names end in .docx"),
        (["translate", "/"], "", 2, "/: can't be read: Is a directory"),
        (["brief"], "", 2, "release.text: must hold more than white space"),
        (["brief"], "Ja.", 2, "depesche: release.language: "),
        (["brief"], _UKRAINIAN, 2, "release.language: 'uk' is not supported; supported are de"),
        (["translate", "--lines"], "Ja.", 2, "depesche: text: "),
        (["serve", "--listen", "nonsense"], "", 2, "must be HOST:PORT"),
        (["models"], "", 2, "Missing command"),
        (["models", "show", "big"], "", 2, "name: no model is named 'big'"),
        (["models", "pull", "big"], "", 2, "name: no model is named 'big'"),
        (["evaluate", "--lang", "de"], "", 2, "Missing option"),
        (
            ["evaluate", "--source", "/dev/null", "--reference", "/dev/null"],
            "",
            2,
            "--lang: is needed for translations",
        ),
        (
            ["evaluate", "--lang", "de", "--source", "/dev/null", "--reference", "/dev/null"],
            "",
            2,
            "--source: holds no line",
        ),
        (["brief", "--server", "127.0.0.1:1"], _GERMAN, 1, "the service can't be reached"),
        (["brief", "--server", "h:1", "--token", "größe"], _GERMAN, 2, "token: must be printable"),
        (
            ["brief", "--server", "h:1", "--root-certificate", "/dev/null"],
            _GERMAN,
            2,
            "root_certificate: holds no certificate in PEM",
        ),
        (
            ["brief", "--server", "h:1", "--client-certificate", "/dev/null"],
            _GERMAN,
            2,
            "client_certificate: goes together with client_key",
        ),
    ],
)
def test_errors(run: Run, arguments: list[str], stdin: str, code: int, message: str) -> None:
    """Each error is one line, and tells by the exit code whose fault it is."""
    result, out, err = run(*arguments, stdin=stdin.encode())

    assert result == code
    assert out == ""
    assert err.startswith("depesche: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        (["brief"], "", 2, "release.text: must hold more than white space"),
        (["brief"], "Ja.", 2, "depesche: release.language: "),
        (["brief"], _UKRAINIAN, 2, "release.language: 'uk' is not supported; supported are de"),
        (["brief", "--sentences", "999"], _GERMAN, 2, "options.sentence_count: must be from 1 to"),
        (["translate", "--lines"], "Ja.", 2, "depesche: text: "),
        (["brief", "--token", "wrong"], _GERMAN, 1, "token"),
    ],
)
def test_errors_of_a_server(
    run: Run, server: str, arguments: list[str], stdin: str, code: int, message: str
) -> None:
    """A server's errors read and count as those of this process."""
    token = [] if "--token" in arguments else ["--token", _TOKEN]
    result, out, err = run(*arguments, "--server", server, *token, stdin=stdin.encode())

    assert result == code
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["brief"], ["translate"], ["translate", "--lines"]])
def test_bytes_that_are_not_utf8_are_placed(run: Run, arguments: list[str]) -> None:
    """Input in another encoding is refused, with the place of the first wrong byte."""
    code, out, err = run(*arguments, stdin="Köln".encode("latin-1"))

    assert (code, out) == (2, "")
    assert err == "depesche: standard input: isn't UTF-8: byte 1 is 0xf6\n"


def test_a_model_that_cannot_be_loaded(capsys: pytest.CaptureFixture[str], release: str) -> None:
    """A broken installation isn't the caller's fault."""
    broken = _broken(ModelError("model 'embedded': model.bin is missing"))

    assert main(["brief", release], loader=broken) == 1
    assert capsys.readouterr().err == "depesche: model 'embedded': model.bin is missing\n"


def test_an_unforeseen_error_keeps_the_text_private(
    capsys: pytest.CaptureFixture[str], release: str
) -> None:
    """What an unforeseen exception says may hold text of the release, and isn't shown."""
    broken = _broken(ValueError(_GERMAN))

    assert main(["brief", release], loader=broken) == 1
    err = capsys.readouterr().err
    assert err == "depesche: unforeseen ValueError; DEPESCHE_DEBUG=1 shows where\n"


def test_debugging_shows_where(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With DEPESCHE_DEBUG an error comes with its traceback."""
    monkeypatch.setenv("DEPESCHE_DEBUG", "1")
    broken = _broken(ValueError("oh"))

    with pytest.raises(ValueError, match="oh"):
        main(["brief", release], loader=broken)


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends a command quietly with 130."""

    class Keyboard(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: object) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Keyboard())))

    assert main(["brief"]) == 130
    assert capsys.readouterr() == ("", "")


def test_version(run: Run) -> None:
    """The version is told."""
    assert run("--version")[:2] == (0, f"depesche {__version__}\n")


def test_a_closed_pipe_is_quiet() -> None:
    """When nobody reads the output any more, the command ends without a word."""
    command = [sys.executable, "-m", "depesche", "models", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        err = process.stderr.read()

    assert err == b""
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("redirections", "code", "message"),
    [
        ("models list >/dev/full", 1, "standard output: can't be written: No space left on device"),
        ("models list >&-", 1, "standard output: can't be written: it is closed"),
        ("translate <&-", 2, "standard input: can't be read: it is closed"),
    ],
)
def test_standard_streams_that_fail(redirections: str, code: int, message: str) -> None:
    """What can't be written or read is one line, and nothing follows as Python ends."""
    script = f"{sys.executable} -m depesche {redirections}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode() == f"depesche: {message}\n"


def test_a_server_that_cannot_start_says_so_once() -> None:
    """The error is one line on the standard error, and one of the log, without gRPC's own lines."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "depesche", "serve", "--listen", address]
        done = subprocess.run(
            [*command, "--metrics", "127.0.0.1:0"], capture_output=True, check=False
        )

    assert done.returncode == 1
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["failed"]
    assert done.stderr.decode().startswith(f"depesche: listen: can't listen on {address}")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.model
def test_serve(release: str) -> None:
    """A server says where it listens, answers, and ends without fault on SIGTERM."""
    depesche = [sys.executable, "-m", "depesche"]
    command = [*depesche, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        brief = subprocess.run(
            [*depesche, "brief", release, "--server", ready["listen"]],
            capture_output=True,
            check=False,
        )
        process.terminate()
        process.stdout.read()

    assert ready["event"] == "ready"
    assert (brief.returncode, brief.stderr) == (0, b"")
    assert "[1] Neue Brücke in Köln" in brief.stdout.decode()
    assert process.returncode == 0


def test_help_is_quick() -> None:
    """Help doesn't load what only a pipeline needs."""
    script = "import sys, depesche.cli; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout

    assert not {"ctranslate2", "google.protobuf", "grpc", "numpy"} & set(out.decode().split())


def _broken(error: Exception) -> Loader:
    """Make a loader that fails."""

    def load(*_: object) -> LoadedModels:
        raise error

    return load


def _timeless(out: str) -> object:
    """Read JSON without its times."""
    read = json.loads(out)
    read.get("brief", read).pop("timings")
    return read

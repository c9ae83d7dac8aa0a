"""The command line.

Exit codes: 0 done, 2 wrong use or bad input, 1 anything else, 130 interrupted. An error is one line
on the standard error; the variable DEPESCHE_DEBUG asks for a traceback as well.
"""

import asyncio
import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from depesche import __version__
from depesche.errors import DepescheError, InvalidRequest, RequestError, Unauthenticated, Violation
from depesche.types import BriefOptions, Language, Priority, SummaryStrategy

if TYPE_CHECKING:
    from depesche.loading import Loader
    from depesche.models.convert import Quantisation
    from depesche.models.shelf import Wish

__all__ = ["app", "main"]

_DONE, _FAILED, _WRONG_USE = 0, 1, 2
_HIGHEST_PORT = 65_535

app = typer.Typer(
    help="Turn German, Russian and Khmer releases into English briefs with their sources.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_models = typer.Typer(help="Look at the models, pull and remove them.", rich_markup_mode=None)
app.add_typer(_models, name="models")


def _address(value: str | None) -> str | None:
    """Refuse what isn't HOST:PORT."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT):
        raise typer.BadParameter("must be HOST:PORT")
    return value


def _show_version(asked: bool) -> None:
    if asked:
        _write(f"depesche {__version__}\n")
        raise typer.Exit


_KINDS = "text in UTF-8, HTML, Word (.docx), PDF or e-mail (.eml)"
_File = Annotated[
    str,
    typer.Argument(metavar="FILE", help=f"The release: {_KINDS}; - reads the standard input."),
]
_Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...",
        help=f"Releases: {_KINDS}. Several, or a folder of them, have one brief each; -, as none"
        " at all, reads the standard input.",
    ),
]
_Lang = Annotated[
    Literal["auto", "de", "en", "km", "ru"], typer.Option(help="Language of the release.")
]
_InputFormat = Annotated[
    Literal["auto", "plain", "html"],
    typer.Option(help="How a release in text is written; auto goes by the file's name."),
]
_Name = Annotated[str, typer.Argument(help="Name in the manifest.")]
_Quantisation = Annotated[
    Literal["int8", "int8_float32", "int8_bfloat16", "float32"] | None,
    typer.Option(help="How to store the weights; as they are here, or else int8."),
]
_AcceptLicence = Annotated[
    bool, typer.Option("--accept-licence", help="Agree to a licence without commercial use.")
]
_Update = Annotated[
    bool, typer.Option("--update", help="Take what differs from the lock, and record it anew.")
]
_KeepSource = Annotated[
    bool, typer.Option("--keep-source", help="Keep what was fetched, for another quantisation.")
]
_Server = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", callback=_address, help="Have a server do the work."),
]
_Model = Annotated[
    str, typer.Option(metavar="NAME", help="Translation model, instead of the language's own.")
]
_Glossary = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Terms whose English is fixed, one a line: the term, a tab, its English or =.",
    ),
]
_Token = Annotated[str, typer.Option(envvar="DEPESCHE_TOKEN", help="The server's token.")]
_RootCertificate = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Speak TLS with the server, and trust this authority's certificate."
    ),
]
_ClientCertificate = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Certificate to show to a server that asks for one."),
]
_ClientKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key.")]


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def brief(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    files: _Files = None,
    *,
    lang: _Lang = "auto",
    sentences: Annotated[
        int, typer.Option(help="Key sentences at most, 1 to 20 by default limits.")
    ] = 3,
    output_format: Annotated[
        Literal["text", "markdown", "html", "json"],
        typer.Option("--format", help="How to write it."),
    ] = "text",
    strategy: Annotated[
        Literal["extractive", "abstractive"],
        typer.Option(help="Whether key sentences are chosen, or written by a summary model."),
    ] = "extractive",
    model: _Model = "",
    summary_model: Annotated[
        str, typer.Option(metavar="NAME", help="Model that writes an abstractive summary.")
    ] = "",
    title: Annotated[str, typer.Option(help="The release's headline, if not in FILE.")] = "",
    input_format: _InputFormat = "auto",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write each brief to a file of its own in FOLDER."),
    ] = None,
    glossary: _Glossary = None,
    server: _Server = None,
    token: _Token = "",
    root_certificate: _RootCertificate = None,
    client_certificate: _ClientCertificate = None,
    client_key: _ClientKey = None,
) -> int:
    """Brief releases in English.

    Of several, each that fails is told at the end, and the others are briefed.
    """
    from depesche import commands  # noqa: PLC0415 - help must not wait for the pipeline
    from depesche.outputs import Folder, Printed, without_name  # noqa: PLC0415 - as above
    from depesche.sources import Source, find_files, is_one_file  # noqa: PLC0415 - as above

    service = commands.Service(
        server, token, root_certificate, client_certificate, client_key, loader=context.obj
    )
    # Whoever sits at a shell expects the same brief twice.
    options = BriefOptions(
        sentence_count=sentences,
        strategy=SummaryStrategy(strategy),
        reproducible=True,
        translation_model=model,
        summary_model=summary_model,
        glossary=commands.read_glossary_file(glossary),
    )
    paths = files or ["-"]
    if output is None and is_one_file(paths):
        source = Source(paths[0], input_format, _title(title), _language(lang))
        _write(asyncio.run(commands.brief(service, source, options, output_format)))
        return _DONE
    found = find_files(paths)
    if title and len(found) > 1:
        raise InvalidRequest([Violation("--title", "can be given with one file alone")])
    sources = [Source(path, input_format, _title(title), _language(lang)) for path in found]
    into = Folder(output, sources, output_format) if output else None
    options = replace(options, priority=Priority.BULK)
    failed = asyncio.run(
        commands.brief_files(
            service, sources, options, into or Printed(sources, output_format, _write)
        )
    )
    for name, error in failed:
        _fail(f"{name}: {without_name(name, error)}", _FAILED)
    return max((_exit_code(error) for _, error in failed), default=_DONE)


@app.command()
def translate(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    file: _File = "-",
    *,
    lang: _Lang = "auto",
    lines: Annotated[
        bool, typer.Option("--lines", help="Give one line of English for each line of FILE.")
    ] = False,
    output_format: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to write it.")
    ] = "text",
    model: _Model = "",
    input_format: _InputFormat = "auto",
    glossary: _Glossary = None,
    server: _Server = None,
    token: _Token = "",
    root_certificate: _RootCertificate = None,
    client_certificate: _ClientCertificate = None,
    client_key: _ClientKey = None,
) -> None:
    """Translate a release into English."""
    from depesche import commands  # noqa: PLC0415 - as in `brief`
    from depesche.sources import Source, read_text  # noqa: PLC0415 - as above

    service = commands.Service(
        server, token, root_certificate, client_certificate, client_key, loader=context.obj
    )
    terms = commands.read_glossary_file(glossary)
    options = BriefOptions(reproducible=True, translation_model=model, glossary=terms)
    source = Source(file, "lines" if lines else input_format, language=_language(lang))
    if lines and output_format == "text":
        text = read_text(file)
        asyncio.run(commands.translate_text(service, text, _language(lang), _write, model, terms))
    else:
        _write(asyncio.run(commands.translate(service, source, options, output_format)))


@app.command()
def evaluate(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    source: Annotated[
        str, typer.Option(metavar="FILE", help="Lines to translate, or English texts, one a line.")
    ],
    reference: Annotated[
        str, typer.Option(metavar="FILE", help="The English or the summary of each, line by line.")
    ],
    lang: Annotated[
        Literal["de", "km", "ru"] | None,
        typer.Option(help="Language of the source; needed for translations."),
    ] = None,
    task: Annotated[
        Literal["translation", "summary"], typer.Option(help="What to measure.")
    ] = "translation",
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Model to measure, several times to compare."),
    ] = None,
    sentences: Annotated[int, typer.Option(help="Sentences of a summary at most.")] = 3,
    output_format: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to write the figures.")
    ] = "text",
    server: _Server = None,
    token: _Token = "",
    root_certificate: _RootCertificate = None,
    client_certificate: _ClientCertificate = None,
    client_key: _ClientKey = None,
) -> None:
    """Measure models, and compare them, on texts with references.

    Translations are scored by chrF and BLEU, summaries by ROUGE, extracts first; with speed, and
    with how many sentences failed which checks.
    """
    from depesche import commands  # noqa: PLC0415 - as in `brief`
    from depesche.sources import read_text  # noqa: PLC0415 - as above

    service = commands.Service(
        server, token, root_certificate, client_certificate, client_key, loader=context.obj
    )
    texts = (read_text(source), read_text(reference))
    models = model or []
    if task == "summary":
        measured = commands.evaluate_summaries(service, *texts, models, sentences, output_format)
    elif lang is None:
        raise InvalidRequest([Violation("--lang", "is needed for translations")])
    else:
        measured = commands.evaluate_text(service, *texts, Language(lang), models, output_format)
    _write(asyncio.run(measured))


@app.command()
def serve(
    context: typer.Context,
    *,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", callback=_address, help="Address; port 0 takes any."),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", callback=_address, help="Address of the metrics."),
    ] = None,
) -> None:
    """Serve the gRPC API until told to stop.

    Settings are environment variables named DEPESCHE_<SETTING>.
    """
    from depesche.config import load_settings  # noqa: PLC0415 - as in `brief`
    from depesche.server.app import serve as run  # noqa: PLC0415 - as in `brief`

    settings = load_settings(listen=listen, metrics=metrics)
    asyncio.run(run(settings, loader=context.obj, read=load_settings))


@app.command()
def watch(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    feeds: Annotated[
        Path, typer.Argument(metavar="FEEDS.toml", help="What is watched and where briefs go.")
    ],
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Look at everything once, deliver, and end.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is remembered; by default FEEDS.db."),
    ] = None,
    retry_dead: Annotated[
        bool, typer.Option("--retry-dead", help="Deliver what was given up, too.")
    ] = False,
    server: _Server = None,
    token: _Token = "",
    root_certificate: _RootCertificate = None,
    client_certificate: _ClientCertificate = None,
    client_key: _ClientKey = None,
) -> int:
    """Follow feeds and folders, brief what is new once, and deliver the briefs.

    It logs JSON lines, and ends cleanly at SIGTERM; whatever ends it, the next start goes on where
    it was.
    """
    from depesche import commands  # noqa: PLC0415 - as in `brief`

    service = commands.Service(
        server, token, root_certificate, client_certificate, client_key, loader=context.obj
    )
    watching = commands.watch(service, feeds, state, once=once, retry_dead=retry_dead)
    return _DONE if asyncio.run(watching) else _FAILED


@app.command()
def web(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    listen: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", callback=_address, help="Address; port 0 takes any."),
    ] = "127.0.0.1:8080",
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name it is asked for by, several times for more."),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=0, help="Requests a minute from one address; 0 for any number.")
    ] = 0,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep briefs that editors share in FILE; else none is."),
    ] = None,
    keep_days: Annotated[
        int, typer.Option(min=1, max=3650, help="Days for which each of them is kept.")
    ] = 30,
    server: _Server = None,
    token: _Token = "",
    root_certificate: _RootCertificate = None,
    client_certificate: _ClientCertificate = None,
    client_key: _ClientKey = None,
) -> None:
    """Serve the newsroom's page, and the API as JSON over HTTP, until told to stop.

    Without --server, the gRPC server runs in this process too, by the settings of `serve`.
    """
    from depesche import commands  # noqa: PLC0415 - as in `brief`

    service = commands.Service(
        server, token, root_certificate, client_certificate, client_key, loader=context.obj
    )
    asyncio.run(commands.web(service, listen, host or [], rate, keep, keep_days))


@_models.command("list")
def list_models() -> None:
    """List the models of the manifest."""
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    _write(model_commands.list_models())


@_models.command("show")
def show_model(name: _Name) -> None:
    """Show all that manifest and lock say of a model."""
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    _write(model_commands.show_model(name))


@_models.command("licences")
def show_licences() -> None:
    """Show each model's licence."""
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    _write(model_commands.show_licences())


@_models.command("pull")
def pull_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names in the manifest.")],
    *,
    quantisation: _Quantisation = None,
    accept_licence: _AcceptLicence = False,
    update: _Update = False,
    keep_source: _KeepSource = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag, reference or commit, for the manifest's.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take only what was fetched before.")
    ] = False,
) -> None:
    """Fetch models from the hub and convert them.

    HF_ENDPOINT, HF_TOKEN and the usual variables of proxies are minded.
    """
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    wish = _wish(quantisation, accept_licence, update, keep_source)
    model_commands.pull_models(names, wish, _write, revision=revision, offline=offline)


@_models.command("import")
def bring_model(
    name: _Name,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Folder, or archive (tar or zip) of one.")
    ],
    *,
    quantisation: _Quantisation = None,
    accept_licence: _AcceptLicence = False,
    update: _Update = False,
    keep_source: _KeepSource = False,
) -> None:
    """Take a model that was brought by hand.

    PATH has a repository's files, or the folder of the pulled models of another machine.
    """
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    wish = _wish(quantisation, accept_licence, update, keep_source)
    model_commands.bring_model(name, path, wish, _write)


@_models.command("verify")
def verify_models(
    name: Annotated[
        str | None, typer.Argument(help="Name in the manifest; all that are here if absent.")
    ] = None,
) -> None:
    """Check the files of models by their digests."""
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    model_commands.verify_models(name, _write)


@_models.command("remove")
def remove_model(name: _Name) -> None:
    """Remove a pulled model's files."""
    from depesche import model_commands  # noqa: PLC0415 - as in `brief`

    model_commands.remove_model(name, _write)


def _wish(
    quantisation: "Quantisation | None", accept_licence: bool, update: bool, keep_source: bool
) -> "Wish":
    from depesche.models.shelf import Wish  # noqa: PLC0415 - as in `brief`

    return Wish(
        quantisation=quantisation,
        accept_licence=accept_licence,
        update=update,
        keep_source=keep_source,
    )


def main(arguments: Sequence[str] | None = None, *, loader: "Loader | None" = None) -> int:
    """Run the command line.

    Args:
        arguments: what stands behind the program's name; by default that of this process.
        loader: loads the models of a pipeline in this process; tests pass one of fakes.

    Returns:
        The exit code.
    """
    # Unless this is set as it loads, gRPC's C library writes lines of its own to standard error.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    command = typer.main.get_command(app)
    try:
        code: int | None = command.main(
            arguments, prog_name="depesche", standalone_mode=False, obj=loader
        )
    except typer.TyperException as error:
        return _fail(f"{error.format_message().rstrip('.')}; see 'depesche --help'", _WRONG_USE)
    except DepescheError as error:
        if os.environ.get("DEPESCHE_DEBUG"):
            raise
        return _fail(str(error), _exit_code(error))
    except Exception as error:
        if os.environ.get("DEPESCHE_DEBUG"):
            raise
        # The text of an unforeseen exception might hold text of the release.
        name = type(error).__name__
        return _fail(f"unforeseen {name}; DEPESCHE_DEBUG=1 shows where", _FAILED)
    return code or _DONE


def _exit_code(error: DepescheError) -> int:
    at_fault = isinstance(error, RequestError) and not isinstance(error, Unauthenticated)
    return _WRONG_USE if at_fault else _FAILED


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"depesche: {' '.join(message.split())}\n")
    return code


def _write(content: str) -> None:
    """Write to the standard output as UTF-8, whatever the terminal's locale, and at once.

    Raises:
        DepescheError: it can't be written; a pipe that nobody reads any more is for typer to end.
    """
    if sys.stdout is None:  # Python's sign that it was closed at the start.
        raise DepescheError("standard output: can't be written: it is closed")
    try:
        sys.stdout.buffer.write(content.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        # Python would try the rest again as it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise DepescheError(f"standard output: can't be written: {error.strerror}") from error


def _language(lang: str) -> Language | None:
    return None if lang == "auto" else Language(lang)


def _title(title: str) -> str:
    # Bytes of the command line that aren't UTF-8 arrive as lone surrogates (PEP 383).
    try:
        title.encode()
    except UnicodeEncodeError:
        raise InvalidRequest([Violation("--title", "isn't UTF-8")]) from None
    return title

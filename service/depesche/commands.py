"""What the commands do that run the pipeline."""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from depesche import render
from depesche.client import Client
from depesche.config import Settings, load_settings
from depesche.errors import InvalidRequest, Violation
from depesche.evaluate import evaluate
from depesche.lines import Line, split_lines, translate_lines
from depesche.loading import Loader
from depesche.local import LocalClient
from depesche.progress import progress
from depesche.types import BriefOptions, Language, Release
from depesche.v1 import brief_pb2, types_pb2

__all__ = [
    "Service",
    "brief",
    "evaluate_text",
    "read_text",
    "translate",
    "translate_text",
]


@dataclass(frozen=True, slots=True)
class Service:
    """Where the commands have their work done.

    Attributes:
        server: address of a server, HOST:PORT; None runs the pipeline in this process.
        token: the server's token, or "".
        root_certificate: file of the authority that signed the server's certificate, for TLS.
        loader: loads the models in this process; None for those of the settings.
    """

    server: str | None = None
    token: str = ""
    root_certificate: Path | None = None
    loader: Loader | None = None

    @asynccontextmanager
    async def connect(self, settings: Settings) -> AsyncIterator[Client | LocalClient]:
        """Give a client of the server, or of the pipeline in this process."""
        if self.server is None:
            async with await LocalClient.load(settings, self.loader) as local:
                yield local
        else:
            certificate = _read(str(self.root_certificate)) if self.root_certificate else None
            async with Client(
                f"dns:///{self.server}", token=self.token, root_certificate=certificate
            ) as client:
                yield client


def read_text(path: str) -> str:
    """Read a file as UTF-8; "-" is the standard input.

    Raises:
        InvalidRequest: it can't be read, or isn't UTF-8.
    """
    content = _read(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        rule = f"isn't UTF-8: byte {error.start} is {content[error.start]:#04x}"
        raise InvalidRequest([Violation(_name(path), rule)]) from None


async def brief(
    service: Service, release: Release, options: BriefOptions, output_format: str
) -> str:
    """Brief a release, and write the brief as `text`, `markdown` or `json`."""
    message = types_pb2.Brief()
    with progress(sys.stderr) as bar:
        async with service.connect(_settings(options)) as client:
            async for event in client.stream(release, options):
                match event.WhichOneof("event"):
                    case "started":
                        bar.start(event.started.sentence_count)
                    case "sentence":
                        bar.advance()
                    case "brief":
                        message = event.brief
    match output_format:
        case "json":
            return _json(brief_pb2.CreateBriefResponse(brief=message))
        case "markdown":
            return render.markdown(message)
        case _:
            return render.text(message)


async def translate(
    service: Service, release: Release, options: BriefOptions, output_format: str
) -> str:
    """Translate a release, and write the English as `text` or `json`."""
    async with service.connect(_settings(options)) as client:
        response = await client.translate(release, options)
    return _json(response) if output_format == "json" else render.translation(response)


async def translate_text(
    service: Service,
    text: str,
    language: Language | None,
    write: Callable[[str], None],
    model: str = "",
) -> None:
    """Translate a text line by line, and give each line to `write` as soon as it is there."""
    async for line in _translated(service, split_lines(text), language, model):
        write(line.text + "\n")


async def evaluate_text(service: Service, source: str, reference: str, language: Language) -> str:
    """Translate lines and tell how good the English is.

    Raises:
        InvalidRequest: there is no line, or not one reference for each.
    """
    sources, references = split_lines(source), split_lines(reference)
    if not sources:
        raise InvalidRequest([Violation("--source", "holds no line")])
    if len(sources) != len(references):
        rule = f"must have one line for each of the source's {len(sources)}, not {len(references)}"
        raise InvalidRequest([Violation("--reference", rule)])
    lines = [line async for line in _translated(service, sources, language)]
    sentences = [sentence for line in lines for sentence in line.sentences]
    return str(evaluate([line.text for line in lines], references, sentences))


async def _translated(
    service: Service, lines: Sequence[str], language: Language | None, model: str = ""
) -> AsyncIterator[Line]:
    settings = _settings(BriefOptions(translation_model=model))
    with progress(sys.stderr) as bar:
        async with service.connect(settings) as client:
            bar.start(len(lines))
            async for line in translate_lines(client, lines, language, settings, model):
                bar.advance()
                yield line


def _settings(options: BriefOptions) -> Settings:
    """Read the settings, by which the models that the options name are loaded as well."""
    settings = load_settings()
    named = filter(None, (options.translation_model, options.summary_model))
    names = dict.fromkeys((*settings.selectable_models, *named))
    return settings.model_copy(update={"selectable_models": tuple(names)})


def _read(path: str) -> bytes:
    if path == "-" and sys.stdin is None:  # Python's sign that it was closed at the start.
        raise InvalidRequest([Violation(_name(path), "can't be read: it is closed")])
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        rule = f"can't be read: {error.strerror}"
        raise InvalidRequest([Violation(_name(path), rule)]) from None


def _name(path: str) -> str:
    return "standard input" if path == "-" else path


def _json(message: Message) -> str:
    # An offset or index of 0 is a value like any other, which the default would leave out.
    written: str = MessageToJson(
        message, always_print_fields_with_no_presence=True, ensure_ascii=False
    )
    return written + "\n"

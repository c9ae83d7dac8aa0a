"""What the commands do that run the pipeline."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from depesche import render
from depesche.client import Client
from depesche.config import Settings, load_settings
from depesche.errors import InvalidRequest, Violation
from depesche.evaluate import Report, Run, compare, compare_summaries, kinds_of, load_rouge
from depesche.lines import Line, split_lines, translate_lines
from depesche.loading import Loader
from depesche.local import LocalClient
from depesche.progress import progress
from depesche.text.sentences import split
from depesche.types import BriefOptions, Language, Release, SummaryStrategy
from depesche.v1 import brief_pb2, types_pb2

__all__ = [
    "Service",
    "brief",
    "evaluate_summaries",
    "evaluate_text",
    "read_text",
    "translate",
    "translate_text",
]

# Lines that a model translates before the next one's turn.
_TURN = 50
_AGAIN = (types_pb2.DECODING_BEAM, types_pb2.DECODING_SPLIT)


@dataclass(frozen=True, slots=True)
class Service:
    """Where the commands have their work done.

    Attributes:
        server: address of a server, HOST:PORT; None runs the pipeline in this process.
        token: the server's token, or "".
        root_certificate: file of the authority that signed the server's certificate, for TLS.
        client_certificate: file of a certificate to show to the server, for mutual TLS.
        client_key: file of its private key.
        loader: loads the models in this process; None for those of the settings.
    """

    server: str | None = None
    token: str = ""
    root_certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    loader: Loader | None = None

    @asynccontextmanager
    async def connect(self, settings: Settings) -> AsyncIterator[Client | LocalClient]:
        """Give a client of the server, or of the pipeline in this process."""
        if self.server is None:
            async with await LocalClient.load(settings, self.loader) as local:
                yield local
        else:
            async with Client(
                f"dns:///{self.server}",
                token=self.token,
                root_certificate=_credential(self.root_certificate),
                client_certificate=_credential(self.client_certificate),
                client_key=_credential(self.client_key),
                # Few calls: a refusal says more than that a replica isn't well.
                health_checks=False,
            ) as client:
                yield client


def _credential(path: Path | None) -> bytes | None:
    return None if path is None else _read(str(path))


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
        async with service.connect(
            _settings(options.translation_model, options.summary_model)
        ) as client:
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
    async with service.connect(
        _settings(options.translation_model, options.summary_model)
    ) as client:
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


async def evaluate_text(
    service: Service,
    source: str,
    reference: str,
    language: Language,
    models: Sequence[str],
    output_format: str,
) -> str:
    """Translate lines by each model and tell how good the English is, as `text` or `json`.

    The models take turns at some lines each, and another begins each time, so that whatever else
    the machine does hits all alike. One that is named twice shows how far chance goes.

    Args:
        service: where it is done.
        source: the lines.
        reference: their English.
        language: theirs.
        models: names of translators; none for that of the language's route.
        output_format: `text` or `json`.

    Raises:
        InvalidRequest: there is no line, or not one reference for each.
        FeatureUnavailable: no such model is there.
    """
    sources, references = _pairs(source, reference)
    drafts = [_Draft(name) for name in models or [""]]
    settings = _settings(*models)
    with progress(sys.stderr) as bar:
        async with service.connect(settings) as client:
            bar.start(len(sources) * len(drafts))
            for turn, start in enumerate(range(0, len(sources), _TURN)):
                lines = sources[start : start + _TURN]
                for draft in _rotated(drafts, turn):
                    with draft.timed():
                        async for line in translate_lines(
                            client, lines, language, settings, draft.name
                        ):
                            draft.add(line.text, [s.findings for s in line.sentences], line.models)
                            draft.counted += sum(s.decoding in _AGAIN for s in line.sentences)
                            bar.advance()
    runs = [
        draft.run(draft.name or draft.model.name or "default", "by beam or parts")
        for draft in drafts
    ]
    return _report(compare(runs, references, language, _words(sources)), output_format)


async def evaluate_summaries(
    service: Service,
    source: str,
    reference: str,
    models: Sequence[str],
    sentence_count: int,
    output_format: str,
) -> str:
    """Summarise English texts by extraction and by each model, and compare by ROUGE.

    Args:
        service: where it is done.
        source: the texts, one a line.
        reference: a summary of each, one a line.
        models: names of models for abstractive summaries.
        sentence_count: sentences that a summary may hold.
        output_format: `text` or `json`.

    Raises:
        InvalidRequest: there is no text, or not one reference for each.
        FeatureUnavailable: no such model is there.
        ConfigurationError: the extra `evaluate` isn't installed.
    """
    sources, references = _pairs(source, reference)
    load_rouge()
    drafts = [_Draft(name) for name in ("", *models)]
    own = types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE
    with progress(sys.stderr) as bar:
        async with service.connect(_settings(*models)) as client:
            bar.start(len(sources) * len(drafts))
            for turn, text in enumerate(sources):
                for draft in _rotated(drafts, turn):
                    name = draft.name
                    strategy = SummaryStrategy.ABSTRACTIVE if name else SummaryStrategy.EXTRACTIVE
                    options = BriefOptions(
                        sentence_count, strategy, reproducible=True, summary_model=name
                    )
                    with draft.timed():
                        reply = await client.summarise(Release(text), options)
                    draft.add(
                        "\n".join(s.text for s in reply.sentences),
                        [s.findings for s in reply.sentences],
                        reply.signature.models,
                    )
                    draft.counted += sum(s.strategy == own for s in reply.sentences)
                    bar.advance()
    runs = [draft.run(draft.name or "extractive", "own sentences") for draft in drafts]
    references = ["\n".join(_english_sentences(line)) for line in references]
    return _report(compare_summaries(runs, references, _words(sources)), output_format)


@dataclass(slots=True)
class _Draft:
    """What one system has made so far.

    Attributes:
        name: the model's, or "" for the usual one.
        model: what exactly it is, as the signature of the latest reply says.
        outputs: what it made.
        findings: those of each sentence.
        counted: sentences of a kind that the report tells the share of.
        seconds: time that it took.
    """

    name: str
    model: types_pb2.ModelIdentity = field(default_factory=types_pb2.ModelIdentity)
    outputs: list[str] = field(default_factory=list)
    findings: list[Sequence[str]] = field(default_factory=list)
    counted: int = 0
    seconds: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started

    def add(
        self,
        output: str,
        findings: Iterable[Sequence[types_pb2.Finding]],
        models: Iterable[types_pb2.ModelIdentity],
    ) -> None:
        self.outputs.append(output)
        self.findings += map(kinds_of, findings)
        # A summary that a model writes rests on the encoder too.
        self.model = next((m for m in models if self.name in ("", m.name)), self.model)

    def run(self, name: str, share: str) -> Run:
        keys = ("name", "revision", "digest", "quantisation", "licence")
        identity = {key: str(getattr(self.model, key)) for key in keys}
        shares = {share: 100 * self.counted / max(1, len(self.findings))}
        return Run(name, identity, self.outputs, self.findings, shares, self.seconds)


def _rotated(drafts: Sequence[_Draft], turn: int) -> Sequence[_Draft]:
    first = turn % len(drafts)
    return [*drafts[first:], *drafts[:first]]


def _words(sources: Sequence[str]) -> int:
    return sum(len(source.split()) for source in sources)


def _pairs(source: str, reference: str) -> tuple[list[str], list[str]]:
    sources, references = split_lines(source), split_lines(reference)
    if not sources:
        raise InvalidRequest([Violation("--source", "holds no line")])
    if len(sources) != len(references):
        rule = f"must have one line for each of the source's {len(sources)}, not {len(references)}"
        raise InvalidRequest([Violation("--reference", rule)])
    return sources, references


def _english_sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text, Language.ENGLISH)]


def _report(report: Report, output_format: str) -> str:
    return report.json() if output_format == "json" else report.table()


async def _translated(
    service: Service, lines: Sequence[str], language: Language | None, model: str = ""
) -> AsyncIterator[Line]:
    settings = _settings(model)
    with progress(sys.stderr) as bar:
        async with service.connect(settings) as client:
            bar.start(len(lines))
            async for line in translate_lines(client, lines, language, settings, model):
                bar.advance()
                yield line


def _settings(*models: str) -> Settings:
    """Read the settings, by which the models that are named are loaded as well."""
    settings = load_settings()
    names = dict.fromkeys((*settings.selectable_models, *filter(None, models)))
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

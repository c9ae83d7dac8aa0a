"""What the commands do that run the pipeline."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from depesche import render
from depesche.batch import brief_all
from depesche.channel import Connection
from depesche.client import Client
from depesche.config import Settings, load_settings
from depesche.errors import DepescheError, InvalidRequest, Violation
from depesche.evaluate import Report, Run, compare, compare_summaries, kinds_of, load_rouge
from depesche.glossary_file import read_glossary
from depesche.lines import Line, split_lines, translate_lines
from depesche.loading import Loader
from depesche.local import LocalClient
from depesche.outputs import Output, as_json, written
from depesche.progress import progress
from depesche.server import logging
from depesche.sources import Source, read_bytes, read_text
from depesche.text.sentences import split
from depesche.types import BriefOptions, GlossaryTerm, Language, Release, SummaryStrategy
from depesche.v1 import types_pb2

__all__ = [
    "Service",
    "brief",
    "brief_files",
    "evaluate_summaries",
    "evaluate_text",
    "read_glossary_file",
    "translate",
    "translate_text",
    "watch",
    "web",
]

# Lines that a model translates before the next one's turn.
_TURN = 50
# What the gRPC server of `web` has otherwise than `serve`.
_INSIDE = {
    "listen": "127.0.0.1:0",
    "health_listen": None,
    "tls_certificate": None,
    "tls_key": None,
    "tls_client_ca": None,
}
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

    def connection(self, *, retries: bool = True) -> Connection:
        """Tell how the server is reached."""
        return Connection(
            target=f"dns:///{self.server}",
            token=self.token,
            root_certificate=_credential(self.root_certificate),
            client_certificate=_credential(self.client_certificate),
            client_key=_credential(self.client_key),
            retries=retries,
            # Few calls: a refusal says more than that a replica isn't well.
            health_checks=False,
        )

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
    return None if path is None else read_bytes(str(path))


def read_glossary_file(path: str | None) -> tuple[GlossaryTerm, ...]:
    """Read a glossary; None is an empty one. Raises as `read_text` and `read_glossary` do."""
    return () if path is None else read_glossary(read_text(path), Source(path).name)


async def brief(service: Service, source: Source, options: BriefOptions, output_format: str) -> str:
    """Brief a release, and write the brief as `text`, `markdown`, `html` or `json`."""
    release = await source.read()
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
    return written(message, output_format)


async def brief_files(
    service: Service, sources: Sequence[Source], options: BriefOptions, output: Output
) -> list[tuple[str, DepescheError]]:
    """Brief several files, and give each outcome to `output` as soon as it is there.

    Returns:
        Name and error of each file that failed, in their order.
    """
    by_id = {str(place): source for place, source in enumerate(sources)}
    failed: dict[int, DepescheError] = {}
    with progress(sys.stderr, "Briefing") as bar:
        async with service.connect(
            _settings(options.translation_model, options.summary_model)
        ) as client:
            bar.start(len(sources))
            async for id_, outcome in brief_all(client, by_id, options):
                if isinstance(outcome, DepescheError):
                    failed[int(id_)] = outcome
                with bar.hidden():
                    output.put(int(id_), outcome)
                bar.advance()
    return [(sources[place].name, failed[place]) for place in sorted(failed)]


async def translate(
    service: Service, source: Source, options: BriefOptions, output_format: str
) -> str:
    """Translate a release, and write the English as `text` or `json`."""
    release = await source.read()
    async with service.connect(
        _settings(options.translation_model, options.summary_model)
    ) as client:
        response = await client.translate(release, options)
    return as_json(response) if output_format == "json" else render.translation(response)


async def translate_text(
    service: Service,
    text: str,
    language: Language | None,
    write: Callable[[str], None],
    model: str = "",
    glossary: Sequence[GlossaryTerm] = (),
) -> None:
    """Translate a text line by line, and give each line to `write` as soon as it is there."""
    async for line in _translated(service, split_lines(text), language, model, glossary):
        write(line.text + "\n")


async def watch(
    service: Service, path: Path, state: Path | None, *, once: bool, retry_dead: bool
) -> bool:
    """Brief what is new in feeds and folders; see `depesche.watch.app.watch`.

    Args:
        service: where the work is done.
        path: the file that says what is watched.
        state: what is remembered; by default a file beside `path`.
        once: whether to look once and end.
        retry_dead: whether to deliver what was given up.
    """
    from depesche.watch import app  # noqa: PLC0415 - what reads feeds is for this command alone
    from depesche.watch.reading import read_plan  # noqa: PLC0415 - as above

    plan = read_plan(path)
    settings = _settings(plan.brief.model, plan.brief.summary_model)
    logging.configure(settings.log_level)
    with app.opened(state or path.with_suffix(".db")) as memory:
        async with service.connect(settings) as client:
            return await app.watch(plan, memory, client, once=once, retry_dead=retry_dead)


async def web(
    service: Service,
    listen: str,
    hosts: Sequence[str],
    requests_per_minute: int,
    keep: Path | None,
    keep_days: int,
) -> None:
    """Serve the newsroom's page, and the API as JSON over HTTP, until told to stop.

    Args:
        service: where the work is done; without a server, one runs in this process.
        listen: HOST:PORT.
        hosts: names by which it may be asked for, beside this machine's and the listener's.
        requests_per_minute: requests that do work, for each client's address; 0 for any number.
        keep: the file in which briefs are kept; None to keep none.
        keep_days: how many days each is kept.
    """
    from depesche.server.app import running  # noqa: PLC0415 - a server is for this command alone
    from depesche.web.app import serve  # noqa: PLC0415 - as above

    settings = load_settings()
    logging.configure(settings.log_level)
    run = partial(
        serve,
        listen,
        hosts=hosts,
        requests_per_minute=requests_per_minute,
        max_body_bytes=settings.max_message_bytes,
        keep=keep,
        keep_days=keep_days,
    )
    # A refusal is the caller's to hear at once, and a page's to show.
    if service.server is not None:
        await run(service.connection(retries=False))
        return
    # On this machine alone, where nobody listens in.
    inside = settings.model_copy(update=_INSIDE)
    async with running(inside, loader=service.loader) as server:
        await run(
            Connection(
                target=server.address, token=service.token, retries=False, health_checks=False
            )
        )


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
    service: Service,
    lines: Sequence[str],
    language: Language | None,
    model: str,
    glossary: Sequence[GlossaryTerm],
) -> AsyncIterator[Line]:
    settings = _settings(model)
    with progress(sys.stderr) as bar:
        async with service.connect(settings) as client:
            bar.start(len(lines))
            async for line in translate_lines(client, lines, language, settings, model, glossary):
                bar.advance()
                yield line


def _settings(*models: str) -> Settings:
    """Read the settings, by which the models that are named are loaded as well."""
    settings = load_settings()
    names = dict.fromkeys((*settings.selectable_models, *filter(None, models)))
    return settings.model_copy(update={"selectable_models": tuple(names)})

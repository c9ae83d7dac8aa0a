"""Compare the service with llama.cpp serving the same weights in Q8_0.

    python bench/llama.py FILE --server LLAMA_SERVER --model GGUF [--reference FILE]

FILE holds source sentences, one a line. llama.cpp runs as its own server does best: one sequence
for each client, continuous batching, as many threads as CPUs, prompts in token ids, the likeliest
token without further sampling, and no cache of prompts, since lines in earnest don't come twice.
(Its server in Python, `llama_cpp.server`, serves one request at a time and would be no rival.) Both
decode greedily, once, and each measurement is made twice, in turns, since machines are noisy.

The server is built, with cmake and a C++ compiler, from the source that llama-cpp-python carries:

    pip download --no-deps --no-binary :all: -r bench/requirements-llama.in
    tar xf llama_cpp_python-*.tar.gz
    cmake -S llama_cpp_python-*/vendor/llama.cpp -B llama -DCMAKE_BUILD_TYPE=Release \
        -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF
    cmake --build llama --target llama-server  # llama/bin/llama-server

The model is written by bench/export_gguf.py. Reported are

- lines a second, with releases of one line and of twenty;
- the median time of a line that is sent when the last is done, in seconds;
- with a reference, chrF.
"""

import argparse
import asyncio
import http.client
import json
import re
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from closed_loop import line_rate
from sentencepiece import SentencePieceProcessor
from server_process import server_process

from depesche.client import Client
from depesche.config import Settings
from depesche.evaluate import score
from depesche.loading import worker_count
from depesche.models.store import ModelStore
from depesche.text.normalize import normalize
from depesche.types import ContentFormat, Language, Release

_LONG = 20
_CONTEXT = 512
"""Tokens of a sequence: more than the longest prompt and reply."""

_EXPANSION = 2
_SHORT_REPLY = 20
"""How long a reply may be beside its source, as `GemmaBackend` has it."""

_LISTENING = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)")

Translate = Callable[[Sequence[str]], Awaitable[list[str]]]


class LlamaClient:
    """Translates lines by a llama-server, with this side's SentencePiece."""

    def __init__(self, port: int, pieces: Path, max_target_tokens: int, clients: int) -> None:
        """Start the threads that wait for replies.

        Args:
            port: the server's, on this machine.
            pieces: the SentencePiece model.
            max_target_tokens: tokens after which a reply is cut off.
            clients: requests that are under way at once.
        """
        self._port = port
        self._max_target_tokens = max_target_tokens
        self._pieces = SentencePieceProcessor(model_file=str(pieces))
        self._before = [self._pieces.piece_to_id("<bos>")]
        self._after = [self._pieces.piece_to_id("<start_of_turn>")]
        self._pool = ThreadPoolExecutor(clients)

    async def translate(self, lines: Sequence[str]) -> list[str]:
        """Translate lines, in one request."""
        rows = [self._pieces.encode(normalize(line).text) for line in lines]
        longest = max(map(len, rows))
        request = {
            "prompt": [self._before + row + self._after for row in rows],
            "n_predict": min(self._max_target_tokens, _EXPANSION * longest + _SHORT_REPLY),
            "samplers": ["top_k"],
            "top_k": 1,
            "cache_prompt": False,
            "return_tokens": True,
            "response_fields": ["tokens"],
        }
        loop = asyncio.get_running_loop()
        replies = await loop.run_in_executor(self._pool, self._post, json.dumps(request))
        return [self._pieces.decode(reply["tokens"]).strip() for reply in replies]

    def _post(self, body: str) -> list[dict[str, list[int]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("POST", "/completion", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SystemExit(f"llama-server: {content.decode()}")
        replies = json.loads(content)
        # A request of one prompt is answered by its reply alone.
        return replies if isinstance(replies, list) else [replies]


@asynccontextmanager
async def llama_server(
    server: Path, model: Path, threads: int, sequences: int
) -> AsyncIterator[int]:
    """Run a llama-server, ready, for as long as the context lasts; gives its port.

    Raises:
        SystemExit: it ends before it is ready; the message holds what it logged.
    """
    options: Mapping[str, object] = {
        "--model": model,
        "--port": 0,
        "--threads": threads,
        "--parallel": sequences,
        "--ctx-size": sequences * _CONTEXT,
        "--ctx-checkpoints": 0,
        "--cache-ram": 0,
    }
    process = await asyncio.create_subprocess_exec(
        str(server),
        "--no-kv-unified",
        *(str(word) for option in options.items() for word in option),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    reader = asyncio.create_task(_read_log(process.stderr or asyncio.StreamReader(), port))
    try:
        yield await port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reader


async def _read_log(log: asyncio.StreamReader, port: asyncio.Future[int]) -> None:
    """Find the port in the log, and read on: a pipe that nobody reads would stop the server."""
    lines = []
    async for line in log:
        if port.done():
            continue
        lines.append(line)
        if match := _LISTENING.search(line):
            port.set_result(int(match[1]))
    if not port.done():
        port.set_exception(SystemExit(b"".join(lines).decode(errors="replace")))


def service(client: Client, language: Language) -> Translate:
    """Return what translates lines by the service."""

    async def translate(lines: Sequence[str]) -> list[str]:
        release = Release("\n".join(lines), ContentFormat.LINES, language=language)
        english: list[list[str]] = [[] for _ in lines]
        for sentence in (await client.translate(release)).translation:
            english[sentence.block].append(sentence.text)
        return [" ".join(texts) for texts in english]

    return translate


class Measurements:
    """What was measured of one server, by the name of the figure."""

    def __init__(self, name: str) -> None:
        """Start with nothing measured of the server `name`."""
        self.name = name
        self.english: list[str] = []
        self._values: dict[str, list[float]] = {}

    def note(self, figure: str, value: float) -> None:
        """Add a value of a figure, and print it."""
        self._values.setdefault(figure, []).append(value)
        print(f"{self.name:<10} {figure:<30} {value:>8.3f}", flush=True)

    def means(self) -> dict[str, float]:
        """Return each figure's mean."""
        return {figure: statistics.mean(values) for figure, values in self._values.items()}


async def measure(
    into: Measurements, translate: Translate, lines: Sequence[str], clients: int, seconds: float
) -> None:
    """Measure one server, which does nothing else meanwhile."""
    for size in (1, _LONG):
        rate = await line_rate(translate, lines, size, clients, seconds)
        into.note(f"releases of {size}, lines/s", rate)
    times, english = [], []
    for line in lines:
        started = time.monotonic()
        english += await translate([line])
        times.append(time.monotonic() - started)
    into.note("one line at a time, p50 s", statistics.median(times))
    into.english = english


async def compare(arguments: argparse.Namespace) -> tuple[Measurements, Measurements]:
    """Measure both, in turns; returns the service's figures and llama.cpp's."""
    lines = arguments.file.read_text("utf-8").splitlines()
    settings = Settings()
    store = ModelStore(settings.models_dir)
    pieces = store.verify(settings.translation_model).path / "sentencepiece.model"
    most = store.spec(settings.translation_model).max_target_tokens
    ours, theirs = Measurements("service"), Measurements("llama.cpp")
    load = (lines, arguments.clients, arguments.seconds)
    for _ in range(arguments.rounds):
        async with (
            server_process(decode_again="false") as server,
            Client(server.listen) as client,
        ):
            await measure(ours, service(client, arguments.language), *load)
        async with llama_server(
            arguments.server, arguments.model, worker_count(settings), arguments.clients
        ) as port:
            rival = LlamaClient(port, pieces, most, arguments.clients)
            await measure(theirs, rival.translate, *load)
    return ours, theirs


def main() -> None:
    """Read the sentences, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="source sentences, one a line")
    parser.add_argument("--reference", type=Path, help="their English, for chrF")
    parser.add_argument("--server", type=Path, required=True, help="the program llama-server")
    parser.add_argument("--model", type=Path, required=True, help="the model in GGUF")
    parser.add_argument("--language", type=Language, default=Language.GERMAN, help="of FILE")
    parser.add_argument("--clients", type=int, default=32, help="at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="of all measurements")
    arguments = parser.parse_args()
    ours, theirs = asyncio.run(compare(arguments))
    if arguments.reference:
        references = arguments.reference.read_text("utf-8").splitlines()
        for one in (ours, theirs):
            one.note("chrF", score(one.english, references)[0].value)
    print(f"\n{'':<30} {ours.name:>10} {theirs.name:>10} {'ratio':>7}")
    rival = theirs.means()
    for figure, value in ours.means().items():
        print(f"{figure:<30} {value:>10.3f} {rival[figure]:>10.3f} {value / rival[figure]:>7.2f}")
    equal = sum(map(str.__eq__, ours.english, theirs.english))
    print(f"lines of the same English: {equal} of {len(ours.english)}")


if __name__ == "__main__":
    main()

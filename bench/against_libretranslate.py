"""Compare the service with LibreTranslate serving the same model with the same beam.

    python -m venv LIBRE
    LIBRE/bin/pip install -r bench/requirements-libretranslate.in
    python bench/against_libretranslate.py FILE --libretranslate LIBRE/bin/libretranslate

FILE holds German sentences, one a line, and many more of them than there are clients, for Argos
Translate keeps its last translation. LibreTranslate is the server that is on PyPI, with Argos
Translate and CTranslate2 behind it. Its own models can't be had without the network, so both get
one of OPUS-MT's shape with random weights, which writes replies of a translation's length
(bench/marian_model.py), as a package for Argos Translate and behind the service's queue
(bench/marian_server.py). The search is Argos Translate's: a beam of four.

LibreTranslate is measured as it ships, with four threads for requests before one translator on all
CPUs, and tuned, with a thread for each client and a translator for each CPU. Reported are lines a
second, with texts of one line and of twenty, their ratios, and the characters of English a line, by
which one sees that all write equally much. Each measurement is made twice, in turns.
"""

import argparse
import asyncio
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from closed_loop import line_rate
from marian_model import write_model
from server_process import server_process

from depesche.client import Client
from depesche.config import Settings
from depesche.inference.cpu import available_cpus
from depesche.models.store import ModelStore
from depesche.types import ContentFormat, Language, Release

_SIZES = (1, 20)
_POLL_SECONDS = 0.1
_HERE = Path(__file__).parent

# A second package keeps LibreTranslate from looking for more on the network; it is never loaded.
_PACKAGES = (("de", "en"), ("en", "de"))
_XDG = ("DATA", "CONFIG", "CACHE")
_NAMES = {"de": "German", "en": "English"}

Send = Callable[[Sequence[str]], Awaitable[str]]


class Files:
    """What both servers load, in a folder."""

    def __init__(self, folder: Path, python: Path) -> None:
        """Write the model, and the packages for Argos Translate.

        Args:
            folder: where to.
            python: the Python of LibreTranslate's environment.
        """
        settings = Settings()
        store = ModelStore(settings.models_dir)
        self.folder = folder
        self.pieces = store.verify(settings.translation_model).path / "sentencepiece.model"
        self.model = folder / "model"
        write_model(self.model, self.pieces)
        splitter = folder / "one_sentence.onnx"
        subprocess.run([python, _HERE / "one_sentence.py", splitter], check=True)  # noqa: S603 - own
        for source, target in _PACKAGES:
            self._write_package(self.packages / f"{source}_{target}", source, target, splitter)

    @property
    def packages(self) -> Path:
        """The folder of the packages."""
        return self.folder / "packages"

    def _write_package(self, package: Path, source: str, target: str, splitter: Path) -> None:
        splitters = package / "minisbd"
        splitters.mkdir(parents=True)
        shutil.copy(splitter, splitters)
        (package / "model").symlink_to(self.model)
        (package / "sentencepiece.model").symlink_to(self.pieces)
        metadata = {
            "package_version": "1.0",
            "argos_version": "1.9",
            "from_code": source,
            "from_name": _NAMES[source],
            "to_code": target,
            "to_name": _NAMES[target],
        }
        package.joinpath("metadata.json").write_text(json.dumps(metadata), "utf-8")


class LibreClient:
    """Translates texts by a LibreTranslate server on this machine."""

    def __init__(self, port: int, clients: int) -> None:
        """Start the threads that wait for replies; `clients` requests are under way at once."""
        self._port = port
        self._pool = ThreadPoolExecutor(clients)

    async def translate(self, lines: Sequence[str]) -> str:
        """Translate the lines of one text."""
        request = {"q": "\n".join(lines), "source": "de", "target": "en", "format": "text"}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._post, json.dumps(request))

    def _post(self, body: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SystemExit(f"LibreTranslate: {content.decode()}")
        return str(json.loads(content)["translatedText"])


@asynccontextmanager
async def libretranslate(
    program: Path, files: Files, variables: Mapping[str, str]
) -> AsyncIterator[int]:
    """Run LibreTranslate, ready, for as long as the context lasts; gives its port.

    Args:
        program: the command.
        files: what it loads.
        variables: settings as environment variables.

    Raises:
        SystemExit: it ends before it is ready; the message holds what it logged.
    """
    port = _free_port()
    homes = {f"XDG_{name}_HOME": str(files.folder / name.lower()) for name in _XDG}
    # A file, because a pipe that nobody reads would stop the server.
    log = files.folder / "libretranslate.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            "--port",
            str(port),
            cwd=files.folder,  # it leaves files in its working folder
            env={**os.environ, **homes, "ARGOS_PACKAGES_DIR": str(files.packages), **variables},
            stdout=output,
            stderr=output,
        )
    try:
        while not await asyncio.to_thread(_is_healthy, port):
            if process.returncode is not None:
                raise SystemExit(log.read_text("utf-8", errors="replace"))
            await asyncio.sleep(_POLL_SECONDS)  # it tells nobody when it is ready
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


class Measurements:
    """Lines a second of each server, by the lines of a text."""

    def __init__(self, lines: Sequence[str], clients: int, seconds: float) -> None:
        """Measure with these lines, for so many clients, so many seconds each time."""
        self._lines = lines
        self._load = (clients, seconds)
        self._rates: dict[tuple[str, int], list[float]] = {}

    async def add(self, name: str, send: Send) -> None:
        """Measure a server, which does nothing else meanwhile, and print what came out."""
        await send(self._lines[:1])  # models are loaded by the first request
        for size in _SIZES:
            written: list[int] = []

            async def counted(chunk: Sequence[str], written: list[int] = written) -> None:
                english = await send(chunk)
                written.append(len(english) // len(chunk))

            rate = await line_rate(counted, self._lines, size, *self._load)
            self._rates.setdefault((name, size), []).append(rate)
            length = statistics.mean(written)
            print(f"{name:<24} {size:>3} {rate:>8.2f} lines/s {length:>6.0f} chars", flush=True)

    def ratio(self, name: str, rival: str, size: int) -> float:
        """Return the rate of a server over that of another."""
        return statistics.mean(self._rates[name, size]) / statistics.mean(self._rates[rival, size])


def _tuned(clients: int) -> dict[str, str]:
    return {
        "LT_THREADS": str(clients),
        "ARGOS_INTER_THREADS": str(available_cpus()),
        "ARGOS_INTRA_THREADS": "1",
    }


async def measure(
    program: Path, files: Files, measurements: Measurements, clients: int, rounds: int
) -> None:
    """Measure all servers, in turns, and print the ratios."""
    marian = [str(_HERE / "marian_server.py"), str(files.model), str(files.pieces)]
    addresses = {"listen": "127.0.0.1:0", "metrics": "127.0.0.1:0"}
    rivals = {"LibreTranslate": {}, "LibreTranslate, tuned": _tuned(clients)}
    for _ in range(rounds):
        async with (
            server_process(marian, decode_again="false", **addresses) as server,
            Client(server.listen) as client,
        ):
            await measurements.add("service", _by_service(client))
        for name, variables in rivals.items():
            async with libretranslate(program, files, variables) as port:
                await measurements.add(name, LibreClient(port, clients).translate)
    for size in _SIZES:
        for name in rivals:
            ratio = measurements.ratio("service", name, size)
            print(f"texts of {size}: {ratio:.2f} times {name}")


def _by_service(client: Client) -> Send:
    async def send(lines: Sequence[str]) -> str:
        release = Release("\n".join(lines), ContentFormat.LINES, language=Language.GERMAN)
        reply = await client.translate(release)
        return "\n".join(sentence.text for sentence in reply.translation)

    return send


def main() -> None:
    """Read the sentences, write the model, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="German sentences, one a line")
    parser.add_argument(
        "--libretranslate", type=Path, required=True, help="the command, in its environment"
    )
    parser.add_argument("--clients", type=int, default=16, help="at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="of all measurements")
    arguments = parser.parse_args()
    program = arguments.libretranslate.absolute()
    lines = arguments.file.read_text("utf-8").splitlines()
    measurements = Measurements(lines, arguments.clients, arguments.seconds)
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder), program.with_name("python"))
        asyncio.run(measure(program, files, measurements, arguments.clients, arguments.rounds))


if __name__ == "__main__":
    main()

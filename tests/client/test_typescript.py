"""The example in TypeScript, built by `make clients`, against servers on loopback ports."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from depesche import errors
from depesche.client import Client
from tests.certificates import make_certificate
from tests.client.support import INVALID, Service, connected
from tests.rpc.support import serving

pytestmark = pytest.mark.node

_EXAMPLE = Path(__file__).parents[2] / "examples" / "typescript"
_PROGRAM = _EXAMPLE / "dist" / "brief.js"
_SENTENCE = "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke eröffnet."


@dataclass
class Ended:
    """How a run of the example ended."""

    code: int | None
    out: str
    err: str


@pytest.fixture
def node() -> str:
    """Node, where the example is built."""
    found = shutil.which("node")
    if found is None or not _PROGRAM.exists():
        pytest.skip("the example isn't built; `make clients` builds it")
    return found


async def _brief(node: str, text: str, server: str, *more: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(node, _PROGRAM, "--server", server, *more),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(text.encode())
    return Ended(process.returncode, out.decode(), err.decode())


async def test_a_brief_with_progress(node: str) -> None:
    """Each sentence is told of, and the brief shows the words that its sentences rest on."""
    text = f"🌉🌉 𝕳allo! 🌉\n\n{_SENTENCE} Sie kostete 12 Millionen Euro."
    start = text.index(_SENTENCE)
    async with serving() as (server, _):
        ended = await _brief(node, text, server.address)

    assert (ended.code, ended.err.splitlines()[-1]) == (0, "3 of 3 sentences")
    assert _SENTENCE.upper() in ended.out
    assert f"  [{start}:{start + len(_SENTENCE)}] {_SENTENCE}\n" in ended.out


async def test_tls_and_a_token(node: str, tmp_path: Path) -> None:
    """With both a call gets in; without the token its error has a reason."""
    certificate, key = make_certificate(tmp_path, "server")
    token = tmp_path / "token"
    token.write_text("geheim\n")
    locked = serving(token=SecretStr("geheim"), tls_certificate=certificate, tls_key=key)
    async with locked as (server, _):
        target = f"localhost:{server.address.rpartition(':')[2]}"
        trusting = ("--ca", str(certificate))
        let_in = await _brief(node, _SENTENCE, target, *trusting, "--token-file", str(token))
        refused = await _brief(node, _SENTENCE, target, *trusting)

    assert (let_in.code, refused.code) == (0, 1)
    assert refused.err.startswith("Unauthenticated: ")


async def test_the_details_of_an_error(node: str) -> None:
    """Its reason, each field with its rule, and the id of the call."""
    async with connected(Client, Service(INVALID)) as call:
        ended = await _brief(node, _SENTENCE, call.target)

    assert ended.code == 1
    assert ended.err.splitlines() == [
        f"InvalidRequest: {INVALID}",
        "  release.text: is too long",
        "  release.title: is too long",
        "  request id r1",
    ]


async def test_a_refused_call_is_made_again_when_the_server_says(node: str) -> None:
    """So it is answered, if later."""
    loop = asyncio.get_running_loop()
    service = Service(errors.QueueFull("full", 1.5))
    async with connected(Client, service) as call:
        started = loop.time()
        ended = await _brief(node, _SENTENCE, call.target)

    assert (ended.code, ended.out) == (0, "Good day.\n")
    assert service.calls == 2
    assert loop.time() - started > 1.5


async def test_retries_end(node: str) -> None:
    """The last refusal is shown, with when to come again."""
    service = Service(*[errors.QueueFull("full", 0.25)] * 9)
    async with connected(Client, service) as call:
        ended = await _brief(node, _SENTENCE, call.target)

    assert (ended.code, service.calls) == (1, 4)
    assert ended.err.splitlines()[:2] == ["QueueFull: full", "  come again in 0.25 s"]


async def test_the_deadline(node: str) -> None:
    """A call that takes longer than it may ends by its deadline, at the server too."""
    service = Service()
    gone = asyncio.Event()

    async def hold() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    service.hold = hold
    async with connected(Client, service) as call:
        ended = await _brief(node, _SENTENCE, call.target, "--timeout", "0.5")
        await gone.wait()

    assert ended.code == 1
    assert ended.err.startswith("DEADLINE_EXCEEDED: ")


def test_the_lock_names_the_public_registry() -> None:
    """Each package is fixed by a digest, at an address that everybody can reach."""
    lock = json.loads((_EXAMPLE / "package-lock.json").read_text("utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]

    assert packages
    assert all(each["resolved"].startswith("https://registry.npmjs.org/") for each in packages)
    assert all(each["integrity"].startswith("sha512-") for each in packages)


def test_versions_are_exact() -> None:
    """What the example asks for is what was tried."""
    package = json.loads((_EXAMPLE / "package.json").read_text("utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]

    assert [version for version in versions if not version[0].isdigit()] == []

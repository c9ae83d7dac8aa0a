"""What docs/json.md shows is run."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from depesche.v1 import brief_pb2
from depesche.web.rules import rules
from tests.rpc.support import GERMAN, serving
from tests.web.support import edge, full, replies, scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
_BASE = "http://localhost:8080"


def blocks(language: str) -> list[str]:
    """Give the blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def base() -> AsyncIterator[str]:
    async with serving() as (server, _), edge(server.address) as client:
        yield str(client.base_url).rstrip("/")


async def output(*command: str, given: str = "") -> str:
    """Run a program that must succeed, and give what it says."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate(given.encode())
    assert process.returncode == 0
    return said.decode()


_EXPECTED = ("brief", "detection", "findings", "model", "code", "data: ")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("number", "expected"), list(enumerate(_EXPECTED)))
async def test_commands(base: str, number: int, expected: str) -> None:
    """Each gives what the text says."""
    command = blocks("sh")[number]
    assert _BASE in command

    said = await output("sh", "-ec", command.replace(_BASE, base))

    if expected == "data: ":
        assert [line[:12] for line in said.split("\n\n")] == [
            *('data: {"star', 'data: {"sent', 'data: {"brie', "")
        ]
    else:
        found = json.loads(said)
        assert expected in found
        if expected == "code":
            assert found == json.loads(blocks("json")[0])


async def test_every_command_is_run() -> None:
    """No further one can be added without a word on what it gives."""
    assert len(blocks("sh")) == len(_EXPECTED)


async def test_every_path_is_told() -> None:
    """With its method."""
    for rule in rules():
        service = rule.method.containing_service.name
        assert f"| `{rule.verb} {rule.path}` | `{service}.{rule.method.name}` |" in DOCUMENT


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
async def test_the_script(base: str) -> None:
    """It gives each event, and throws what fails, before the first event or after it."""
    (script,) = blocks("js")
    use = f"""
        const [base, request] = {json.dumps([base, {"release": {"text": GERMAN}}])};
        for await (const event of brief(base, request)) console.log(Object.keys(event)[0]);
        await brief(base, {{}}).next().catch((error) => console.log(error.message));
    """
    said = await output("node", "--input-type=module", "-", given=script + use)
    assert said.split("\n")[:-1] == ["started", *["sentence"] * 4, "brief", "release: is required"]

    started = brief_pb2.StreamBriefResponse(started=brief_pb2.BriefStarted())
    events = replies(started, status=full())
    async with scripted(StreamBrief=events) as service, edge(service) as client:
        use = f"""
            try {{
                for await (const event of brief("{str(client.base_url).rstrip("/")}", {{}}))
                    console.log(Object.keys(event)[0]);
            }} catch (error) {{ console.log(error.message); }}
        """
        said = await output("node", "--input-type=module", "-", given=script + use)
    assert said.split("\n")[:-1] == ["started", "the queue is full"]

"""`depesche web`, as a process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from depesche.cli import main
from tests.rpc.support import GERMAN, WatchedBackend, serving
from tests.server.logs import captured_logs
from tests.support import held

ROOT = Path(__file__).parents[2]
_TOKEN = "sesame"  # noqa: S105 - nothing to keep secret
_REQUEST = {"release": {"text": GERMAN, "id": "r1"}}


class _Process:
    """A running `depesche web`, with a client of it."""

    def __init__(self, process: asyncio.subprocess.Process, client: httpx2.AsyncClient) -> None:
        self.process = process
        self.client = client

    async def end(self) -> int:
        """Tell it to stop, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def _web(*options: str, **settings: str) -> AsyncIterator[_Process]:
    environment = os.environ | {"DEPESCHE_METRICS": "127.0.0.1:0", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.web.fake_web", "--listen", "127.0.0.1:0", *options),
        stdout=asyncio.subprocess.PIPE,
        env=environment | settings,
        cwd=ROOT,
    )
    try:
        address = await _address(process)
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
            yield _Process(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "web_ready":
            return str(event["listen"])
    raise AssertionError("it ended before it listened")


async def _ask_on(address: str) -> None:
    """Ask by one connection after the other until it listens no more."""
    while True:
        async with httpx2.AsyncClient(base_url=address) as late:
            await late.get("/v1/openapi.json")


async def test_without_a_server_it_runs_one() -> None:
    """One command briefs over HTTP, with the server's own rules."""
    async with _web() as web:
        brief = (await web.client.post("/v1/briefs", json=_REQUEST)).json()["brief"]
        wrong = await web.client.post("/v1/briefs", json={"release": {"text": " "}})
        code = await web.end()

    assert brief["id"] == "r1"
    assert brief["headline"]["text"] == "NEUE BRÜCKE IN KÖLN"
    assert wrong.status_code == 400
    assert wrong.json()["message"] == "release.text: must hold more than white space"
    assert code == 0


async def test_a_stop_lets_answers_under_way_end() -> None:
    """What was asked before the signal is answered, and then the process ends well."""
    backend = WatchedBackend()
    async with serving(backend) as (server, _):
        await backend.batches(1)
        async with _web("--server", server.address) as web:
            with held(backend):
                asked = asyncio.ensure_future(web.client.post("/v1/briefs", json=_REQUEST))
                await backend.batches(1)
                ended = asyncio.ensure_future(web.end())
                with pytest.raises(httpx2.TransportError):
                    await _ask_on(str(web.client.base_url))
            answer = await asked
            code = await ended

    assert answer.status_code == 200
    assert answer.json()["brief"]["id"] == "r1"
    assert code == 0


async def test_the_token_is_the_edges() -> None:
    """A server that asks for one is reached for requests that bring none."""
    async with serving(token=_TOKEN) as (server, _):
        async with _web("--server", server.address, DEPESCHE_TOKEN=_TOKEN) as web:
            with_token = await web.client.get("/v1/models")
        async with _web("--server", server.address) as web:
            without = await web.client.get("/v1/models")

    assert with_token.status_code == 200
    assert without.status_code == 401


async def test_one_address_can_be_slowed_down() -> None:
    """Requests beyond the rate are refused with the time to wait."""
    async with _web("--rate", "1") as web:
        codes = [(await web.client.post("/v1/briefs", json=_REQUEST)).status_code for _ in "123"]
        other = await web.client.get("/v1/models", headers={"host": "evil.example"})

    assert codes == [200, 429, 429]
    assert other.status_code not in {200, 429}


async def test_the_page_is_there() -> None:
    """With what it needs of the server, under a policy of its own."""
    async with _web() as web:
        page = await web.client.get("/")
        settings = await web.client.get("/page/settings")
        brief = (await web.client.post("/v1/briefs", json=_REQUEST)).json()["brief"]
        export = await web.client.post("/page/exports/text", json={"brief": brief})

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert settings.json()["keeps"] is False
    assert export.text.startswith("NEUE BRÜCKE IN KÖLN [1]\n")


async def test_kept_briefs_outlive_the_process(tmp_path: Path) -> None:
    """In the file that is named, for as many days as are named."""
    options = ("--keep", str(tmp_path / "kept.db"), "--keep-days", "7")
    async with _web(*options) as web:
        settings = (await web.client.get("/page/settings")).json()
        brief = (await web.client.post("/v1/briefs", json=_REQUEST)).json()["brief"]
        made = (await web.client.post("/page/kept", json={"brief": brief})).json()
        await web.end()
    async with _web(*options) as web:
        found = (await web.client.get(f"/page/kept/{made['id']}")).json()

    assert (settings["keeps"], settings["keepDays"]) == (True, 7)
    assert found["brief"] == brief


def test_a_store_that_can_not_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the option and the reason."""
    with captured_logs():  # or the logs of later tests went where nobody reads them
        code = main(["web", "--keep", str(tmp_path), "--server", "127.0.0.1:1"])

    assert code == 1
    error = capsys.readouterr().err
    assert error == f"depesche: --keep: {tmp_path} can't be used: Is a directory\n"


@pytest.mark.parametrize("listen", ["127.0.0.1:70000", "nowhere"])
def test_a_wrong_address_is_wrong_use(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told in a line before anything is loaded."""
    code = main(["web", "--listen", listen])

    assert code == 2
    assert "--listen" in capsys.readouterr().err


async def test_an_address_in_use_is_told() -> None:
    """One line names the option and the reason."""
    async with _web() as web:
        address = f"{web.client.base_url.host}:{web.client.base_url.port}"
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "depesche", "web", "--listen", address),
            *("--server", "127.0.0.1:1"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, error = await second.communicate()

    assert second.returncode == 1
    assert error.decode().startswith(f"depesche: --listen: can't listen on {address}: ")
    assert error.count(b"\n") == 1

"""The embedded models behind the wire."""

import asyncio
from pathlib import Path

import pytest

from depesche.engine import Engine
from depesche.server import convert
from depesche.server.app import running
from depesche.types import BriefOptions, Release
from depesche.v1 import types_pb2
from tests.rpc.support import local_settings, request, stubs

_EXAMPLE = Path(__file__).parents[2] / "examples" / "release.de.txt"


def _untimed(brief: types_pb2.Brief) -> types_pb2.Brief:
    brief.ClearField("timings")
    return brief


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_the_server_briefs_as_the_engine_does() -> None:
    """The same release gives the same brief through the server and in the process."""
    text = "\n".join(_EXAMPLE.read_text().splitlines()[:2])
    settings = local_settings(decode_again=True)
    engine = await Engine.load(settings)
    local = convert.brief_message(await engine.brief(Release(text), BriefOptions()), "x")
    await engine.aclose()
    async with running(settings) as server, stubs(server) as found:
        remote = (await found.briefs.CreateBrief(request(text, id_="x"))).brief

    assert remote.translation
    assert _untimed(remote) == _untimed(local)


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_a_reproducible_brief_is_the_same_beside_others() -> None:
    """With the embedded model, whose results change with their company, the bytes are the same."""
    lines = _EXAMPLE.read_text().splitlines()
    asked = request("\n".join(lines[:4]), id_="x")
    asked.options.reproducible = True
    others = [request(line) for line in lines[:9] if line.strip()]
    async with running(local_settings(decode_again=True)) as server, stubs(server) as found:
        alone = (await found.briefs.CreateBrief(asked)).brief
        calls = [found.briefs.CreateBrief(other) for other in (*others, asked, *others)]
        beside = (await asyncio.gather(*calls))[len(others)].brief

    assert alone.signature.options["batch"].startswith("release")
    assert _untimed(beside).SerializeToString(deterministic=True) == _untimed(
        alone
    ).SerializeToString(deterministic=True)

"""The embedded models behind the wire."""

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

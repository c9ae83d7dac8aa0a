"""What docs/api.md and the README show works as it is written."""

import ast
import asyncio
import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from pydantic import SecretStr

from depesche.channel import _SERVICE_CONFIG
from tests.certificates import make_certificate
from tests.rpc.support import GERMAN, ONE_SENTENCE, serving

_ROOT = Path(__file__).parents[2]
_API = (_ROOT / "docs" / "api.md").read_text("utf-8")
_PYTHON = [
    pytest.param(block, id=f"{name}-{number}")
    for name in ("README.md", "docs/api.md")
    for number, block in enumerate(
        re.findall(r"(?s)```python\n(.*?)```", (_ROOT / name).read_text("utf-8"))
    )
]
_CALLS = [
    shlex.split(line)
    for line in _API.splitlines()
    if line.startswith("grpcurl ") and " -d " in line
]
_IMPORTS = """
from depesche.client import Client, SyncClient
from depesche.types import Release
"""


async def _run(code: str, names: dict[str, Any]) -> None:
    """Run code that may await, in this loop if it does and otherwise in a thread."""
    compiled = compile(code, "document", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await eval(compiled, names)  # noqa: S307 - our own document
    else:
        await asyncio.to_thread(exec, compiled, names)


@pytest.mark.parametrize("block", _PYTHON)
async def test_python_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each example runs against a server, and prints what comes back."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(ONE_SENTENCE, "utf-8")
    settings: dict[str, Any] = {}
    if "ca.pem" in block:
        certificate, key = make_certificate(tmp_path, "ca")
        (tmp_path / "token").write_text("geheim\n")
        settings = {
            "tls_certificate": certificate,
            "tls_key": key,
            "token": SecretStr("geheim"),
        }
    async with serving(**settings) as (server, _):
        here = f"localhost:{server.address.rpartition(':')[2]}"
        code = re.sub(r"(localhost|briefs\.example):50051", here, block)
        assert here in code
        await _run(_IMPORTS + code, {"text": GERMAN, "archive": tmp_path})

    printed = capsys.readouterr().out
    assert printed.strip()
    assert "Error" not in printed


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: call[-1].rpartition("/")[2])
def test_grpcurl_sends_a_request(call: list[str]) -> None:
    """What follows `-d` is one request or several of the method at the end."""
    method = Default().FindMethodByName(call[-1].replace("/", "."))
    kind = GetMessageClass(method.input_type)
    text, requests = call[call.index("-d") + 1], []
    while text := text.strip():
        request, end = json.JSONDecoder().raw_decode(text)
        requests.append(json_format.ParseDict(request, kind()))
        text = text[end:]

    assert len(requests) == 1 or method.client_streaming
    assert all(request.ByteSize() for request in requests)


def test_the_service_config_is_the_clients_own() -> None:
    """What other languages are told to use is what was tried."""
    fleet = (_ROOT / "docs" / "fleet.md").read_text("utf-8")
    (shown,) = re.findall(r"(?s)```json\n(.*?)```", fleet)

    assert json.loads(shown) == _SERVICE_CONFIG


def test_every_link_leads_somewhere() -> None:
    """Files that the document names are there."""
    links = re.findall(r"\]\(([^):]+)\)", _API)

    assert links
    assert [link for link in links if not (_ROOT / "docs" / link).exists()] == []

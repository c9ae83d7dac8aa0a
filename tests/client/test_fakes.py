"""Both clients against the service itself, with fakes for its models."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from depesche import errors
from depesche.client import Client, SyncClient
from depesche.inference.fake import FakeBackend
from depesche.types import Release
from tests.certificates import make_certificate
from tests.client.support import opened
from tests.rpc.support import ENGLISH, GERMAN, ONE_SENTENCE, serving

Kind = type[Client | SyncClient]


async def test_every_method(kind: Kind) -> None:
    """Each call is one that the service answers."""
    async with serving() as (server, _), opened(kind, server.address) as call:
        brief = await call("brief", Release(GERMAN), release_id="7")
        steps = [step async for step in call.replies("stream", Release(GERMAN))]
        source = call.source(iter([("a", Release(GERMAN)), ("b", Release("123"))]))
        replies = dict([reply async for reply in call.replies("briefs", source)])
        translation = await call("translate", Release(GERMAN))
        detection = await call("detect", GERMAN)
        summary = await call("summarise", Release(ENGLISH))
        findings = await call("check", "It cost 13 euros.", ["Er kostete 12 Euro."], "de")
        models = await call("models")
        model = await call("model", models[0].name)
        reloaded = await call("reload_models")

    assert brief.id == "7"
    assert steps[-1].brief.headline == brief.headline == replies["a"].headline
    assert isinstance(replies["b"], errors.RequestError)
    assert translation.translation[0].text == GERMAN.split("\n")[0].upper()
    assert detection.language == "de"
    assert summary.sentences
    assert findings
    assert model == models[0]
    assert [each.name for each in reloaded] == [each.name for each in models]


async def test_an_error_names_the_call_of_the_log(kind: Kind) -> None:
    """Its id is the one that the caller has given, or else the service's."""
    async with serving() as (server, _), opened(kind, server.address) as call:
        with pytest.raises(errors.ModelUnknown) as own:
            await call("model", "none", request_id="desk-7")
        with pytest.raises(errors.ModelUnknown) as given:
            await call("model", "none")

    assert own.value.request_id == "desk-7"
    assert len(given.value.request_id) == 32


async def test_tls_and_a_token(kind: Kind, tmp_path: Path) -> None:
    """With both, calls get in; without the token they are refused by a class of their own."""
    certificate, key = make_certificate(tmp_path, "server")
    settings: dict[str, Any] = {"tls_certificate": certificate, "tls_key": key}
    root = certificate.read_bytes()
    async with serving(token=SecretStr("geheim"), **settings) as (server, _):
        target = f"localhost:{server.address.rpartition(':')[2]}"
        async with opened(kind, target, token="geheim", root_certificate=root) as call:  # noqa: S106
            assert (await call("detect", GERMAN)).language == "de"
        async with opened(kind, target, root_certificate=root) as call:
            with pytest.raises(errors.Unauthenticated):
                await call("detect", GERMAN)


async def test_a_feed_goes_on_elsewhere_when_its_server_drains(kind: Kind) -> None:
    """Every release is briefed once, by one server or the other."""
    goes_on = threading.Event()

    def live() -> Iterator[tuple[str, Release]]:
        yield from ((f"r{number}", Release(ONE_SENTENCE)) for number in range(5))
        goes_on.wait()
        yield from ((f"r{number}", Release(ONE_SENTENCE)) for number in range(5, 10))

    briefed: Counter[str] = Counter()
    async with AsyncExitStack() as all_of_them:
        stacks = [await all_of_them.enter_async_context(AsyncExitStack()) for _ in range(2)]
        backends = [FakeBackend(str.upper) for _ in stacks]
        servers = [
            (await stack.enter_async_context(serving(backend)))[0]
            for stack, backend in zip(stacks, backends, strict=True)
        ]
        idle = [backend.begun for backend in backends]
        target = "ipv4:" + ",".join(server.address for server in servers)
        call = await all_of_them.enter_async_context(opened(kind, target))
        async for id_, brief in call.replies("briefs", call.source(live()), resume=True):
            assert brief.key_sentences
            briefed[id_] += 1
            if briefed.total() == 1:
                (busy,) = [n for n in range(2) if backends[n].begun > idle[n]]
                draining = asyncio.create_task(stacks[busy].aclose())
            if briefed.total() == 5:
                await draining
                goes_on.set()

    assert briefed == Counter(f"r{number}" for number in range(10))
    assert backends[1 - busy].begun > idle[1 - busy]

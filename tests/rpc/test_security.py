"""Tokens and transport security, over the wire."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from pydantic import SecretStr

from depesche.client import Client
from depesche.errors import ConfigurationError
from depesche.inference.fake import FakeBackend
from depesche.server.app import Server, running
from depesche.server.tls import server_credentials
from depesche.types import Release
from depesche.v1 import brief_pb2, model_pb2, types_pb2
from tests.certificates import make_certificate
from tests.rpc.support import GERMAN, Stubs, failure, local_settings, page_with, request, serving
from tests.server.logs import captured_logs
from tests.support import fake_loader


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer wrong"),),
        (("authorization", "geheim"),),
        (("authorization", "Basic geheim"),),
    ],
)
async def test_a_call_without_the_token_is_refused(
    metadata: tuple[tuple[str, str], ...],
) -> None:
    """Only the exact token lets a call in, whatever the kind of call."""
    async with serving(token=SecretStr("geheim")) as (_, stubs):
        unary = await failure(stubs.briefs.CreateBrief(request(), metadata=metadata))
        call = stubs.briefs.BriefReleases(iter(()), metadata=metadata)
        stream = await failure(anext(aiter(call)))

    assert unary.code is stream.code is StatusCode.UNAUTHENTICATED
    assert unary.reason == "Unauthenticated"
    assert "geheim" not in unary.message


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_lets_a_call_in(scheme: str) -> None:
    """With the token, calls work; health needs none, for probes have none."""
    metadata = (("authorization", f"{scheme} geheim"),)
    async with serving(token=SecretStr("geheim")) as (_, stubs):
        reply = await stubs.briefs.CreateBrief(request(), metadata=metadata)
        assert await stubs.is_serving("readiness")

    assert reply.brief.headline.text


async def test_a_file_of_tokens_lets_each_client_in(tmp_path: Path) -> None:
    """Each token of the file lets a call in, and the log says whose it was, but not the token."""
    file = tmp_path / "tokens"
    file.write_text("desk:s3cret\narchive:gr8:600\n")
    with captured_logs() as lines:
        async with serving(tokens_file=file) as (_, stubs):
            for token in ("s3cret", "gr8"):
                await stubs.briefs.CreateBrief(request(), metadata=_bearer(token))
            refused = await failure(stubs.briefs.CreateBrief(request(), metadata=_bearer("s3cre")))
        calls = [line for line in lines() if line["event"] == "call"]

    assert [line.get("client") for line in calls] == ["desk", "archive", None]
    assert "s3cre" not in str(calls)
    assert refused.code is StatusCode.UNAUTHENTICATED
    assert refused.reason == "Unauthenticated"


async def test_a_token_that_is_taken_out_of_the_file_lets_nobody_in(tmp_path: Path) -> None:
    """The file is followed while the server runs."""
    file = tmp_path / "tokens"
    file.write_text("desk:old")
    async with serving(tokens_file=file) as (_, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=_bearer("old"))
        file.write_text("desk:fresh")
        while not await _is_let_in(stubs, "fresh"):
            pass
        assert not await _is_let_in(stubs, "old")


async def test_a_file_of_tokens_that_breaks_a_rule_is_refused(tmp_path: Path) -> None:
    """A server whose tokens can't be read doesn't start."""
    file = tmp_path / "tokens"
    file.write_text("nonsense")
    with pytest.raises(ConfigurationError, match=r"^tokens_file: .*line 1: "):
        async with serving(tokens_file=file):
            pass


async def test_a_client_over_its_quota_is_told_when_to_come_again(tmp_path: Path) -> None:
    """The call is refused as a full queue refuses; health and other clients aren't touched."""
    file = tmp_path / "tokens"
    file.write_text("desk:d:1\narchive:a:1\nfree:f\n")
    async with serving(tokens_file=file) as (server, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=_bearer("d"))
        unary = await failure(stubs.briefs.CreateBrief(request(), metadata=_bearer("d")))
        call = stubs.briefs.BriefReleases(iter(()), metadata=_bearer("d"))
        stream = await failure(anext(aiter(call)))
        await stubs.briefs.CreateBrief(request(), metadata=_bearer("a"))
        await stubs.briefs.CreateBrief(request(), metadata=_bearer("f"))
        await stubs.briefs.CreateBrief(request(), metadata=_bearer("f"))
        assert await stubs.is_serving("readiness")
        await page_with(server, 'depesche_rejected_total{reason="quota_exceeded"} 2.0\n')

    assert unary.code is stream.code is StatusCode.RESOURCE_EXHAUSTED
    assert unary.reason == "QuotaExceeded"
    assert unary.message == "the quota of 1 requests per minute, 1 at once, is used up"
    assert 50 < unary.retry_after <= 60
    assert unary.metadata["grpc-retry-pushback-ms"] == str(round(unary.retry_after * 1000))
    assert "x-request-id" in unary.metadata


async def test_the_releases_of_a_feed_are_charged_one_by_one(tmp_path: Path) -> None:
    """A release over the quota fails alone, by its id, and the feed goes on."""
    file = tmp_path / "tokens"
    file.write_text("desk:d:12")
    feed = [
        brief_pb2.BriefReleasesRequest(release=types_pb2.Release(id=id_, text=GERMAN))
        for id_ in ("first", "second")
    ]
    async with serving(tokens_file=file, max_releases_in_flight=1) as (_, stubs):
        call = stubs.briefs.BriefReleases(iter(feed), metadata=_bearer("d"))
        first, second = [reply async for reply in call]

    assert (first.id, first.WhichOneof("result")) == ("first", "brief")
    assert (second.id, second.error.code) == ("second", StatusCode.RESOURCE_EXHAUSTED.value[0])


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def _is_let_in(stubs: Stubs, token: str) -> bool:
    """Tell whether a call with a token gets in."""
    asked = model_pb2.ListModelsRequest()
    call = stubs.models.ListModels(asked, metadata=_bearer(token))
    code = await call.code()
    assert code in {StatusCode.OK, StatusCode.UNAUTHENTICATED}
    return bool(code is StatusCode.OK)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for localhost and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "certificate")


async def test_calls_over_tls(certificate: tuple[Path, Path]) -> None:
    """With a certificate, the listener speaks TLS, and only TLS."""
    settings = local_settings(tls_certificate=certificate[0], tls_key=certificate[1])
    async with running(settings, loader=fake_loader(FakeBackend())) as server:
        trusted = grpc.ssl_channel_credentials(certificate[0].read_bytes())
        target = server.address.replace("127.0.0.1", "localhost")
        async with grpc.aio.secure_channel(target, trusted) as channel:
            reply = await Stubs(channel).briefs.CreateBrief(request())
        async with grpc.aio.insecure_channel(server.address) as channel:
            plain = await failure(Stubs(channel).briefs.CreateBrief(request(), timeout=5))

    assert reply.brief.headline.text
    assert plain.code in {StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED}


async def test_only_a_client_with_a_certificate_is_let_in(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """With an authority of clients set, only those with a certificate of it get a connection."""
    known, known_key = (path.read_bytes() for path in make_certificate(tmp_path, "known"))
    stranger, stranger_key = (path.read_bytes() for path in make_certificate(tmp_path, "stranger"))
    root = certificate[0].read_bytes()
    settings = local_settings(
        tls_certificate=certificate[0],
        tls_key=certificate[1],
        tls_client_ca=tmp_path / "known.pem",
        health_listen="127.0.0.1:0",
    )
    async with running(settings, loader=fake_loader(FakeBackend())) as server:
        target = server.address.replace("127.0.0.1", "localhost")
        async with Client(
            target, root_certificate=root, client_certificate=known, client_key=known_key
        ) as client:
            brief = await client.brief(Release(GERMAN))
        for pair in ((None, None), (stranger_key, stranger)):
            credentials = grpc.ssl_channel_credentials(root, *pair)
            async with grpc.aio.secure_channel(target, credentials) as channel:
                refused = await failure(Stubs(channel).briefs.CreateBrief(request(), timeout=5))
            assert refused.code is StatusCode.UNAVAILABLE

    assert brief.headline.text


async def test_a_new_certificate_is_shown_to_new_connections(tmp_path: Path) -> None:
    """Files that change are followed; while they don't fit, the old certificate stays."""
    paths = make_certificate(tmp_path, "old")
    old = paths[0].read_bytes()
    fresh = make_certificate(tmp_path, "fresh")
    settings = local_settings(tls_certificate=paths[0], tls_key=paths[1])
    with captured_logs() as lines:
        async with running(settings, loader=fake_loader(FakeBackend())) as server:
            paths[0].write_bytes(fresh[0].read_bytes())
            while not _has(lines(), "certificates not reloaded"):
                assert await asyncio.to_thread(_shown, server.address) == _der(old)
            paths[1].write_bytes(fresh[1].read_bytes())
            while not _has(lines(), "certificates reloaded"):
                await asyncio.to_thread(_shown, server.address)
            assert await asyncio.to_thread(_shown, server.address) == _der(fresh[0].read_bytes())


def _has(lines: list[dict[str, Any]], event: str) -> bool:
    return event in [line["event"] for line in lines]


def _der(certificate: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.decode())


def _shown(address: str) -> bytes:
    """Connect, and give the certificate that the server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


async def test_probes_have_a_plaintext_port_for_health_alone(
    certificate: tuple[Path, Path],
) -> None:
    """Where calls need TLS and a token, probes need neither, and get nothing but health."""
    settings = local_settings(
        tls_certificate=certificate[0],
        tls_key=certificate[1],
        token=SecretStr("geheim"),
        health_listen="127.0.0.1:0",
    )
    with captured_logs() as lines:
        server = Server(settings, loader=fake_loader(FakeBackend()))
        try:
            await server.start()
            async with grpc.aio.insecure_channel(server.health_address) as channel:
                stubs = Stubs(channel)
                before = await stubs.is_serving("liveness"), await stubs.is_serving("readiness")
                await server.load()
                after = await stubs.is_serving("liveness"), await stubs.is_serving("readiness")
                refused = await failure(stubs.briefs.CreateBrief(request()))
        finally:
            await server.stop()
        (ready,) = (line for line in lines() if line["event"] == "ready")

    assert (before, after) == ((True, False), (True, True))
    assert refused.code is StatusCode.UNIMPLEMENTED
    assert ready["health"] == server.health_address


async def test_a_port_for_health_that_is_taken_names_its_setting() -> None:
    """An address in use is a fault of the configuration."""
    async with serving() as (server, _):
        with pytest.raises(ConfigurationError, match=r"^health_listen: can't listen on"):
            async with serving(health_listen=server.address):
                pass


async def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    """Nonsense in the files is a fault of the configuration."""
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    settings = local_settings(tls_certificate=nonsense, tls_key=nonsense)
    with pytest.raises(ConfigurationError, match=r"^tls_certificate, tls_key: "):
        async with running(settings, loader=fake_loader(FakeBackend())):
            pass


@pytest.mark.parametrize("password", ["", "-aes128 -passout pass:geheim"])
def test_a_key_that_does_not_fit_is_refused(
    certificate: tuple[Path, Path], tmp_path: Path, password: str
) -> None:
    """The key of another certificate, or one with a password, is a fault of the configuration."""
    key = tmp_path / "other.pem"
    command = f"{shutil.which('openssl')} genrsa {password} -out {key} 2048"
    subprocess.run(command.split(), check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match=r"^tls_certificate, tls_key: .*other\.pem"):
        server_credentials(local_settings(tls_certificate=certificate[0], tls_key=key))

"""Tokens and transport security, over the wire."""

import shutil
import subprocess
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from pydantic import SecretStr

from depesche.errors import ConfigurationError
from depesche.inference.fake import FakeBackend
from depesche.server.app import running
from depesche.server.tls import server_credentials
from tests.rpc.support import Stubs, failure, local_settings, request, serving
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


async def test_the_token_lets_a_call_in() -> None:
    """With the token, calls work; health needs none, for probes have none."""
    metadata = (("authorization", "Bearer geheim"),)
    async with serving(token=SecretStr("geheim")) as (_, stubs):
        reply = await stubs.briefs.CreateBrief(request(), metadata=metadata)
        assert await stubs.is_serving("readiness")

    assert reply.brief.headline.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for localhost and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    extra = ["-addext", "subjectAltName=DNS:localhost", "-out", paths[0], "-keyout", paths[1]]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    return paths


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

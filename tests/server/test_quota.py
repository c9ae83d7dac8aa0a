# ruff: noqa: N802 - the contract names its RPCs
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from depesche.errors import QuotaExceeded
from depesche.server.auth import AuthenticationInterceptor, Caller, Tokens
from depesche.server.interceptors import CallInterceptor
from depesche.server.metrics import Metrics
from depesche.server.quota import Bucket, QuotaInterceptor, Quotas, charge
from depesche.v1 import brief_pb2, brief_pb2_grpc
from tests.rpc.support import Stubs
from tests.server.clock import Clock


@pytest.mark.parametrize(("per_minute", "burst"), [(1, 1), (11, 1), (12, 2), (600, 100)])
def test_ten_seconds_of_requests_may_come_at_once(per_minute: int, burst: int) -> None:
    """A full bucket holds a sixth of a minute's requests, and one at least."""
    bucket = Bucket(per_minute, Clock())

    assert [bucket.take() for _ in range(burst)] == [0.0] * burst
    assert bucket.take() > 0


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1_000])
def test_who_waits_as_long_as_told_is_let_in(per_minute: int) -> None:
    """The wait that is told is enough, and but a millisecond or so too long."""
    clock = Clock()
    bucket = Bucket(per_minute, clock)
    while not (wait := bucket.take()):
        pass

    assert wait == pytest.approx(60 / per_minute, abs=0.001)
    clock.now += wait - 0.002
    assert bucket.take() > 0
    clock.now += 0.003
    assert bucket.take() == 0.0


def test_a_bucket_fills_up_to_its_burst_and_no_further() -> None:
    """Who was away for an hour has ten seconds' requests, not an hour's."""
    clock = Clock()
    bucket = Bucket(60, clock)
    clock.now = 3600.0

    assert [bucket.take() for _ in range(11)].count(0.0) == 10


def test_over_a_minute_the_quota_holds() -> None:
    """Somebody who tries all the time gets a minute's requests and the burst."""
    clock = Clock()
    bucket = Bucket(60, clock)
    allowed = 0
    for tick in range(600):
        clock.now = tick / 10
        allowed += bucket.take() == 0.0

    assert allowed == 10 + 59


def test_clients_do_not_share_their_quotas() -> None:
    """One client's greed leaves another's quota alone; without a quota, there is no end."""
    quotas = Quotas(Clock())
    quotas.charge(Caller("greedy", 6))
    with pytest.raises(QuotaExceeded, match="6 requests per minute, 1 at once") as caught:
        quotas.charge(Caller("greedy", 6))
    quotas.charge(Caller("modest", 6))
    for _ in range(1000):
        quotas.charge(Caller("free"))

    assert caught.value.client == "greedy"
    assert caught.value.retry_after == 10.0


def test_a_new_quota_does_not_refill_the_bucket() -> None:
    """When the file changes, calls that know the old quota and the new one share the bucket."""
    quotas = Quotas(Clock())
    quotas.charge(Caller("desk", 6))
    for per_minute in (60, 6, 60, 6):
        with pytest.raises(QuotaExceeded):
            quotas.charge(Caller("desk", per_minute))


def test_outside_of_a_call_nothing_is_charged() -> None:
    """Where no interceptor stands, `charge` is free."""
    for _ in range(1000):
        charge()


class _Servicer(brief_pb2_grpc.BriefServiceServicer):
    """Charges for each release of a feed, as those should whose calls hold many requests."""

    async def BriefReleases(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[brief_pb2.BriefReleasesResponse]:
        del context
        async for _ in request_iterator:
            reply = brief_pb2.BriefReleasesResponse()
            try:
                charge()
            except QuotaExceeded as error:
                reply.error.message = error.client
            yield reply


async def test_a_feed_is_charged_for_itself_and_for_each_release(tmp_path: Path) -> None:
    """Of a quota of three at once, the feed takes one and its releases two; it goes on."""
    (tmp_path / "tokens").write_text("desk:t:18")
    tokens = Tokens(path=tmp_path / "tokens")
    tokens.load()
    interceptors = [
        CallInterceptor(Metrics()),
        AuthenticationInterceptor(tokens),
        QuotaInterceptor(Quotas(Clock())),
    ]
    server = grpc.aio.server(interceptors=interceptors)
    brief_pb2_grpc.add_BriefServiceServicer_to_server(_Servicer(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        requests = [brief_pb2.BriefReleasesRequest()] * 4
        metadata = (("authorization", "Bearer t"),)
        call = Stubs(channel).briefs.BriefReleases(iter(requests), metadata=metadata)
        errors = [reply.error.message async for reply in call]
    await server.stop(None)

    assert errors == ["", "", "desk", "desk"]

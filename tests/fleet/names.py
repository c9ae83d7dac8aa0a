"""A name server for one name, as a headless Service has one: a record a replica."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dnslib import QTYPE, RR, A, DNSRecord
from dnslib.server import DNSHandler, DNSServer

from tests.fleet.replicas import Replica

__all__ = ["NAME", "Names", "names"]

NAME = "briefs-depesche-headless"


class Names:
    """The replicas that the name stands for.

    Attributes:
        port: where the server listens, by UDP.
        asked: how often it was asked for addresses.
    """

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self.port = 0
        self.asked = 0
        self._hosts: list[str] = []
        self.set(replicas)

    def set(self, replicas: Sequence[Replica]) -> None:
        """Let the name stand for other replicas."""
        self._hosts = [replica.host for replica in replicas]

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer; called by dnslib."""
        del handler
        reply = request.reply()
        if request.q.qtype == QTYPE.A:
            self.asked += 1
            for host in self._hosts:
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(host), ttl=1))
        return reply


@contextmanager
def names(replicas: Sequence[Replica]) -> Iterator[Names]:
    """Serve the name for some replicas."""
    known = Names(replicas)
    server = DNSServer(known, address="127.0.0.1", port=0, logger=_Silent())
    known.port = server.server.server_address[1]
    server.start_thread()
    try:
        yield known
    finally:
        server.stop()
        server.server.server_close()


class _Silent:
    """Logs nothing."""

    def __getattr__(self, _name: str) -> object:
        return lambda *_: None

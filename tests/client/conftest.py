"""Fixtures of the tests of clients."""

import pytest

from depesche.client import Client, SyncClient
from tests.client.support import KINDS


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Client | SyncClient]:
    """Each of the clients."""
    chosen: type[Client | SyncClient] = request.param
    return chosen

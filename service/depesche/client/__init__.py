"""Clients of the service: `Client` for asyncio, and `SyncClient` for threads.

    async with Client("127.0.0.1:50051") as client:
        brief = await client.brief(Release("Der Bundestag hat …"))

    with SyncClient("127.0.0.1:50051") as client:
        brief = client.brief(Release("Der Bundestag hat …"))

Results are the messages of `depesche.v1`, errors the classes of `depesche.errors`.
"""

from depesche.client.aio import Client
from depesche.client.blocking import SyncClient

__all__ = ["Client", "SyncClient"]

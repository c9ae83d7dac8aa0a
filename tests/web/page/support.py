"""What the tests of the page share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.routing import Route

from depesche.channel import Connection
from depesche.web import edge
from depesche.web.calls import Caller
from depesche.web.limits import Limits, guarded
from depesche.web.page import routes as page
from tests.web.support import listening

BRIEF: dict[str, Any] = {
    "headline": {"text": "Bridge opened", "sentenceIndices": [0]},
    "keySentences": [
        {"text": "It cost 12 million euros.", "sentenceIndices": [1]},
        {"text": "Traffic flows.", "sentenceIndices": [2], "strategy": 2},
    ],
    "detection": {"language": "de", "confidence": 1},
    "translation": [
        {"index": 0, "normalisedSource": "Brücke eröffnet", "text": "Bridge opened"},
        {
            "index": 1,
            "normalisedSource": "Sie kostete 12 Millionen Euro.",
            "text": "It cost 12 million euros.",
        },
        {"index": 2, "normalisedSource": "Der Verkehr fließt.", "text": "Traffic flows."},
    ],
    "signature": {"line": "depesche:0|splitter:1"},
}
"""A brief as the page may send it."""


def draft(*edits: tuple[Any, str], **fields: Any) -> dict[str, Any]:
    """Make a draft of it, with edits by their places."""
    changes = [{"place": place, "text": text} for place, text in edits]
    return {"brief": BRIEF, "edits": changes, **fields}


@asynccontextmanager
async def served(
    service: str = "127.0.0.1:1", *, more: Sequence[Route] = (), **options: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """Run the page and the edge before a service, behind the guards, and connect by HTTP."""
    async with Connection(target=service, health_checks=False, retries=False).open() as channel:
        caller = Caller(channel)
        routes = [*more, *edge.routes(caller), *page.routes(caller, **options)]
        app = guarded(Starlette(routes=routes), Limits(page_policy=page.POLICY))
        async with (
            listening(app) as address,
            httpx2.AsyncClient(base_url=f"http://{address}", timeout=30) as client,
        ):
            yield client

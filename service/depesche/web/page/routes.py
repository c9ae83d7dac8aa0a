"""The paths of the page."""

import json

from starlette.responses import Response
from starlette.routing import Route

from depesche import __version__
from depesche.documents import DEFAULT, SUFFIXES, Limits
from depesche.web.calls import Caller
from depesche.web.page.checks import Checks
from depesche.web.page.documents import Documents
from depesche.web.page.drafts import Body
from depesche.web.page.exports import FORMATS, exports
from depesche.web.page.files import files, sends
from depesche.web.page.kept import Kept, kept_routes
from depesche.web.resources import Endpoint, Exchange, Resource, nothing

__all__ = ["POLICY", "routes"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
"""`Content-Security-Policy` of the page: its own files, and no script from text."""

_INDEX = "index.html"


def routes(
    caller: Caller,
    *,
    max_body_bytes: int = 8 * 1024 * 1024,
    documents: Limits = DEFAULT,
    kept: Kept | None = None,
) -> list[Route]:
    """Make the routes of everything that isn't under `/v1`.

    Args:
        caller: the way to the service, which checks edits.
        max_body_bytes: most bytes of a brief and its edits, as JSON.
        documents: what a file and the reading of it may take.
        kept: the briefs that are kept; None to keep none.
    """
    found = files()
    index = Resource({"GET": sends(found[_INDEX])})
    checks, body = Checks(caller), Body(max_body_bytes)
    settings = _settings(documents.file_bytes, 0 if kept is None else kept.days)
    return [
        Route("/", index),
        Route("/briefs/{id}", index),
        Route("/page/settings", Resource({"GET": settings})),
        Route("/page/documents", Resource({"POST": Documents(documents)})),
        *(
            Route(f"/page/exports/{name}", Resource({"POST": exports(name, checks, body)}))
            for name in FORMATS
        ),
        *kept_routes(kept, checks, body),
        *(Route(f"/page/{name}", Resource({"GET": sends(file)})) for name, file in found.items()),
        Route("/{path:path}", nothing),
    ]


def _settings(max_document_bytes: int, keep_days: int) -> Endpoint:
    content = json.dumps(
        {
            "keeps": keep_days > 0,
            "keepDays": keep_days,
            "maxDocumentBytes": max_document_bytes,
            "documentTypes": list(SUFFIXES),
            "version": __version__,
        }
    )

    async def endpoint(exchange: Exchange) -> None:
        headers = dict(exchange.headers)
        await exchange.answer(Response(content, 200, headers, "application/json"))

    return endpoint

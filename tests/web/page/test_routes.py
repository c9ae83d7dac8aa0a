"""The settings of the page."""

from depesche import __version__
from depesche.documents import Limits
from tests.web.page.support import served


async def test_settings() -> None:
    """What the page has to know before it asks."""
    async with served(documents=Limits(file_bytes=1000)) as client:
        answer = await client.get("/page/settings")

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "keeps": False,
        "keepDays": 0,
        "maxDocumentBytes": 1000,
        "documentTypes": [
            *(".txt", ".text", ".md", ".htm", ".html", ".xhtml", ".docx", ".pdf", ".eml")
        ],
        "version": __version__,
    }

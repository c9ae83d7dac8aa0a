"""The files of the page, over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from depesche.web.page.files import MEDIA_TYPES, files
from depesche.web.page.routes import POLICY
from tests.web.page.support import served

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[3]
STATIC = ROOT / "service" / "depesche" / "web" / "page" / "static"
NAMES = sorted(path.name for path in STATIC.iterdir())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with served() as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_on_disk_is_served(client: httpx2.AsyncClient, name: str) -> None:
    """As it is, with its type, and checked anew each time."""
    answer = await client.get(f"/page/{name}")

    assert answer.status_code == 200
    assert answer.content == (STATIC / name).read_bytes()
    assert answer.headers["content-type"] == MEDIA_TYPES[Path(name).suffix]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/briefs/AAAAAAAAAAAAAAAAAAAAAA"])
async def test_the_page_is_at_its_addresses(client: httpx2.AsyncClient, path: str) -> None:
    """Where a brief was kept as well: the script fetches it."""
    answer = await client.get(path)

    assert answer.content == (STATIC / "index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (await client.head(path)).content == b""


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
async def test_what_the_browser_has_is_not_sent_again(
    client: httpx2.AsyncClient, form: str
) -> None:
    """By its strong tag, however the browser names it."""
    tag = (await client.get("/")).headers["etag"]
    assert tag.startswith('"')

    answer = await client.get("/", headers={"if-none-match": form.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["content-security-policy"] == POLICY

    other = await client.get("/", headers={"if-none-match": f"{tag[:-1]}0{tag[-1:]}"})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/page/none.js", "/page/", "/page", "/page/../files.py", "/page/%2e%2e/files.py", "/x", "/v2"],
)
async def test_there_is_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    """The answer is the edge's."""
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.json()["message"] == "there is nothing at this path"
    assert (await client.get("/v1/none")).json() == answer.json()


async def test_files_take_no_other_method(client: httpx2.AsyncClient) -> None:
    """The answer tells which they take."""
    answer = await client.post("/page/index.html")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


async def test_only_files_of_known_types_are_read(tmp_path: Path) -> None:
    """What an editor or an operating system leaves in the folder isn't served."""
    (tmp_path / "folder.js").mkdir()
    for name in ("app.js", ".DS_Store", "app.js~", "notes.md"):
        (tmp_path / name).write_bytes(b"1")

    assert list(files(tmp_path)) == ["app.js"]

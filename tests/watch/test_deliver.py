import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from depesche.types import Release
from depesche.v1 import types_pb2
from depesche.watch.app import opened
from depesche.watch.config import FolderTarget
from depesche.watch.deliver import DeliveryFailed, Folder, body, file_name, message_id, sign
from depesche.watch.items import Item, Version
from depesche.watch.records import Delivery, Polled
from depesche.watch.state import State
from tests.watch.support import TEXTS, Desk, Entry, pipeline, rss
from tests.watch.web import Reply, WebServer

_NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with opened(tmp_path / "watch.db") as opened_state:
        yield opened_state


def _briefed(state: State, link: str = "http://h/a", headline: str = "Head") -> Delivery:
    """Have one brief to deliver to the folder `desk`."""
    item = Item(Version("i", "c"), Release("Text."), link=link)
    state.record(Polled("city", [item]), _NOW)
    (waiting,) = state.waiting(["city"], _NOW, 9)
    brief = types_pb2.Brief(headline=types_pb2.BriefSentence(text=headline))
    state.briefed(waiting.number, body(waiting, brief, _NOW), ["desk"])
    (delivery,) = state.deliveries("desk", _NOW, 9)
    return delivery


def _folder(path: Path, state: State) -> Folder:
    return Folder(FolderTarget(name="desk", path=path / "out"), state)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """The values are those by which libraries of Standard Webhooks are tested."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_names_tell_versions_and_targets_apart(state: State) -> None:
    """A file by source, item and version; a message by its target as well."""
    delivery = _briefed(state)
    others = [replace(delivery, **{name: "x"}) for name in ("source", "id", "content")]

    assert len({file_name(d, "json") for d in [delivery, *others]}) == 4
    assert len({message_id(d) for d in [delivery, *others]}) == 4
    assert message_id(delivery) != message_id(replace(delivery, target="x"))
    assert file_name(delivery, "markdown").startswith("2027-01-15-city-")
    assert file_name(delivery, "markdown").endswith(".brief.md")


@pytest.mark.parametrize(
    ("link", "line"),
    [
        ("https://h/a?b=1&c", "From city: <https://h/a?b=1&c>"),
        ("notes.txt", "From city: `notes.txt`"),
        ("javascript:alert(1)", "From city: `javascript:alert(1)`"),
        ("https://h/>)<b>", "From city"),
        ("a\nb", "From city"),
        ("", "From city"),
    ],
)
async def test_a_file_in_markdown_says_where_its_item_is(
    tmp_path: Path, state: State, link: str, line: str
) -> None:
    """Unless the address could be read as something else."""
    delivery = _briefed(state, link)

    await _folder(tmp_path, state).deliver(delivery)

    written = (tmp_path / "out" / file_name(delivery, "markdown")).read_text()
    assert written.startswith("# Head\n")
    assert written.endswith(f"\n{line}\n")


async def test_a_file_keeps_its_place_though_the_plan_changes(tmp_path: Path, state: State) -> None:
    """What was written before the process died gets the name that it was to have."""
    delivery = _briefed(state)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / file_name(delivery, "json")
    path.with_name(f".{path.name}.part").write_text("written")
    state.wrote(delivery, str(path))
    (again,) = state.deliveries("desk", _NOW, 9)

    await _folder(tmp_path / "elsewhere", state).deliver(again)

    assert path.read_text() == "written"
    assert not (tmp_path / "elsewhere").exists()


async def test_a_folder_that_cannot_be_written_is_tried_for_ever(
    tmp_path: Path, state: State
) -> None:
    """A full disk is no reason to lose a brief."""
    (tmp_path / "out").write_text("a file")

    with pytest.raises(DeliveryFailed, match="can't be written: File exists") as caught:
        await _folder(tmp_path, state).deliver(_briefed(state))

    assert not caught.value.is_final
    assert not caught.value.is_counted


async def test_a_brief_in_json_is_the_webhooks_body(web: WebServer, desk: Desk) -> None:
    """In Markdown it is what `depesche brief` would write, with the item's place."""
    web.serve("/feed", Reply(rss([Entry(guid="a")])))
    outputs = [
        {"name": name, "path": desk.folder / "out", "format": name} for name in ("json", "markdown")
    ]
    feed = {"name": "city", "url": f"{web.url}/feed"}
    assert await desk.once(desk.plan(feed=[feed], output=outputs))

    json_file, markdown_file = (desk.folder / "out" / name for name in desk.files())
    data = json.loads(json_file.read_text())["data"]
    assert json_file.suffix == ".json"
    assert data["brief"]["headline"]["text"] in markdown_file.read_text()


async def test_a_local_client_briefs_as_a_remote_one_does() -> None:
    """With the caller's id."""
    async with pipeline() as pipe:
        brief = await pipe.brief(Release(TEXTS[0]), release_id="r1")

    assert brief.id == "r1"
    assert brief.headline.text

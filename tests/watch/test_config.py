import os
from pathlib import Path

import pytest

from depesche.errors import ConfigurationError
from depesche.watch.config import Feed, Folder, Webhook
from depesche.watch.reading import read_plan
from tests.watch.support import SECRET

_EXAMPLE = Path(__file__).parents[2] / "examples" / "feeds.toml"
_GOOD = """
[[feed]]
name = "city"
url = "https://example.com/feed"
[[output]]
name = "desk"
path = "out"
"""

_BY_VARIABLE = {"secret_env": "HOOK"}


def _written(folder: Path, text: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(text)
    return path


def test_the_example_is_a_plan() -> None:
    """What stands commented in `examples` can be used."""
    plan = read_plan(_EXAMPLE)

    assert {type(source) for source in plan.sources} == {Feed, Folder}
    assert [webhook.name for webhook in plan.webhooks] == ["cms"]


def test_paths_start_from_the_file(tmp_path: Path) -> None:
    """Wherever the command is run."""
    plan = read_plan(_written(tmp_path, _GOOD))

    assert plan.files[0].path == tmp_path / "out"
    assert plan.targets_of(plan.feeds[0]) == ("desk",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there must be a [[feed]] or a [[folder]]"),
        ('[[feed]]\nname = "a"\nurl = "http://h/"', "there must be an [[output]] or a [[webhook]]"),
        (_GOOD + 'colour = "red"', "output 1.colour: Extra inputs are not permitted"),
        (_GOOD + "[watch]\nbriefs = 0", "watch briefs: Input should be greater than or equal to 1"),
        (_GOOD + '[brief]\nsentences = "3"', "brief sentences: Input should be a valid integer"),
        (_GOOD.replace("https", "ftp"), "feed 1.url: must be an address of http or https"),
        (_GOOD.replace("example", "me:pw@example"), "url: must hold no user's name or password"),
        (_GOOD.replace('"city"', '"The City"'), "feed 1.name: String should match pattern"),
        (_GOOD + _GOOD, "two feed or folders are named city"),
        (_GOOD.replace("url", 'deliver = ["x"]\nurl'), "city.deliver: no target is named x"),
        (
            _GOOD + '[[folder]]\nname = "in"\npath = "./x/../out"',
            "desk.path: a folder that is watched would brief its own briefs",
        ),
        (
            _GOOD + '[[webhook]]\nname = "cms"\nurl = "http://h/"',
            "webhook 1: needs one of secret_file and secret_env",
        ),
        (
            _GOOD + '[[webhook]]\nname = "cms"\nurl = "http://h/"\nsecret_env = "DEPESCHE_X"',
            "webhook 1: secret_env must not begin with DEPESCHE_",
        ),
        (
            _GOOD + '[[output]]\nname = "b"\npath = "./out"',
            "two outputs have one path and one format",
        ),
        ("[[feed", "isn't TOML"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """With what it must be."""
    with pytest.raises(ConfigurationError) as caught:
        read_plan(_written(tmp_path, text))

    assert problem in str(caught.value)


def test_a_value_is_not_told(tmp_path: Path) -> None:
    """For it may be a secret that stands in the wrong place."""
    text = _GOOD + f'[[webhook]]\nname = "cms"\nurl = "http://h/"\nsecret = "{SECRET}"'
    with pytest.raises(ConfigurationError) as caught:
        read_plan(_written(tmp_path, text))

    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Whether it isn't there or isn't text."""
    with pytest.raises(ConfigurationError, match=r"none\.toml: can't be read: No such file"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "feeds.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="isn't UTF-8"):
        read_plan(tmp_path / "feeds.toml")


def _hook(**keys: object) -> Webhook:
    return Webhook.model_validate({"name": "cms", "url": "https://example.com/", **keys})


def test_a_secret_comes_from_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hold the same, with or without the prefix."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    monkeypatch.setenv("HOOK", SECRET.removeprefix("whsec_"))

    assert _hook(secret_file=tmp_path / "secret").secret() == b"secret that is long enough for all"
    assert _hook(**_BY_VARIABLE).secret() == b"secret that is long enough for all"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("whsec_c2hvcnQ=", "must be of 24 to 64 bytes in base64, not 5"),
        ("whsec_no base64!", "must be whsec_ and base64"),
        ("whsec_ключ", "must be whsec_ and base64"),
        (None, "HOOK isn't set"),
    ],
)
def test_a_secret_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str | None, problem: str
) -> None:
    """The key is named, and not the value."""
    monkeypatch.delenv("HOOK", raising=False)
    if value is not None:
        monkeypatch.setitem(os.environ, "HOOK", value)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        _hook(**_BY_VARIABLE).secret()

    assert "webhook.cms.secret_env" in str(caught.value)
    assert value is None or value not in str(caught.value)


def test_a_secret_file_must_be_there(tmp_path: Path) -> None:
    """Its key is named."""
    with pytest.raises(ConfigurationError, match=r"webhook\.cms\.secret_file: can't be read"):
        _hook(secret_file=tmp_path / "none").secret()

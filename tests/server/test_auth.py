import hmac
from pathlib import Path
from unittest.mock import patch

import pytest
from pydantic import SecretStr

from depesche.config import Settings
from depesche.errors import ConfigurationError
from depesche.server.auth import Caller, Tokens
from tests.server.clock import Clock
from tests.server.logs import captured_logs

_SINGLE = "single"
_FILE = """
# The desks
desk-1:s3cret
archive:gr8:120
desk-1:renewed
"""


def _tokens(path: Path, clock: Clock | None = None, token: str | None = None) -> Tokens:
    tokens = Tokens(token, path, clock or Clock())
    tokens.load()
    return tokens


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text(_FILE)
    return file


@pytest.mark.parametrize(
    ("token", "caller"),
    [
        ("s3cret", Caller("desk-1")),
        ("renewed", Caller("desk-1")),
        ("gr8", Caller("archive", 120)),
        (_SINGLE, Caller()),
        ("", None),
        ("s3cre", None),
        ("s3crets", None),
        ("desk-1:s3cret", None),
        ("gr8:120", None),
        ("größe", None),
    ],
)
def test_a_token_tells_the_client(file: Path, token: str, caller: Caller | None) -> None:
    """Each whole token stands for its client, in the file or the settings; nothing else does."""
    assert _tokens(file, token=_SINGLE).caller(token) == caller


def test_without_settings_nobody_is_asked() -> None:
    """Neither a token nor a file means that anybody may call."""
    assert Tokens.of(Settings()) is None


def test_a_token_of_the_settings_is_enough() -> None:
    """The single token needs no file."""
    tokens = Tokens.of(Settings(token=SecretStr(_SINGLE)))

    assert tokens is not None
    assert tokens.caller(_SINGLE) == Caller()
    assert tokens.caller("other") is None


@pytest.mark.parametrize("token", ["s3cret", "renewed", "wrong"])
def test_the_time_of_a_look_up_tells_nothing(file: Path, token: str) -> None:
    """Whatever is given is compared with every token, in constant time."""
    tokens = _tokens(file, token=_SINGLE)
    with patch.object(hmac, "compare_digest", wraps=hmac.compare_digest) as compare:
        tokens.caller(token)

    assert compare.call_count == 4


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a:1\n\nDesk:hush", "line 3: the name must be"),
        ("hush", "line 1: the token must be"),
        ("a:", "line 1: the token must be"),
        ("a:hu sh", "line 1: the token must be"),
        ("a:größe", "line 1: the token must be"),
        (":hush", "line 1: the name must be"),
        (f"{'a' * 33}:hush", "line 1: the name must be"),
        ("a:hush:0", "line 1: the requests per minute must be"),
        ("a:hush:", "line 1: the requests per minute must be"),
        ("a:hush:many", "line 1: the requests per minute must be"),
        ("a:hush:1:2", "line 1: the requests per minute must be"),
        ("a:hush:\u0661", "line 1: the requests per minute must be"),
        ("a:hush\nb:hush", "line 2: the token stands in an earlier line"),
        ("a:1:60\na:hush:61", "line 2: the requests per minute differ"),
        ("a:1:60\na:hush", "line 2: the requests per minute differ"),
        ("", "holds no token"),
        ("# a:hush", "holds no token"),
    ],
)
def test_a_line_that_breaks_a_rule_is_named_and_not_shown(file: Path, text: str, rule: str) -> None:
    """The error names the file, the line and the rule, and holds nothing of a token."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=f"^tokens_file: .*tokens.*{rule}") as caught:
        _tokens(file)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("contents", [b"a:\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(file: Path, contents: bytes | None) -> None:
    """A file in another encoding, or none at all, is a fault of the configuration."""
    file.unlink()
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(ConfigurationError, match=r"^tokens_file: .*(isn't UTF-8|can't be read)"):
        _tokens(file)


def test_a_changed_file_is_followed(file: Path) -> None:
    """New tokens let in and old ones don't, without a restart; the settings' token stays."""
    clock = Clock()
    tokens = _tokens(file, clock, token=_SINGLE)
    file.write_text("desk-2:fresh")

    clock.now = 1.0
    with captured_logs() as lines:
        assert tokens.caller("fresh") == Caller("desk-2")
        (line,) = lines()
    assert tokens.caller("s3cret") is None
    assert tokens.caller(_SINGLE) == Caller()
    assert (line["event"], line["tokens"]) == ("tokens reloaded", 2)


@pytest.mark.parametrize("text", ["desk-1:s3cret\nDesk:hush", "", None])
def test_a_broken_file_leaves_the_tokens_as_they_were(file: Path, text: str | None) -> None:
    """A mistake locks nobody out; it is an error in the log, once, without a token."""
    clock = Clock()
    tokens = _tokens(file, clock)
    if text is None:
        file.unlink()
    else:
        file.write_text(text)

    with captured_logs() as lines:
        for now in (1.0, 2.0, 3.0):
            clock.now = now
            assert tokens.caller("gr8") == Caller("archive", 120)
        (line,) = lines()
    assert (line["event"], line["level"]) == ("tokens not reloaded", "error")
    assert line["error"].startswith("tokens_file: ")
    assert "hush" not in str(line)

"""docs/watch.md, as far as it can rot."""

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from depesche.watch.config import Brief, Feed, Folder, FolderTarget, Tuning, Webhook
from depesche.watch.deliver import sign
from tests.watch.support import SECRET

_TEXT = (Path(__file__).parents[2] / "docs" / "watch.md").read_text("utf-8")


def _block(kind: str) -> str:
    return _TEXT.partition(f"```{kind}\n")[2].partition("```")[0]


def test_every_key_is_in_the_table() -> None:
    """And none that there isn't."""
    tables: tuple[type[BaseModel], ...] = (Brief, Feed, Folder, FolderTarget, Tuning, Webhook)
    known = {name for table in tables for name in table.model_fields} - {"kind"}
    keys = [row.split("|")[2] for row in _TEXT.splitlines() if row.startswith("| ")]

    assert set(re.findall(r"`(\w+)`", " ".join(keys))) == known


def test_the_verification_takes_what_is_genuine_alone() -> None:
    """The ten lines that are shown to receivers."""
    names: dict[str, Any] = {}
    exec(_block("python"), names)  # noqa: S102 - it is our own document
    is_genuine: Callable[[str, dict[str, str], bytes], bool] = names["is_genuine"]
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    now = int(time.time())

    def headers(stamp: int) -> dict[str, str]:
        signature = sign(key, "msg_1", stamp, b"{}")
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": f"v1,b2xk {signature}",
        }

    assert is_genuine(SECRET, headers(now), b"{}")
    assert not is_genuine(SECRET, headers(now), b"[]")
    assert not is_genuine(SECRET, headers(now - 3600), b"{}")
    assert not is_genuine(SECRET, headers(now) | {"webhook-id": "msg_2"}, b"{}")


def test_the_job_is_yaml() -> None:
    """With the command's own options."""
    job = yaml.safe_load(_block("yaml"))
    template = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert template["containers"][0]["args"][0] == "watch"

"""Briefs as files: as the editor has written them, or with the record of what was changed."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from depesche import __version__, render
from depesche.sources import BRIEF_SUFFIXES
from depesche.v1 import types_pb2
from depesche.web.page.checks import CheckedEdit, Checks
from depesche.web.page.drafts import Body, Draft, sentence_at
from depesche.web.page.values import moment, plain
from depesche.web.resources import Endpoint, Exchange

__all__ = ["FORMATS", "attachment", "edited", "exports", "record"]

# A saved page could be opened from here by somebody's mistake; then it may do nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
# Of the release's name: file systems take 255 bytes, and browsers add to them.
_NAME_BYTES = 180


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    media_type: str
    write: Callable[[Draft, Sequence[CheckedEdit], float], str]


def edited(brief: types_pb2.Brief, edits: Sequence[CheckedEdit]) -> types_pb2.Brief:
    """Give a brief as its edits make it, with what the checks find in them."""
    changed = types_pb2.Brief()
    changed.CopyFrom(brief)
    for edit in edits:
        sentence = sentence_at(changed, edit.place)
        sentence.text = edit.after
        del sentence.findings[:]
        sentence.findings.extend(edit.findings)
    return changed


def record(draft: Draft, edits: Sequence[CheckedEdit], now: float) -> str:
    """Write the record of an export as JSON: the brief as it came, and what became of it.

    Args:
        draft: the brief as it came.
        edits: its edits, checked.
        now: the time in seconds since 1970.
    """
    value = {
        "version": __version__,
        "exported": moment(now),
        "name": draft.name,
        "signature": draft.brief.signature.line,
        "edits": [
            {
                "place": edit.place,
                "before": edit.before,
                "after": edit.after,
                "findings": [plain(finding) for finding in edit.findings],
            }
            for edit in edits
        ],
        "brief": plain(draft.brief),
    }
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _by(write: Callable[..., str]) -> Callable[[Draft, Sequence[CheckedEdit], float], str]:
    return lambda draft, edits, _now: write(edited(draft.brief, edits), edited=len(edits))


FORMATS = {
    known.name: known
    for known in (
        _Format("text", "text/plain; charset=utf-8", _by(render.text)),
        _Format("markdown", "text/markdown; charset=utf-8", _by(render.markdown)),
        _Format("html", "text/html; charset=utf-8", _by(render.html)),
        _Format("json", "application/json; charset=utf-8", record),
    )
}
"""The formats of exports, by their names."""


def attachment(name: str, output_format: str) -> str:
    """Write the `content-disposition` of an export, which names its file after the release's.

    The name stands there twice (RFC 6266, appendix D): in ASCII, and in all its characters.
    """
    stem = name.lstrip(". ").encode()[:_NAME_BYTES].decode(errors="ignore")
    whole = (stem + BRIEF_SUFFIXES[output_format]).lstrip(".")
    plain = _NOT_PLAIN.sub("_", whole)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"


def exports(output_format: str, checks: Checks, body: Body) -> Endpoint:
    """Make the endpoint of a format: it takes a draft, checks its edits and gives the file."""
    chosen = FORMATS[output_format]

    async def endpoint(exchange: Exchange) -> None:
        draft = await body.read(exchange)
        edits = await checks.check(exchange, draft)
        written = await asyncio.to_thread(chosen.write, draft, edits, time.time())
        headers = {
            **exchange.headers,
            "content-type": chosen.media_type,
            "content-disposition": attachment(draft.name, output_format),
            "content-security-policy": _POLICY,
        }
        await exchange.answer(Response(written.encode(), 200, headers))

    return endpoint

"""What an editor has made of a brief: the brief as it came, and the sentences written anew."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from depesche.errors import Violation
from depesche.v1 import types_pb2
from depesche.web.page.documents import MAX_NAME, shown_name
from depesche.web.refusals import invalid
from depesche.web.requests import message_of, read_body, read_json, wrong_string
from depesche.web.resources import Exchange

__all__ = ["HEADLINE", "Body", "Draft", "Edit", "Place", "draft_of", "sentence_at"]

Place = str | int
"""Which sentence of a brief: `HEADLINE`, or the index of a key sentence from 0."""

HEADLINE = "headline"
"""The place of the headline."""

_FIELDS = ("brief", "edits", "name")
_EDIT_FIELDS = frozenset({"place", "text"})
_MAX_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Edit:
    """A sentence written anew.

    Attributes:
        number: its index in the request.
        place: which sentence of the brief.
        text: how it reads now.
    """

    number: int
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A brief and its edits.

    Attributes:
        brief: the brief as it was delivered.
        edits: its edits, in the request's order; each changes something.
        name: the name of the release's file, or "".
    """

    brief: types_pb2.Brief
    edits: tuple[Edit, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a request's body may take.

    Attributes:
        limit: most bytes.
        seconds: longest time that it may take to come.
    """

    limit: int = 8 * 1024 * 1024
    seconds: float = 30.0

    async def read(self, exchange: Exchange) -> Draft:
        """Read a draft.

        Raises:
            Refusal: the body isn't a draft.
        """
        body = await read_body(exchange.request, self.limit, self.seconds)
        return await asyncio.to_thread(draft_of, body)


def draft_of(body: bytes) -> Draft:
    """Read a draft from JSON: `{"brief": …, "edits": [{"place": …, "text": …}], "name": …}`.

    Edits and name may be left out. An edit that leaves its sentence as it was isn't one.

    Raises:
        Refusal: the body isn't such a draft.
    """
    value = read_json(body)
    _check(_wrong_draft(value))
    message = message_of(value["brief"], types_pb2.Brief.DESCRIPTOR, "brief")
    brief = cast("types_pb2.Brief", message)
    _check(_wrong_brief(brief))
    edits = _given(value, "edits", [])
    _check(_wrong_edits(edits, brief))
    found = [Edit(number, edit["place"], edit["text"]) for number, edit in enumerate(edits)]
    changes = tuple(e for e in found if e.text != sentence_at(brief, e.place).text)
    return Draft(brief, changes, shown_name(_given(value, "name", "")))


def sentence_at(brief: types_pb2.Brief, place: Place) -> types_pb2.BriefSentence:
    """Give the sentence at a place."""
    return brief.headline if isinstance(place, str) else brief.key_sentences[place]


def _check(violations: Iterator[Violation]) -> None:
    found = tuple(islice(violations, _MAX_VIOLATIONS))
    if found:
        raise invalid(*found)


def _given(value: dict[str, Any], field: str, default: Any) -> Any:
    """Give a field, or what stands for one that isn't there."""
    found = value.get(field)
    return default if found is None else found


def _wrong_draft(value: Any) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation("request", "must be an object")
        return
    if not set(value) <= set(_FIELDS):
        yield Violation("request", f"may have {', '.join(_FIELDS)}, and no other field")
    if value.get("brief") is None:
        yield Violation("brief", "is required")
    if not isinstance(_given(value, "edits", []), list):
        yield Violation("edits", "must be a list")
    name = _given(value, "name", "")
    if rule := wrong_string(name):
        yield Violation("name", rule)
    elif len(name) > MAX_NAME:
        yield Violation("name", f"has {len(name)} characters; the limit is {MAX_NAME}")


def _wrong_brief(brief: types_pb2.Brief) -> Iterator[Violation]:
    """Find what no brief of the service has, and what exports couldn't show."""
    if not brief.headline.text.strip():
        yield Violation("brief.headline.text", "must hold more than white space")
    if not 0 <= brief.detection.confidence <= 1:
        yield Violation("brief.detection.confidence", "must be from 0 to 1")
    counted = Counter(sentence.index for sentence in brief.translation)
    if any(count > 1 or index < 0 for index, count in counted.items()):
        rule = "must have an index of its own, from 0, for each sentence"
        yield Violation("brief.translation", rule)
    sentences: Mapping[str, types_pb2.BriefSentence] = {
        HEADLINE: brief.headline,
        **{f"key_sentences[{index}]": s for index, s in enumerate(brief.key_sentences)},
    }
    for path, sentence in sentences.items():
        indices = sentence.sentence_indices
        if not indices or any(index not in counted for index in indices):
            rule = "must name sentences of the translation, and at least one"
            yield Violation(f"brief.{path}.sentence_indices", rule)


def _wrong_edits(edits: list[Any], brief: types_pb2.Brief) -> Iterator[Violation]:
    seen: set[Place] = set()
    for number, edit in enumerate(edits):
        path = f"edits[{number}]"
        if not isinstance(edit, dict) or set(edit) != _EDIT_FIELDS:
            yield Violation(path, "must be an object of place and text")
            continue
        place, text = edit["place"], edit["text"]
        if not _is_place(place, len(brief.key_sentences)):
            most = len(brief.key_sentences) - 1
            yield Violation(f"{path}.place", f'must be "{HEADLINE}", or an index from 0 to {most}')
        elif place in seen:
            yield Violation(f"{path}.place", "is there twice")
        else:
            seen.add(place)
        if rule := wrong_string(text):
            yield Violation(f"{path}.text", rule)
        elif not text.strip():
            yield Violation(f"{path}.text", "must hold more than white space")


def _is_place(place: Any, count: int) -> bool:
    if isinstance(place, str):
        return place == HEADLINE
    return isinstance(place, int) and not isinstance(place, bool) and 0 <= place < count

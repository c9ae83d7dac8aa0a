import json
from copy import deepcopy
from typing import Any

import pytest
from google.rpc.error_details_pb2 import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from depesche.web.page.drafts import HEADLINE, Edit, draft_of, sentence_at
from depesche.web.refusals import Refusal
from tests.web.page.support import BRIEF, draft


def refused(value: Any) -> dict[str, str]:
    """Give what is found wrong with a draft."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(Refusal) as caught:
        draft_of(body)
    assert caught.value.http == 400
    bad = BadRequest()
    assert any(detail.Unpack(bad) for detail in caught.value.status.details)
    return {v.field: v.description for v in bad.field_violations}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Give the brief with another value at a path of names and numbers."""
    brief: Any = deepcopy(BRIEF)
    part = brief
    *way, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
    for step in way:
        part = part[step]
    part[last] = value
    return {"brief": brief}


def test_a_draft() -> None:
    """The brief as it came, its edits by their places, and the file's name without its folders."""
    value = draft((1, "Traffic flows again."), (HEADLINE, "Bridge open"), name="C:\\a\\r.docx")
    found = draft_of(json.dumps(value).encode())

    assert found.brief.headline.text == "Bridge opened"
    assert found.edits == (Edit(0, 1, "Traffic flows again."), Edit(1, HEADLINE, "Bridge open"))
    assert found.name == "r.docx"
    assert sentence_at(found.brief, HEADLINE) == found.brief.headline
    assert sentence_at(found.brief, 1).text == "Traffic flows."


@pytest.mark.parametrize("fields", [{}, {"edits": None, "name": None}, {"edits": [], "name": ""}])
def test_edits_and_name_may_be_left_out(fields: dict[str, Any]) -> None:
    """Then there are none."""
    found = draft_of(json.dumps({"brief": BRIEF, **fields}).encode())

    assert (found.edits, found.name) == ((), "")


def test_what_changes_nothing_is_no_edit() -> None:
    """So that no record tells of one; the others keep their numbers."""
    value = draft((HEADLINE, "Bridge opened"), (0, "It cost 12m euros."))

    assert draft_of(json.dumps(value).encode()).edits == (Edit(1, 0, "It cost 12m euros."),)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"{", {"request": "isn't JSON at line 1, column 2"}),
        (b'{"brief":{},"brief":{}}', {"request": "holds a field twice"}),
        (b"\xff", {"request": "isn't UTF-8 at byte 0"}),
        ([], {"request": "must be an object"}),
        ({}, {"brief": "is required"}),
        ({"brief": None}, {"brief": "is required"}),
        (
            {"brief": BRIEF, "extra": 1},
            {"request": "may have brief, edits, name, and no other field"},
        ),
        ({"brief": []}, {"brief": "must be an object"}),
        ({"brief": {"x": 1}}, {"brief": "Brief has no field named x"}),
        (
            {"brief": {"headline": {"x": 1}}},
            {"brief.headline": "BriefSentence has no field named x"},
        ),
        (changed("detection.confidence", "much"), {"brief": "isn't a Brief"}),
        (
            changed("detection.confidence", "Infinity"),
            {"brief.detection.confidence": "must be from 0 to 1"},
        ),
        (
            changed("detection.confidence", "NaN"),
            {"brief.detection.confidence": "must be from 0 to 1"},
        ),
        (
            {"brief": {}},
            {
                "brief.headline.text": "must hold more than white space",
                "brief.headline.sentence_indices": (
                    "must name sentences of the translation, and at least one"
                ),
            },
        ),
        (
            changed("keySentences.1.sentenceIndices", [7]),
            {
                "brief.key_sentences[1].sentence_indices": (
                    "must name sentences of the translation, and at least one"
                )
            },
        ),
        (
            changed("translation.1.index", 0),
            {
                "brief.translation": "must have an index of its own, from 0, for each sentence",
                "brief.key_sentences[0].sentence_indices": (
                    "must name sentences of the translation, and at least one"
                ),
            },
        ),
        ({"brief": BRIEF, "edits": {}}, {"edits": "must be a list"}),
        ({"brief": BRIEF, "edits": False}, {"edits": "must be a list"}),
        ({"brief": BRIEF, "name": 0}, {"name": "must be a string"}),
        ({"brief": BRIEF, "edits": "x"}, {"edits": "must be a list"}),
        ({"brief": BRIEF, "edits": [1]}, {"edits[0]": "must be an object of place and text"}),
        (
            {"brief": BRIEF, "edits": [{"place": 0, "text": "x", "findings": []}]},
            {"edits[0]": "must be an object of place and text"},
        ),
        (draft((0, "x"), (0, "y")), {"edits[1].place": "is there twice"}),
        (draft((0, " ")), {"edits[0].text": "must hold more than white space"}),
        (draft((0, 1)), {"edits[0].text": "must be a string"}),  # type: ignore[arg-type]
        (
            draft((0, "a\ud800")),
            {"edits[0].text": "holds half a surrogate pair, at character 1"},
        ),
        (draft(name=1), {"name": "must be a string"}),
        (draft(name="n" * 256), {"name": "has 256 characters; the limit is 255"}),
    ],
)
def test_what_is_no_draft(value: Any, found: dict[str, str]) -> None:
    """Each field that is wrong is named, with its limit and without its text."""
    assert refused(value) == found


@pytest.mark.parametrize("place", [2, -1, "0", "title", None, True, 1.0, [], {}])
def test_places_that_are_none(place: Any) -> None:
    """Neither the headline nor a key sentence."""
    expected = 'must be "headline", or an index from 0 to 1'

    assert refused(draft((place, "x"))) == {"edits[0].place": expected}


def test_not_everything_that_is_wrong_is_told() -> None:
    """An answer has an end."""
    assert len(refused(draft(*[(0, " ")] * 100))) <= 20


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["brief", "edits", "name", "place", "text", "headline", "translation"])
            | st.text(max_size=3),
            parts,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(["brief", "edits", "name", "whole"]))
def test_whatever_comes_is_a_draft_or_refused(value: Any, field: str) -> None:
    """Nothing else is raised, and no draft has edits at places that aren't there."""
    whole = value if field == "whole" else {"brief": BRIEF, field: value}
    try:
        found = draft_of(json.dumps(whole).encode())
    except Refusal:
        return
    for edit in found.edits:
        assert sentence_at(found.brief, edit.place).text != edit.text

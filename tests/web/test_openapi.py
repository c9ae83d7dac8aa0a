import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depesche.web.rules import rules

DOCUMENT: Any = json.loads(
    (Path(__file__).parents[2] / "service" / "depesche" / "web" / "openapi.json").read_text("utf-8")
)
SCHEMAS = DOCUMENT["components"]["schemas"]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Give every object of a document."""
    if isinstance(node, dict):
        yield node
        for part in node.values():
            yield from nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from nodes(part)


def test_it_has_every_path_and_no_other() -> None:
    """By the same methods."""
    assert {(path, verb) for path, item in DOCUMENT["paths"].items() for verb in item} == {
        (rule.path, rule.verb.lower()) for rule in rules()
    }


def test_every_reference_leads_somewhere() -> None:
    """And nothing is there that nobody refers to."""
    used = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}
    there = {
        f"#/components/{kind}/{name}"
        for kind, parts in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in parts
    }

    assert used == there


def test_everything_is_described() -> None:
    """By the comments of the protos."""
    assert all(schema["description"] for schema in SCHEMAS.values())
    assert all(
        field["description"] or "$ref" in field
        for schema in SCHEMAS.values()
        for field in schema.get("properties", {}).values()
    )
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert all(operation["description"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    text = SCHEMAS["Release"]["properties"]["text"]["description"]
    assert text == "The release; required. At most 100,000 characters by default."


def test_what_requests_need_and_take() -> None:
    """What the protos call required, and no field besides those that there are."""
    assert SCHEMAS["CreateBriefRequest"]["required"] == ["release"]
    assert SCHEMAS["CheckSentenceRequest"]["required"] == ["text", "language", "sources"]
    assert SCHEMAS["Release"]["additionalProperties"] is False
    assert "id" not in SCHEMAS["Release"]["required"]


def test_what_answers_have() -> None:
    """All fields but those whose absence means something; new ones may come."""
    assert set(SCHEMAS["TranslatedSentence"]["required"]) == {
        *("index", "blockKind", "block", "source", "normalisedSource", "text", "decoding"),
        "findings",
    }
    assert "additionalProperties" not in SCHEMAS["Brief"]


def test_events() -> None:
    """An event of the stream is one of its kinds, or an error."""
    content = DOCUMENT["paths"]["/v1/briefs:stream"]["post"]["responses"]["200"]["content"]
    message, error = content["text/event-stream"]["schema"]["oneOf"]

    assert message["properties"]["data"]["contentSchema"]["$ref"].endswith("/StreamBriefResponse")
    assert error["properties"]["data"]["contentSchema"]["$ref"].endswith("/Status")
    assert SCHEMAS["StreamBriefResponse"]["maxProperties"] == 1


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("Model", "sizeBytes", "string"),
        ("Timings", "queueWait", "string"),
        ("Signature", "options", "object"),
        ("Detection", "confidence", "number"),
        ("TextSpan", "start", "integer"),
        ("Brief", "keySentences", "array"),
    ],
)
def test_types(name: str, field: str, expected: str) -> None:
    """As they stand in JSON."""
    assert SCHEMAS[name]["properties"][field]["type"] == expected

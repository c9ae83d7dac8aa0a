"""Write what the chart has from the code: the schema of its settings, the table of its values."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from depesche.config import Settings

__all__ = ["CHART_OWNED", "Value", "camel_case", "readme", "schema", "values"]

_CHART = Path(__file__).parents[1] / "helm" / "depesche"

CHART_OWNED = frozenset(
    {
        *("listen", "health_listen", "metrics", "models_dir", "pulled_dir", "convert_python"),
        *("token", "tokens_file", "tls_certificate", "tls_key", "tls_client_ca"),
    }
)
"""Settings that follow from other values of the chart, or from the image."""

_KEY = re.compile(r"( *)([A-Za-z]\w*):(?: |$)")
_TABLE = re.compile(r"(?<=<!-- values -->\n).*(?=<!-- /values -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """A key of values.yaml that has a description.

    Attributes:
        path: its keys from the top, with dots between them.
        meaning: its description.
        default: what it is set to.
    """

    path: str
    meaning: str
    default: Any


def camel_case(setting: str) -> str:
    """Name a setting as the chart does: `max_sentences` is `maxSentences`."""
    first, *rest = setting.split("_")
    return first + "".join(word.capitalize() for word in rest)


def schema() -> str:
    """Make the schema of the values, with the settings as the service checks them."""
    whole = json.loads((_CHART / "values.schema.json").read_text("utf-8"))
    whole["properties"]["settings"]["properties"] = {
        camel_case(name): {key: part for key, part in rule.items() if key in _RULES}
        for name, rule in _setting_rules().items()
        if name not in CHART_OWNED
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


_RULES = {
    *("type", "enum", "anyOf", "items", "properties", "additionalProperties", "description"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def _setting_rules() -> dict[str, Any]:
    whole = Settings.model_json_schema()
    rules: dict[str, Any] = whole["properties"]
    for rule in rules.values():
        # Helm says of a wrong `propertyNames` that it is somewhere else.
        if reference := rule.get("propertyNames", {}).get("$ref"):
            keys = whole["$defs"][reference.split("/")[-1]]["enum"]
            rule["properties"] = dict.fromkeys(keys, rule["additionalProperties"])
            rule["additionalProperties"] = False
    return rules


def values() -> Iterator[Value]:
    """Read the documented keys of values.yaml, in their order."""
    text = (_CHART / "values.yaml").read_text("utf-8")
    defaults = yaml.safe_load(text)
    keys: list[str] = []
    meaning: list[str] = []
    for line in text.splitlines():
        comment = line.strip().removeprefix("#").strip() if line.strip().startswith("#") else None
        if comment is not None and comment.startswith("-- "):
            meaning = [comment.removeprefix("-- ")]
        elif comment is not None:
            meaning += [comment] if meaning else []
        elif match := _KEY.match(line):
            keys[len(match[1]) // 2 :] = [match[2]]
            if meaning:
                yield Value(".".join(keys), " ".join(meaning), _default(defaults, keys))
            meaning = []


def _default(defaults: Any, keys: list[str]) -> Any:
    for key in keys:
        defaults = defaults[key]
    return defaults


def readme() -> str:
    """Make the chart's README: what is there, with the table of values anew."""
    rows = ["| value | default | meaning |", "| --- | --- | --- |", *map(_row, values())]
    table = "\n".join(rows) + "\n"
    return _TABLE.sub(lambda _: table, (_CHART / "README.md").read_text("utf-8"))


def _row(value: Value) -> str:
    default = json.dumps(value.default, ensure_ascii=False).replace("|", "\\|")
    return f"| `{value.path}` | `{default}` | {value.meaning} |"

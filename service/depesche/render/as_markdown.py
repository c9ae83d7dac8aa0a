"""Write a brief as Markdown."""

import re

from depesche.render.parts import (
    WARNING,
    alone,
    clean,
    elsewhere,
    in_words,
    original,
    sign,
    sources,
    summary,
    terms,
)
from depesche.v1 import types_pb2

__all__ = ["markdown"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&])")
_BLOCK_START = re.compile(r"^(?:(\d+)([.)])|([#+=-]+))(?=\s|$)")


def markdown(brief: types_pb2.Brief, *, edited: int = 0) -> str:
    """Write a brief as Markdown, with the original of each sentence in a footnote.

    Footnotes are numbered as the sentences of the release are, from 1. What the checks found
    stands in a list below its sentence; of the release's other sentences, those that failed a
    check are listed, and what became of a glossary's terms. Text of the release is escaped
    (CommonMark 0.31.2, section 2.4).

    Args:
        brief: the brief.
        edited: how many of its sentences somebody has edited.
    """
    points = [_item(sentence) for sentence in brief.key_sentences]
    others = [_item(alone(sentence)) for sentence in elsewhere(brief)]
    glossary = [f"- {_escape(line)}" for line in terms(brief.glossary)]
    parts = [
        "# " + _marked(brief.headline),
        "\n".join(_notes(brief.headline, "- ")),
        "\n".join(points),
        "\n".join(["## To check elsewhere", "", *others] if others else []),
        "\n".join(["## Glossary", "", *glossary] if glossary else []),
        _escape(summary(brief, edited)),
        _code(brief.signature.line),
        "\n".join(f"[^{t.index + 1}]: {_escape(original(t))}" for t in sources(brief)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _code(line: str) -> str:
    quoted = clean(line).replace("`", "'")
    return f"`{quoted}`" if quoted else ""


def _item(sentence: types_pb2.BriefSentence) -> str:
    return "\n".join([f"- {_marked(sentence)}", *_notes(sentence, "  - ")])


def _notes(sentence: types_pb2.BriefSentence, bullet: str) -> list[str]:
    return [bullet + _escape(in_words(finding)) for finding in sentence.findings]


def _marked(sentence: types_pb2.BriefSentence) -> str:
    warning = WARNING if sentence.findings else ""
    notes = "".join(f"[^{index + 1}]" for index in sentence.sentence_indices)
    return f"{sign(sentence)}{warning}{_escape(sentence.text)}{notes}"


def _escape(content: str) -> str:
    escaped = _MARKUP.sub(r"\\\1", clean(content))
    return _BLOCK_START.sub(lambda start: f"{start[1] or ''}\\{start[2] or start[3]}", escaped)

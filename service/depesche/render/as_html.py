"""Write a brief as an HTML document that needs no other file."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape

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

__all__ = ["html"]

_LANGUAGE = re.compile(r"[a-z]{2,3}")
# Even if something of a release became markup, no script would run and nothing would be fetched.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:break-word}"
    "h1{line-height:1.25}sup{line-height:0}li{margin:.5rem 0}"
    ".findings{font-size:.9rem}:target{outline:.15rem solid;outline-offset:.15rem}"
    "footer{border-top:1px solid;margin-top:2rem;font-size:.85rem}"
)


def html(brief: types_pb2.Brief, *, edited: int = 0) -> str:
    """Write a brief as an HTML document, with the original of each sentence at its end.

    Numbers, which are those of the sentences of the release from 1, lead to the originals, and from
    there back to each place that rests on them. Originals carry the language of the release. What
    the checks found stands in a list below its sentence; of the release's other sentences, those
    that failed a check are listed, and what became of a glossary's terms. All text is escaped.

    Args:
        brief: the brief.
        edited: how many of its sentences somebody has edited.
    """
    references = _References()
    body = [
        f"<h1>{_marked(brief.headline, references)}</h1>",
        _list(_findings(brief.headline), "findings"),
        _list([_item(sentence, references) for sentence in brief.key_sentences]),
        *_section(
            "To check elsewhere",
            _list([_item(alone(s), references) for s in elsewhere(brief)]),
        ),
        *_section("Glossary", _list([_text(line) for line in terms(brief.glossary)])),
        *_section("Sources", _sources(brief, references)),
    ]
    foot = [f"<p>{_text(summary(brief, edited))}</p>", _code(brief.signature.line)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(brief.headline.text)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *("<main>", *filter(None, body), "</main>"),
            *("<footer>", *filter(None, foot), "</footer>"),
            "</body>",
            "</html>\n",
        ]
    )


class _References:
    """The places of a document that refer to sources, as links there and back."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = defaultdict(list)
        self._count = 0

    def to(self, index: int) -> str:
        """Write a link to the source of a sentence."""
        self._count += 1
        self._of[index].append(self._count)
        number = index + 1
        return (
            f'<sup><a id="reference-{self._count}" href="#source-{number}"'
            f' aria-label="Source {number}">[{number}]</a></sup>'
        )

    def back(self, index: int) -> str:
        """Write the links from the source of a sentence to where it is referred to."""
        links = [
            f'<a href="#reference-{count}" aria-label="Back to place {place}">↩</a>'
            for place, count in enumerate(self._of[index], start=1)
        ]
        return " ".join(links)


def _text(content: str) -> str:
    return escape(clean(content))


def _marked(sentence: types_pb2.BriefSentence, references: _References) -> str:
    warning = WARNING if sentence.findings else ""
    links = "".join(references.to(index) for index in sentence.sentence_indices)
    return f"{sign(sentence)}{warning}{_text(sentence.text)}{links}"


def _item(sentence: types_pb2.BriefSentence, references: _References) -> str:
    return _marked(sentence, references) + _list(_findings(sentence), "findings")


def _findings(sentence: types_pb2.BriefSentence) -> list[str]:
    return [_text(in_words(finding)) for finding in sentence.findings]


def _sources(brief: types_pb2.Brief, references: _References) -> str:
    language = brief.detection.language
    lang = f' lang="{language}"' if _LANGUAGE.fullmatch(language) else ""
    items = [
        f'<li id="source-{s.index + 1}" value="{s.index + 1}">'
        f"<span{lang}>{escape(original(s))}</span> {references.back(s.index)}</li>"
        for s in sources(brief)
    ]
    return "\n".join(["<ol>", *items, "</ol>"] if items else [])


def _list(items: Iterable[str], name: str = "") -> str:
    """Write a list; "" if it has no item."""
    named = f' class="{name}"' if name else ""
    lines = [f"<li>{item}</li>" for item in items]
    return "\n".join([f"<ul{named}>", *lines, "</ul>"] if lines else [])


def _section(title: str, content: str) -> Sequence[str]:
    return ["<section>", f"<h2>{title}</h2>", content, "</section>"] if content else []


def _code(line: str) -> str:
    return f"<p><code>{_text(line)}</code></p>" if line else ""

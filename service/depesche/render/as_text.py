"""Write a brief or a translation as plain text."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from depesche.render.parts import (
    WARNING,
    clean,
    elsewhere,
    in_words,
    original,
    sign,
    sources,
    summary,
    terms,
)
from depesche.v1 import translation_pb2, types_pb2

__all__ = ["text", "translation"]

_WIDTH = 88


def text(brief: types_pb2.Brief, *, edited: int = 0) -> str:
    """Write a brief as plain text, 88 columns wide.

    Bracketed numbers refer to the sentences of the release, counted from 1, which stand below the
    brief in the original. A sentence that failed a check carries a sign, and what is wrong stands
    under it; of the release's other sentences, those that failed one are listed. Another sign marks
    the sentences of a summary model. What became of a glossary's terms is told in a few lines.

    Args:
        brief: the brief.
        edited: how many of its sentences somebody has edited.
    """
    parts = [
        "\n".join(_paragraph(brief.headline, "")),
        "\n".join(line for sentence in brief.key_sentences for line in _paragraph(sentence, "• ")),
        _to_check("To check elsewhere", elsewhere(brief)),
        _terms(brief.glossary),
        "\n".join(["Sources", *(_numbered(t) for t in sources(brief))]),
        "\n".join(filter(None, [summary(brief, edited), clean(brief.signature.line)])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def translation(response: translation_pb2.TranslateResponse) -> str:
    """Write a translation as plain text: a line for each block of the release, blank lines between.

    A sentence that failed a check carries a sign; what is wrong stands at the end, and what became
    of a glossary's terms.
    """
    blocks = groupby(response.translation, key=lambda sentence: sentence.block)
    paragraphs = [" ".join(map(_flagged, sentences)) for _, sentences in blocks]
    notes = _to_check("To check", [s for s in response.translation if s.findings])
    ends = filter(None, [notes, _terms(response.glossary)])
    return "\n\n".join([*paragraphs, *ends]) + "\n"


def _flagged(sentence: types_pb2.TranslatedSentence | types_pb2.BriefSentence) -> str:
    return (WARNING if sentence.findings else "") + clean(sentence.text)


def _paragraph(sentence: types_pb2.BriefSentence, bullet: str) -> Iterator[str]:
    numbers = " ".join(f"[{index + 1}]" for index in sentence.sentence_indices)
    yield _wrap(f"{sign(sentence)}{_flagged(sentence)} {numbers}", bullet)
    for finding in sentence.findings:
        yield _wrap(in_words(finding), " " * len(bullet) + "  - ")


def _to_check(title: str, sentences: Sequence[types_pb2.TranslatedSentence]) -> str:
    """List sentences with what is wrong with them below a title; "" if there are none."""
    lines = [title]
    for sentence in sentences:
        lines.append(_wrap(clean(sentence.text), f"[{sentence.index + 1}] "))
        lines += [_wrap(in_words(finding), "    - ") for finding in sentence.findings]
    return "\n".join(lines) if sentences else ""


def _terms(uses: Sequence[types_pb2.GlossaryUse]) -> str:
    """Tell of the terms of a glossary below a title; "" if there are none."""
    lines = [_wrap(line, "") for line in terms(uses)]
    return "\n".join(["Glossary", *lines] if lines else [])


def _numbered(sentence: types_pb2.TranslatedSentence) -> str:
    return _wrap(original(sentence), f"[{sentence.index + 1}] ")


def _wrap(paragraph: str, first: str) -> str:
    # Khmer has no spaces between words, and breaking it anywhere would split a syllable.
    return textwrap.fill(
        paragraph,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )

"""Write a brief for people, as plain text or as Markdown.

Both start from the API's message, so that a brief looks the same wherever it was made.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from depesche.v1 import translation_pb2, types_pb2

__all__ = ["markdown", "text", "translation"]

_WIDTH = 88
_WARNING = "⚠ "
_WRITTEN = "≈ "
_LANGUAGES = {"de": "German", "en": "English", "km": "Khmer", "ru": "Russian"}
# Control characters and bidirectional marks could make a terminal show something else.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_OUTCOMES = {
    "Applied": types_pb2.GLOSSARY_OUTCOME_APPLIED,
    "Refused": types_pb2.GLOSSARY_OUTCOME_REFUSED,
    "Not in the release": types_pb2.GLOSSARY_OUTCOME_NOT_MATCHED,
}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&])")
_BLOCK_START = re.compile(r"^(?:(\d+)([.)])|([#+=-]+))(?=\s|$)")


def text(brief: types_pb2.Brief) -> str:
    """Write a brief as plain text, 88 columns wide.

    Bracketed numbers refer to the sentences of the release, counted from 1, which stand below the
    brief in the original. A sentence that failed a check carries a sign, and what is wrong stands
    under it; of the release's other sentences, those that failed one are listed. Another sign marks
    the sentences of a summary model. What became of a glossary's terms is told in a few lines.
    """
    parts = [
        "\n".join(_paragraph(brief.headline, "")),
        "\n".join(line for sentence in brief.key_sentences for line in _paragraph(sentence, "• ")),
        _to_check("To check elsewhere", _elsewhere(brief)),
        _terms(brief.glossary),
        "\n".join(["Sources", *(_numbered(t) for t in _sources(brief))]),
        "\n".join([_summary(brief), brief.signature.line]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown(brief: types_pb2.Brief) -> str:
    """Write a brief as Markdown, with the original of each sentence in a footnote.

    Footnotes are numbered as the sentences of the release are, from 1. What the checks found
    stands in a list below its sentence; of the release's other sentences, those that failed a
    check are listed, and what became of a glossary's terms. Text of the release is escaped
    (CommonMark 0.31.2, section 2.4).
    """
    points = [_item(sentence) for sentence in brief.key_sentences]
    elsewhere = [_item(_alone(sentence)) for sentence in _elsewhere(brief)]
    terms = [f"- {_escape(line)}" for line in _told(brief.glossary)]
    parts = [
        "# " + _marked(brief.headline),
        "\n".join(_notes(brief.headline, "- ")),
        "\n".join(points),
        "\n".join(["## To check elsewhere", "", *elsewhere] if elsewhere else []),
        "\n".join(["## Glossary", "", *terms] if terms else []),
        f"{_escape(_summary(brief))}\n\n`{brief.signature.line}`",
        "\n".join(f"[^{t.index + 1}]: {_escape(_original(t))}" for t in _sources(brief)),
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
    return (_WARNING if sentence.findings else "") + _clean(sentence.text)


def _sign(sentence: types_pb2.BriefSentence) -> str:
    return _WRITTEN if sentence.strategy == types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE else ""


def _paragraph(sentence: types_pb2.BriefSentence, bullet: str) -> Iterator[str]:
    numbers = " ".join(f"[{index + 1}]" for index in sentence.sentence_indices)
    yield _wrap(f"{_sign(sentence)}{_flagged(sentence)} {numbers}", bullet)
    for finding in sentence.findings:
        yield _wrap(_in_words(finding), " " * len(bullet) + "  - ")


def _to_check(title: str, sentences: Sequence[types_pb2.TranslatedSentence]) -> str:
    """List sentences with what is wrong with them below a title; "" if there are none."""
    lines = [title]
    for sentence in sentences:
        lines.append(_wrap(_clean(sentence.text), f"[{sentence.index + 1}] "))
        lines += [_wrap(_in_words(finding), "    - ") for finding in sentence.findings]
    return "\n".join(lines) if sentences else ""


def _terms(uses: Sequence[types_pb2.GlossaryUse]) -> str:
    """Tell of the terms of a glossary below a title; "" if there are none."""
    lines = [_wrap(line, "") for line in _told(uses)]
    return "\n".join(["Glossary", *lines] if lines else [])


def _told(uses: Sequence[types_pb2.GlossaryUse]) -> list[str]:
    """Write one line for each outcome; refused terms with the numbers of their sentences."""
    told: list[str] = []
    for title, outcome in _OUTCOMES.items():
        terms = [_clean(_term(use)) for use in uses if use.outcome == outcome]
        if terms:
            told.append(f"{title}: {'; '.join(terms)}")
    return told


def _term(use: types_pb2.GlossaryUse) -> str:
    refused = use.outcome == types_pb2.GLOSSARY_OUTCOME_REFUSED
    lacking = {p.sentence_index for p in use.places if not p.HasField("target_span")}
    numbers = "".join(f" [{index + 1}]" for index in sorted(lacking)) if refused else ""
    return f"{use.term.source} → {use.term.target or use.term.source}{numbers}"


def _alone(sentence: types_pb2.TranslatedSentence) -> types_pb2.BriefSentence:
    """Show a sentence of the translation as one of the brief."""
    return types_pb2.BriefSentence(
        text=sentence.text, sentence_indices=[sentence.index], findings=sentence.findings
    )


def _numbered(sentence: types_pb2.TranslatedSentence) -> str:
    return _wrap(_original(sentence), f"[{sentence.index + 1}] ")


def _item(sentence: types_pb2.BriefSentence) -> str:
    return "\n".join([f"- {_marked(sentence)}", *_notes(sentence, "  - ")])


def _notes(sentence: types_pb2.BriefSentence, bullet: str) -> list[str]:
    return [bullet + _escape(_in_words(finding)) for finding in sentence.findings]


def _marked(sentence: types_pb2.BriefSentence) -> str:
    warning = _WARNING if sentence.findings else ""
    notes = "".join(f"[^{index + 1}]" for index in sentence.sentence_indices)
    return f"{_sign(sentence)}{warning}{_escape(sentence.text)}{notes}"


def _sources(brief: types_pb2.Brief) -> list[types_pb2.TranslatedSentence]:
    """List the sentences that the text refers to, in document order."""
    used = _used(brief)
    return [s for s in brief.translation if s.index in used or s.findings]


def _elsewhere(brief: types_pb2.Brief) -> list[types_pb2.TranslatedSentence]:
    """List the sentences that failed a check and that the brief doesn't rest on."""
    used = _used(brief)
    return [s for s in brief.translation if s.findings and s.index not in used]


def _used(brief: types_pb2.Brief) -> set[int]:
    stated = [brief.headline, *brief.key_sentences]
    return {index for sentence in stated for index in sentence.sentence_indices}


def _original(sentence: types_pb2.TranslatedSentence) -> str:
    # As sent, a sentence of an HTML release is full of tags.
    return _clean(sentence.normalised_source or sentence.source)


def _in_words(finding: types_pb2.Finding) -> str:
    """Say what is wrong, and what was expected or found where the message doesn't say it."""
    details = (("expected", finding.expected), ("found", finding.found))
    unsaid = [f"{name}: {value}" for name, value in details if value not in finding.message]
    return _clean(finding.message + (f" ({'; '.join(unsaid)})" if unsaid else ""))


def _summary(brief: types_pb2.Brief) -> str:
    detection = brief.detection
    language = _LANGUAGES.get(detection.language, detection.language)
    sure = f" ({int(100 * detection.confidence)}% sure)" if detection.confidence < 1 else ""
    total = len(brief.translation)
    flagged = sum(bool(sentence.findings) for sentence in brief.translation)
    noun = "sentence" if total == 1 else "sentences"
    written = sum(bool(_sign(sentence)) for sentence in brief.key_sentences)
    own = f"; {_WRITTEN}marks what a model summed up in its own words" if written else ""
    return f"{language}{sure}, {total} {noun}, {flagged} to check{own}"


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


def _clean(content: str) -> str:
    return " ".join(_UNSAFE.sub("", content).split())


def _escape(content: str) -> str:
    escaped = _MARKUP.sub(r"\\\1", _clean(content))
    return _BLOCK_START.sub(lambda start: f"{start[1] or ''}\\{start[2] or start[3]}", escaped)

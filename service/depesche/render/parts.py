"""What all forms of a brief are made of: which sentences are shown, and how things are said."""

import re
from collections.abc import Sequence

from depesche.v1 import types_pb2

__all__ = [
    "WARNING",
    "WRITTEN",
    "alone",
    "clean",
    "elsewhere",
    "in_words",
    "original",
    "sign",
    "sources",
    "summary",
    "terms",
]

WARNING = "⚠ "
"""Stands before a sentence that failed a check."""

WRITTEN = "≈ "
"""Stands before a sentence of a summary model."""

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


def clean(content: str) -> str:
    """Put a text on one line, without what could make a terminal or browser show another."""
    return " ".join(_UNSAFE.sub("", content).split())


def sign(sentence: types_pb2.BriefSentence) -> str:
    """Give the sign of a sentence that a summary model wrote, else ""."""
    return WRITTEN if sentence.strategy == types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE else ""


def sources(brief: types_pb2.Brief) -> list[types_pb2.TranslatedSentence]:
    """List the sentences that the text refers to, in document order."""
    used = _used(brief)
    return [s for s in brief.translation if s.index in used or s.findings]


def elsewhere(brief: types_pb2.Brief) -> list[types_pb2.TranslatedSentence]:
    """List the sentences that failed a check and that the brief doesn't rest on."""
    used = _used(brief)
    return [s for s in brief.translation if s.findings and s.index not in used]


def _used(brief: types_pb2.Brief) -> set[int]:
    stated = [brief.headline, *brief.key_sentences]
    return {index for sentence in stated for index in sentence.sentence_indices}


def alone(sentence: types_pb2.TranslatedSentence) -> types_pb2.BriefSentence:
    """Show a sentence of the translation as one of the brief."""
    return types_pb2.BriefSentence(
        text=sentence.text, sentence_indices=[sentence.index], findings=sentence.findings
    )


def original(sentence: types_pb2.TranslatedSentence) -> str:
    """Give a sentence in its language, cleaned."""
    # As sent, a sentence of an HTML release is full of tags.
    return clean(sentence.normalised_source or sentence.source)


def in_words(finding: types_pb2.Finding) -> str:
    """Say what is wrong, and what was expected or found where the message doesn't say it."""
    details = (("expected", finding.expected), ("found", finding.found))
    unsaid = [f"{name}: {value}" for name, value in details if value not in finding.message]
    return clean(finding.message + (f" ({'; '.join(unsaid)})" if unsaid else ""))


def terms(uses: Sequence[types_pb2.GlossaryUse]) -> list[str]:
    """Tell of a glossary: one line for each outcome, cleaned; refused terms with their places."""
    told: list[str] = []
    for title, outcome in _OUTCOMES.items():
        found = [clean(_term(use)) for use in uses if use.outcome == outcome]
        if found:
            told.append(f"{title}: {'; '.join(found)}")
    return told


def _term(use: types_pb2.GlossaryUse) -> str:
    refused = use.outcome == types_pb2.GLOSSARY_OUTCOME_REFUSED
    lacking = {p.sentence_index for p in use.places if not p.HasField("target_span")}
    numbers = "".join(f" [{index + 1}]" for index in sorted(lacking)) if refused else ""
    return f"{use.term.source} → {use.term.target or use.term.source}{numbers}"


def summary(brief: types_pb2.Brief, edited: int) -> str:
    """Tell language and size of a release, and how much of its brief needs a look, on one line."""
    detection = brief.detection
    language = _LANGUAGES.get(detection.language, detection.language)
    sure = f" ({int(100 * detection.confidence)}% sure)" if detection.confidence < 1 else ""
    total = len(brief.translation)
    flagged = sum(bool(sentence.findings) for sentence in brief.translation)
    written = sum(bool(sign(sentence)) for sentence in brief.key_sentences)
    own = f"; {WRITTEN}marks what a model summed up in its own words" if written else ""
    by_hand = f"; {_counted(edited)} of the brief edited by hand" if edited else ""
    return f"{language}{sure}, {_counted(total)}, {flagged} to check{own}{by_hand}"


def _counted(sentences: int) -> str:
    return f"{sentences} {'sentence' if sentences == 1 else 'sentences'}"

"""The values that travel the pipeline, from a release to its brief.

All are immutable. Offsets count Unicode code points, as Python's strings do, and point into the
text exactly as the caller sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "BlockKind",
    "Brief",
    "BriefOptions",
    "BriefSentence",
    "ContentFormat",
    "Decoding",
    "Detection",
    "Finding",
    "FindingKind",
    "GlossaryOutcome",
    "GlossaryPlace",
    "GlossaryTerm",
    "GlossaryUse",
    "Language",
    "ModelIdentity",
    "Origin",
    "Priority",
    "Release",
    "Sentence",
    "Signature",
    "Span",
    "SummaryStrategy",
    "Timings",
    "Translation",
]


class Language(StrEnum):
    """The languages of releases, as ISO 639-1 codes."""

    GERMAN = "de"
    ENGLISH = "en"
    KHMER = "km"
    RUSSIAN = "ru"


SOURCES: tuple[Language, ...] = (Language.GERMAN, Language.KHMER, Language.RUSSIAN)
"""What is translated into English."""


class ContentFormat(StrEnum):
    """How the text of a release is written; in `LINES` each line, even a blank one, is a block."""

    PLAIN = "plain"
    HTML = "html"
    LINES = "lines"


class Origin(StrEnum):
    """The field of the request that a span points into."""

    TEXT = "text"
    TITLE = "title"


class Priority(StrEnum):
    """Whether a person waits for the result."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class SummaryStrategy(StrEnum):
    """How the key sentences of a brief come about."""

    EXTRACTIVE = "extractive"
    ABSTRACTIVE = "abstractive"


class BlockKind(StrEnum):
    """What a block of a release is; only `PARAGRAPH` and `LIST_ITEM` hold sentences of a brief."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    BYLINE = "byline"
    DATELINE = "dateline"


class Decoding(StrEnum):
    """How the English of a sentence was decoded."""

    NONE = "none"
    GREEDY = "greedy"
    BEAM = "beam"
    SPLIT = "split"


class FindingKind(StrEnum):
    """What a fidelity check found wrong with a translated sentence."""

    NUMBER_MISSING = "number_missing"
    NUMBER_INVENTED = "number_invented"
    DATE_MISSING = "date_missing"
    DATE_INVENTED = "date_invented"
    PERCENTAGE_MISSING = "percentage_missing"
    PERCENTAGE_INVENTED = "percentage_invented"
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_INVENTED = "amount_invented"
    QUOTATION_MISSING = "quotation_missing"
    QUOTATION_INVENTED = "quotation_invented"
    NAME_MISSING = "name_missing"
    NAME_INVENTED = "name_invented"
    UNTRANSLATED = "untranslated"
    REPETITION = "repetition"
    LENGTH = "length"
    LOW_SCORE = "low_score"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    TERM_MISSING = "term_missing"


class GlossaryOutcome(StrEnum):
    """What became of a term of the glossary."""

    APPLIED = "applied"
    NOT_MATCHED = "not_matched"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class GlossaryTerm:
    """A source term and the English that must stand for it.

    Attributes:
        source: the term in the release's language.
        target: its English; "" keeps the term as the source has it.
    """

    source: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class GlossaryPlace:
    """One place in a release at which a term of the glossary stands.

    Attributes:
        sentence: index of the sentence.
        source_span: the term in the sentence's normalised text.
        target_span: its English in the sentence's translation, or None if it isn't there.
    """

    sentence: int
    source_span: Span
    target_span: Span | None


@dataclass(frozen=True, slots=True)
class GlossaryUse:
    """A term of the glossary, and what became of it.

    Attributes:
        term: the term, as sent.
        outcome: applied if its English stands wherever the term does; refused if at one place it
            doesn't, of which a finding of the sentence tells.
        places: where it stands, in document order; none if it wasn't matched.
    """

    term: GlossaryTerm
    outcome: GlossaryOutcome
    places: tuple[GlossaryPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """What a newsroom sends.

    Attributes:
        text: the release, as sent.
        content_format: how `text` is written.
        title: the release's own headline where the caller has it apart from the text, else "".
        language: the release's language, or None to have it detected.
    """

    text: str
    content_format: ContentFormat = ContentFormat.PLAIN
    title: str = ""
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class BriefOptions:
    """What the caller asks of a brief.

    Attributes:
        sentence_count: how many key sentences the brief holds at most; 1 or more.
        strategy: how they come about.
        priority: whether a person waits.
        reproducible: whether no other request may share its batches, so that the same release gives
            the same bytes at any load.
        allow_incomplete: whether a brief of what is done is wanted where the deadline comes before
            the end.
        translation_model: name of the translator, or "" for the route of the release's language.
        summary_model: name of the model for an abstractive summary, or "" for the usual one.
        glossary: terms whose English is fixed.
    """

    sentence_count: int = 3
    strategy: SummaryStrategy = SummaryStrategy.EXTRACTIVE
    priority: Priority = Priority.INTERACTIVE
    reproducible: bool = False
    allow_incomplete: bool = False
    translation_model: str = ""
    summary_model: str = ""
    glossary: tuple[GlossaryTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """The language of a text.

    Attributes:
        language: what it is.
        confidence: probability from 0 to 1; 1 where the caller named the language.
    """

    language: Language
    confidence: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a release.

    Attributes:
        index: place in the document, from 0.
        text: the sentence, normalised; what the model is given.
        kind: kind of the block that it stands in.
        block: index of that block in the document, from 0.
        origin: the field of the request that `span` points into.
        span: where the sentence stands in that field, as sent.
        source: that field's text at `span`, as sent.
    """

    index: int
    text: str
    kind: BlockKind
    block: int
    origin: Origin
    span: Span
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a translated sentence.

    Attributes:
        kind: what is wrong.
        message: a sentence for an editor, without a full stop.
        expected: what the English should hold, in English where that can be said, else "".
        found: what the English holds instead, else "".
        source_span: where the cause stands in `Sentence.text`, or None where it has no place.
        target_span: where it shows in the English, or None where it doesn't.
    """

    kind: FindingKind
    message: str
    expected: str = ""
    found: str = ""
    source_span: Span | None = None
    target_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """A sentence and its English.

    Attributes:
        sentence: the source.
        text: the English.
        score: mean log-probability per target token (0 is certain), or None if nothing was decoded.
        decoding: how `text` was decoded.
        findings: what the checks still find wrong with it.
    """

    sentence: Sentence
    text: str
    score: float | None
    decoding: Decoding
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class BriefSentence:
    """One sentence of a brief, with what it rests on.

    Attributes:
        text: the English.
        sources: indices of the source sentences that it rests on; never empty.
        findings: what the checks find wrong with it, or with the translation that it rests on.
        strategy: whether it is a sentence of the translation, or a summary model's own.
    """

    text: str
    sources: tuple[int, ...]
    findings: tuple[Finding, ...] = ()
    strategy: SummaryStrategy = SummaryStrategy.EXTRACTIVE


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Exactly which model ran.

    Attributes:
        task: `translation` or `summary`.
        name: its name in the manifest.
        revision: its revision there.
        digest: SHA-256 of its weights, in hexadecimal.
        quantisation: the compute type in use, such as `int8_float32`.
        licence: its licence's SPDX expression, or name where SPDX has none.
    """

    task: str
    name: str
    revision: str
    digest: str
    quantisation: str
    licence: str


@dataclass(frozen=True, slots=True)
class Signature:
    """All that shaped a result: the same text under the same signature gives the same brief.

    That is so on the same kind of CPU; another one may round otherwise in 8 bits.

    Modelled on the signatures of sacrebleu (Post 2018, "A Call for Clarity in Reporting BLEU
    Scores").

    Attributes:
        service_version: version of this package.
        splitter_version: version of the sentence splitter's rules.
        models: the models that took part.
        options: decoding and summary options, name to value.
    """

    service_version: str
    splitter_version: str
    models: tuple[ModelIdentity, ...]
    options: Mapping[str, str]

    def __str__(self) -> str:
        """Write the signature on one line, as `key:value|key:value`."""
        parts = [f"depesche:{self.service_version}", f"splitter:{self.splitter_version}"]
        for model in self.models:
            parts.append(f"{model.task}:{model.name}@{model.revision}")
            parts.append(f"sha256:{model.digest[:12]}|{model.quantisation}")
        parts.extend(f"{name}:{value}" for name, value in sorted(self.options.items()))
        return "|".join(parts)


@dataclass(slots=True)
class Timings:
    """Where one request's time went, in seconds; the one source for reply, log and metrics.

    Attributes:
        stages: stage name to seconds, in the order in which the stages ran.
        queue: seconds that the request's segments waited for a worker, the longest of them.
    """

    stages: dict[str, float] = field(default_factory=dict)
    queue: float = 0.0

    def add(self, stage: str, seconds: float) -> None:
        """Add `seconds` to `stage`."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds


@dataclass(frozen=True, slots=True)
class Brief:
    """The reply to a release.

    Attributes:
        headline: one line.
        key_sentences: in document order.
        detection: the release's language.
        translations: every sentence of the release, in document order.
        signature: what shaped the result.
        timings: where the time went.
        missing: sentences that the deadline left without English; the brief is incomplete if there
            are any.
        glossary: what became of each term, in the order of the options.
    """

    headline: BriefSentence
    key_sentences: Sequence[BriefSentence]
    detection: Detection
    translations: Sequence[Translation]
    signature: Signature
    timings: Timings
    missing: Sequence[Sentence] = ()
    glossary: Sequence[GlossaryUse] = ()

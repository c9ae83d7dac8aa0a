"""Translate text line by line: each line of the source gives exactly one line of English."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from depesche.config import Settings
from depesche.text.normalize import has_words
from depesche.types import BriefOptions, ContentFormat, GlossaryTerm, Language, Priority, Release
from depesche.v1 import translation_pb2, types_pb2

__all__ = ["Line", "Translates", "split_lines", "translate_lines"]

# Small enough to show progress and to stay within any sensible limit of a server, large enough to
# fill its batches.
_CHUNK_SENTENCES = 200
_CHUNK_CHARACTERS = 20_000
_SENTENCE_END = re.compile(r"[.!?…។៕៚]")
_OTHER_BREAK = re.compile(r"[\v\f\r\x1c-\x1e\x85\u2028\u2029]")


class Translates(Protocol):
    """Whatever translates releases: a client, or the pipeline in this process."""

    async def detect(self, text: str) -> types_pb2.Detection:
        """Tell the language of a text."""
        ...

    async def translate(
        self, release: Release, options: BriefOptions | None = ...
    ) -> translation_pb2.TranslateResponse:
        """Translate a release."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """The English of one line.

    Attributes:
        text: the English, which holds no line break.
        sentences: the sentences that it is made of.
        models: the models that made them.
    """

    text: str
    sentences: tuple[types_pb2.TranslatedSentence, ...] = ()
    models: tuple[types_pb2.ModelIdentity, ...] = ()


def split_lines(text: str) -> list[str]:
    r"""Split a text at each "\n"; a "\r" before it goes, and a last line may lack it."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


async def translate_lines(
    translator: Translates,
    lines: Sequence[str],
    language: Language | None,
    settings: Settings,
    model: str = "",
    glossary: Sequence[GlossaryTerm] = (),
) -> AsyncIterator[Line]:
    """Give the English of each line, in order.

    A line without a letter or a digit stays as it is.

    Args:
        translator: does the translation.
        lines: the source, without line breaks.
        language: its language, or None to have it detected once, from all lines.
        settings: the limits on one request.
        model: name of the translation model, or "" for the language's own.
        glossary: terms whose English is fixed.

    Raises:
        RequestError: the language can't be told or isn't supported, or a line is over a limit.
        LoadError: there is no room, or no time.
    """
    if language is None and any(map(has_words, lines)):
        sample = "\n".join(filter(has_words, lines))[: settings.max_text_characters]
        language = Language((await translator.detect(sample)).language)
    # The same lines shall give the same English twice.
    options = BriefOptions(
        priority=Priority.BULK,
        reproducible=True,
        translation_model=model,
        glossary=tuple(glossary),
    )
    for chunk in _chunks(lines, settings):
        for line in await _translate(translator, chunk, language, options):
            yield line


async def _translate(
    translator: Translates,
    lines: Sequence[str],
    language: Language | None,
    options: BriefOptions,
) -> list[Line]:
    sent = [_OTHER_BREAK.sub(" ", line) if has_words(line) else "" for line in lines]
    if not any(sent):
        return [Line(_one_line([line])) for line in lines]
    release = Release("\n".join(sent), ContentFormat.LINES, language=language)
    response = await translator.translate(release, options)
    found: list[list[types_pb2.TranslatedSentence]] = [[] for _ in lines]
    for sentence in response.translation:
        found[sentence.block].append(sentence)
    models = tuple(response.signature.models)
    return [
        Line(_one_line(s.text for s in sentences), tuple(sentences), models)
        if text
        else Line(_one_line([line]))
        for line, text, sentences in zip(lines, sent, found, strict=True)
    ]


def _chunks(lines: Sequence[str], settings: Settings) -> Iterator[list[str]]:
    """Group lines so that each group stays within the limits; a longer line stands alone."""
    most_sentences = min(_CHUNK_SENTENCES, settings.max_sentences)
    most_characters = min(_CHUNK_CHARACTERS, settings.max_text_characters)
    chunk: list[str] = []
    sentences = characters = 0
    for line in lines:
        line_sentences = 1 + len(_SENTENCE_END.findall(line))
        sentences += line_sentences
        characters += len(line) + 1
        if chunk and (sentences > most_sentences or characters > most_characters):
            yield chunk
            chunk, sentences, characters = [], line_sentences, len(line) + 1
        chunk.append(line)
    if chunk:
        yield chunk


def _one_line(texts: Iterable[str]) -> str:
    return " ".join(" ".join(texts).split())

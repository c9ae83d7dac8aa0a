"""Sentences of a document, each with the place in the release that it came from."""

from collections.abc import Iterator, Sequence

from depesche.text.document import Block
from depesche.text.mapped import MappedText
from depesche.text.normalize import has_words
from depesche.text.quotes import balance_all
from depesche.text.sentences import split
from depesche.types import BlockKind, Language, Origin, Release, Sentence, Span

__all__ = ["sentences"]

_WHOLE = frozenset({BlockKind.BYLINE, BlockKind.DATELINE})


def sentences(blocks: Sequence[Block], release: Release, language: Language) -> list[Sentence]:
    """List the sentences of a document in order.

    A byline or dateline is one sentence, whatever it holds, so that nothing of a release is lost.
    Pieces without a letter or figure, such as a stray dash, are left out. A sentence that the
    splitter cut out of a quotation gets its quotation marks back, so that the model and the editor
    see it quoted.

    Args:
        blocks: the document, as read from `release`.
        release: what the spans point into.
        language: the release's language.
    """
    fields = {Origin.TEXT: release.text, Origin.TITLE: release.title}
    found: list[Sentence] = []
    for number, block in enumerate(blocks):
        pieces = list(_pieces(block, language))
        texts = balance_all([piece.text for piece in pieces])
        for piece, text in zip(pieces, texts, strict=True):
            span = piece.span(0, len(piece))
            found.append(
                Sentence(
                    index=len(found),
                    text=text,
                    kind=block.kind,
                    block=number,
                    origin=block.origin,
                    span=span,
                    source=fields[block.origin][span.start : span.end],
                )
            )
    return found


def _pieces(block: Block, language: Language) -> Iterator[MappedText]:
    text = block.content.text
    spans = [Span(0, len(text))] if block.kind in _WHOLE else split(text, language)
    for span in spans:
        piece = block.content.slice(span.start, span.end).strip()
        if has_words(piece.text):
            yield piece

"""Check that what the source quotes is quoted in the English, and nothing else is."""

import re
from collections.abc import Sequence

from depesche.text.quotes import quotations
from depesche.types import Finding, FindingKind, Language, Span

__all__ = ["check_quotations"]

# Shorter ones are titles, companies and irony, which a translation may set without marks.
_LEAST_WORDS = 4
_LEAST_KHMER_LETTERS = 12
# A quotation that covers so much less of the English has lost part of its text or of its marks.
_SHRUNK = 0.4
_LEAST_SHARE = 0.2
# British single marks, which look like apostrophes.
_SINGLE_MARK = re.compile(r"(?<!\w)['‘](?=[^\W\d])|(?<=[.,!?])['’](?!\w)")


def check_quotations(source: str, target: str, language: Language) -> list[Finding]:
    """Compare the quotations of `source` with those of its English `target`.

    Short ones may come and go. A long one must show in the English, over a comparable share of the
    sentence; the English may hold a long one only if the source quotes anything at all. English in
    single marks is taken to quote what it should.
    """
    there, here = quotations(source), quotations(target)
    long_there = [span for span in there if _is_long(source, span, language)]
    long_here = [span for span in here if _is_long(target, span, Language.ENGLISH)]
    if long_here and not there:
        return [_invented(target, span) for span in long_here]
    if _SINGLE_MARK.search(target):
        return []
    if long_there and not here:
        message = "The source quotes, and the English has no quotation marks"
        return [_missing(source, span, message) for span in long_there]
    share = _share(source, long_there)
    if share >= _LEAST_SHARE and _share(target, here) < _SHRUNK * share:
        return [
            _missing(source, long_there[0], "Part of the quotation isn't quoted in the English")
        ]
    return []


def _is_long(text: str, span: Span, language: Language) -> bool:
    quoted = text[span.start : span.end]
    if language is Language.KHMER:
        return sum(character.isalpha() for character in quoted) >= _LEAST_KHMER_LETTERS
    return len(quoted.split()) >= _LEAST_WORDS


def _share(text: str, spans: Sequence[Span]) -> float:
    return sum(span.end - span.start for span in spans) / max(1, len(text))


def _missing(source: str, span: Span, message: str) -> Finding:
    quoted = source[span.start : span.end]
    return Finding(FindingKind.QUOTATION_MISSING, message, expected=f"“{quoted}”", source_span=span)


def _invented(target: str, span: Span) -> Finding:
    quoted = target[span.start : span.end]
    message = "The English quotes, and the source has no quotation marks"
    return Finding(FindingKind.QUOTATION_INVENTED, message, found=quoted, target_span=span)

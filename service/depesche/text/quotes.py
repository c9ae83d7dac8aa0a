"""Quotation marks of all styles: finding quotations, and completing those that a split cut.

Splitting inside a quotation leaves sentences with only an opening mark, only a closing one, or
none. A sentence gets its missing marks back before it is translated (`balance_all`), so that the
model sees a whole quotation; what it still does to the marks is mended after (`repair`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from depesche.text.normalize import has_words
from depesche.types import Span

__all__ = ["balance", "balance_all", "quotations", "repair"]

# The marks that may close each opening mark. German opens with „ and », Russian with «, and typists
# close with whatever is at hand.
_CLOSERS = {
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "„": '“”"',
    "“": '”“"',
    "”": '”"',
    '"': '"”',
    "‚": "‘’",
    "‘": "’",
}
_OPENERS = {
    "»": "«",
    "«": "»",
    "›": "‹",
    "‹": "›",
    "“": "„",
    "”": "“",
    '"': '"',
    "‘": "‚",
    "’": "‘",
}
_OPEN_BY_DEFAULT = frozenset('«‹„“"')
_APOSTROPHES = frozenset("‘’")

# A ’ inside a word is an apostrophe.
_MARK = re.compile(r"[«»‹›„“”\"‚‘]|’(?!\w)")
_BEFORE_OPENING = frozenset("([{–—-/«‹„“‚‘")
_AFTER_CLOSING = frozenset(",.;:!?…)]}–—-/»›”’។៕")
_NESTING = 4

# Until the last step the marks are curly, which tells opening from closing.
_STRAIGHT = str.maketrans("“”‘’", "\"\"''")

_DOUBLED = re.compile(r"``|''|\"{2,}")
_DISPLACED = re.compile(r"(?<!\s)\s++([,.])\s++\"(?=\w)")
_SPACES = (
    (re.compile(r"(?<!\s)\s++(?=[,.;:!?](?:[\s”’]|\Z))"), ""),
    (re.compile(r"(?<=[“‘])\s++"), ""),
    (re.compile(r"(?<!\s)\s++(?=”)"), ""),
    (re.compile(r"(?<=”)(?=\w)"), " "),
    (re.compile(r"(?<=[\w,.:])(?=“)"), " "),
)
# American practice (The Chicago Manual of Style, 17th edition, 6.9): stops and commas go inside.
_STOPS = (
    (re.compile(r"([.!?…])”[.,]"), r"\1”"),
    (re.compile(r",”([.,])"), r"\1”"),
    (re.compile(r"(?<![,.!?…])”([,.])(?!\d)"), r"\1”"),
)


@dataclass(slots=True)
class _Mark:
    """A quotation mark.

    Attributes:
        at: where it stands.
        opens: whether it opens a quotation.
        depth: how many quotations are open around it.
        partner: where its partner stands, or None while it has none.
    """

    at: int
    opens: bool
    depth: int
    partner: int | None = None


def quotations(text: str) -> list[Span]:
    """Find the quotations, without their marks; of nested ones the outermost.

    A quotation that isn't closed reaches to the end of the text, one that wasn't opened from its
    start. Apostrophes aren't quotation marks.
    """
    spans: list[Span] = []
    for mark in _marks(text):
        if mark.opens:
            span = Span(mark.at + 1, len(text) if mark.partner is None else mark.partner)
            if not spans or span.start > spans[-1].end:
                spans.append(span)
        elif mark.partner is None:
            spans = [Span(0, mark.at)]
    return spans


def balance(text: str) -> str:
    """Give each quotation mark that lacks its partner one, at the start or end of the text."""
    unmatched = [mark for mark in _marks(text) if mark.partner is None]
    opening = "".join(_OPENERS[text[mark.at]] for mark in unmatched if not mark.opens)
    closing = "".join(_CLOSERS[text[mark.at]][0] for mark in unmatched if mark.opens)
    start = len(text) - len(text.lstrip())
    end = max(start, len(text.rstrip()))
    return text[:start] + opening[::-1] + text[start:end] + closing[::-1] + text[end:]


def balance_all(sentences: Sequence[str]) -> list[str]:
    """Balance each sentence of a paragraph, and mark those that lie wholly inside a quotation.

    A quotation that no later sentence closes is taken to end with the sentence that opens it.
    """
    balanced = [balance(sentence) for sentence in sentences]
    opened: tuple[int, str] | None = None
    for index, sentence in enumerate(sentences):
        marks = [mark for mark in _marks(sentence) if mark.partner is None]
        if opened and any(not mark.opens for mark in marks):
            start, mark = opened
            for inside in range(start + 1, index):
                balanced[inside] = mark + sentences[inside].strip() + _CLOSERS[mark][0]
            opened = None
        opening = next((sentence[mark.at] for mark in marks if mark.opens), None)
        if opening:
            opened = (index, opening)
    return balanced


def repair(target: str, source: str) -> str:
    """Mend the quotation marks of an English translation.

    All marks become straight ones, as wire copy has them (' inside others), with commas and full
    stops before the closing mark and no stray spaces. Where the source holds a quotation, a mark
    without a partner gets one; elsewhere it is removed. A source that is nothing but a quotation
    stays one.

    Args:
        target: the English.
        source: the sentence that it translates, in its own language.
    """
    text = _DISPLACED.sub(r'\1" ', _DOUBLED.sub('"', target))
    quoted = quotations(source)
    text = _curl(balance(text) if quoted else _without_unmatched(text))
    for pattern, replacement in (*_SPACES, *_STOPS):
        text = pattern.sub(replacement, text)
    if _is_quotation(source, quoted) and text and not quotations(text):
        text = f"“{text}”"
    return text.translate(_STRAIGHT)


def _is_quotation(text: str, quoted: Sequence[Span]) -> bool:
    """Tell whether the text has no words outside its one quotation."""
    if len(quoted) != 1:
        return False
    outside = text[: quoted[0].start] + text[quoted[0].end :]
    return not has_words(outside)


def _without_unmatched(text: str) -> str:
    unmatched = {mark.at for mark in _marks(text) if mark.partner is None}
    return "".join(character for at, character in enumerate(text) if at not in unmatched)


def _curl(text: str) -> str:
    """Write all quotation marks as opening and closing ones of English."""
    characters = list(text)
    for mark in _marks(text):
        outer, inner = "“‘" if mark.opens else "”’"
        characters[mark.at] = inner if mark.depth % 2 else outer
    return "".join(characters)


def _marks(text: str) -> list[_Mark]:
    """Find the quotation marks and pair them, in text order."""
    marks: list[_Mark] = []
    stack: list[_Mark] = []
    for match in _MARK.finditer(text):
        at = match.start()
        level = _level(text, stack, at)
        opens = _opens(text, at, level)
        if opens is None:
            continue
        mark = _Mark(at, opens, len(stack))
        marks.append(mark)
        if opens:
            stack.append(mark)
        elif level is not None:
            mark.depth = stack[level].depth
            mark.partner, stack[level].partner = stack[level].at, at
            del stack[level:]
    _share_closings(text, marks, stack)
    return marks


def _level(text: str, stack: Sequence[_Mark], at: int) -> int | None:
    """Find the innermost open quotation that the mark at `at` may close."""
    for level in range(len(stack) - 1, max(-1, len(stack) - 1 - _NESTING), -1):
        if text[at] in _CLOSERS[text[stack[level].at]]:
            return level
    return None


def _opens(text: str, at: int, level: int | None) -> bool | None:
    """Tell whether the mark at `at` opens or closes; None if it is no quotation mark at all."""
    mark, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    starts = not before or before.isspace() or before in _BEFORE_OPENING
    ends = not after or after.isspace() or after in _AFTER_CLOSING
    if mark in "„‚":
        return True
    if mark == "’":
        return None if level is None else False
    if level is not None and not (starts and not ends):
        return False
    if starts != ends:
        is_apostrophe = ends and mark in _APOSTROPHES
        is_inch = ends and mark == '"' and before.isdecimal()
        return None if is_apostrophe or is_inch else starts
    return None if mark in _APOSTROPHES else mark in _OPEN_BY_DEFAULT


def _share_closings(text: str, marks: Sequence[_Mark], unclosed: Sequence[_Mark]) -> None:
    """Let a name that ends in a name share its closing mark: «ООО «Ромашка», as Russian has it.

    A quotation that the sentence breaks off begins it, or follows a colon or comma, instead.
    """
    following = _closings_after(marks, {mark.at for mark in unclosed})
    for mark, closing in following:
        before, name = text[max(0, mark.at - 2) : mark.at].strip(), text[mark.at + 1 : mark.at + 2]
        if before[-1:].isalnum() and name.isupper():
            mark.partner = closing


def _closings_after(marks: Sequence[_Mark], unclosed: set[int]) -> Iterator[tuple[_Mark, int]]:
    """Pair each unclosed opening mark with the first closing mark that follows it."""
    closing: int | None = None
    for mark in reversed(marks):
        if not mark.opens and mark.partner is not None:
            closing = mark.at
        elif mark.at in unclosed and closing is not None:
            yield mark, closing

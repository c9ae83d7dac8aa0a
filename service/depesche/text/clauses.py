"""Parts of sentences: splitting one that is too long for a model, and shortening one to a headline.

Splitting breaks where the least is lost, in this order: semicolon or colon, dash, comma before a
conjunction or relative pronoun, edge of a quotation, other commas (in Khmer also the space, which
marks phrases), coordinating conjunction, any space. Figures with what they count, abbreviations
and names hold together unless nothing else is left to break.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from depesche.text.quotes import balance
from depesche.types import Language, Span

__all__ = ["shorten", "split_long"]

# What breaking somewhere costs. A break at the very end of a text costs 1 more than one in its
# middle, so that a space is broken only where punctuation would leave a scrap.
_STRONG = 0.0
_DASH = 0.1
_SUBORDINATE = 0.15
_QUOTATION = 0.2
_COMMA = 0.3
_COORDINATE = 0.7
_WORD = 1.0
_BOUND = 2.5

_EDGE = 0.05
"""Share of a text that a break leaves on either side at least."""

_SUBORDINATORS = {
    Language.GERMAN: (
        "aber als bevor bis da damit das dass dem den denen denn der deren dessen die indem jedoch"
        " nachdem ob obwohl seit so sobald sodass solange sondern sowie um was weil welche welchem"
        " welchen welcher welches wenn wer wie wo wobei wodurch wofür womit wonach während zumal"
    ),
    Language.ENGLISH: (
        "after although and as because before but if including or since so that though unless"
        " until when where whereas whether which while who whom whose yet"
    ),
    Language.KHMER: "",
    Language.RUSSIAN: (
        "а где если и или когда когда котором которого которой которому которую которые который"
        " которым которыми которых которая которое куда кто но однако откуда поскольку пока потому"
        " причём причем при так тогда хотя чем что чтобы чей чья чьи"
    ),
}
_COORDINATORS = {
    Language.GERMAN: "beziehungsweise bzw oder sowie und",
    Language.ENGLISH: "and but or",
    Language.KHMER: "",
    Language.RUSSIAN: "и или либо",
}
# Khmer has no spaces between words; these begin clauses and hardly occur inside other words.
_KHMER_CONJUNCTION = re.compile(
    r"(?<=[\u1780-\u17ff])(?=ដែល|ប៉ុន្តែ|ដើម្បី|ពីព្រោះ|ដោយសារ|ព្រមទាំង|ព្រមជាមួយ|រួមទាំង|ខណៈ)"
)
_KHMER_CLAUSE = re.compile(r"ដែល|ហើយ|ប៉ុន្តែ|ដើម្បី|ព្រោះ|ពីព្រោះ|ដោយ|ព្រមទាំង|រួមទាំង|ខណៈ|និង|ឬ")
# A title holds together with the two parts of the name behind it.
_KHMER_NAME = re.compile(r"(?:លោក|លោកស្រី|ឯកឧត្តម|លោកជំទាវ|សម្តេច|កញ្ញា)(?:\s\S{1,12})?\Z")

_SPACE = re.compile(r"\s+")
_WORD_AT = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_][\w'’-]*\Z")
_SHORT_STOP = re.compile(r"(?<!\w)\w{1,5}\.\Z")
_WINDOW = 30
_SCALED = re.compile(
    r"\d\s(?:тыс|млн|млрд|трлн|тысяч\w*|миллион\w*|миллиард\w*|Tsd|Mio|Mrd|Tausend|Million\w*"
    r"|Milliarde\w*|thousand|million|billion|trillion|ពាន់|ម៉ឺន|សែន|លាន)\Z"
)
_DASHES = "–—-"
_OPENING = '«„“"‚‘('
_CLOSING = '»“”"’)'
_UNITS = "%‰°€$£₽៛"
_SIGNS = "№§€$£₽៛"
# Characters that stay with the one before (marks aside) or, for the second set, with the one after.
_ATTACHED = frozenset("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_ATTACHING = frozenset("\u200d\u17d2")  # joiner; coeng, which puts a Khmer consonant below


# What may follow what `shorten` keeps. No conjunction that may also end a list.
_CLAUSE = re.compile(
    r"; | [–—-] "
    r"|, (?=(?:according|adding|after|although|as|because|before|but|following|if|including|saying"
    r"|since|so|that|though|when|where|whereas|which|while|who|whose|with) )"
    r"|, and (?=(?:he|it|she|that|there|they|this|will) )"
    r"| (?=(?:that|which|who) (?:are|had|has|have|is|was|were|will) )"
    r"| (?=(?:although|because|unless|whereas|while) )"
)
_PHRASE = re.compile(
    r" (?=(?:about|after|against|among|at|before|between|by|during|for|from|in|into|on|over|that"
    r"|through|under|until|while|with|within|without) )"
)
_PARENTHESIS = re.compile(r" ?\([^()]*\)")
_ASIDE = re.compile(r", (?:when|where|which|who|whose) (?:[^,;:“”\"]|,(?=\d))*,(?= )")
_ACRONYM = re.compile(r"\b\w\.\w\.\Z")
_SHORTEST = 40
"""Characters that a headline keeps at least when it ends with a clause."""
_SHORTEST_PHRASE = 60
"""Characters that a headline keeps at least when it ends before a phrase that would be cut."""

_DANGLING = (
    "a about after against among an and are as at be because before between but by during for from"
    " has have her his if in including into is its my nor of on or our over per than that the"
    " their through to under until was were when where which while who whose will with within your"
)


@dataclass(frozen=True, slots=True)
class _Break:
    """A place where a text may be broken, and what that costs."""

    at: int
    cost: float


def split_long(
    text: str, language: Language, limit: int, measure: Callable[[str], int]
) -> list[Span]:
    """Split a sentence into parts that fit a model.

    The spans are contiguous and cover the text; white space belongs to the part before it. A part
    measures more than `limit` only where it is a single character with its combining marks.

    Args:
        text: the sentence.
        language: its language.
        limit: the most that a part may measure.
        measure: tells the size of a part, such as its tokens; called some 2 times a part.
    """
    if not text:
        return []
    breaks = _breaks(text, language)
    places = [each.at for each in breaks]
    pending = [Span(0, len(text))]
    spans = []
    while pending:
        span = pending.pop()
        at = None
        if measure(text[span.start : span.end]) > limit:
            inside = breaks[bisect_left(places, span.start + 1) : bisect_left(places, span.end)]
            at = _best(inside, span) or _cluster(text, span)
        if at is None:
            spans.append(span)
        else:
            pending += [Span(at, span.end), Span(span.start, at)]
    return spans


def _best(breaks: Sequence[_Break], span: Span) -> int | None:
    """Choose the break that costs least, its distance from the middle included."""
    middle, half = (span.start + span.end) / 2, (span.end - span.start) / 2
    costs = [
        (each.cost + (abs(each.at - middle) / half) ** 2, each.at)
        for each in breaks
        if abs(each.at - middle) <= half * (1 - 2 * _EDGE)
    ]
    return min(costs)[1] if costs else None


def _breaks(text: str, language: Language) -> list[_Break]:
    """Find the places between words, and in Khmer before conjunctions too, in text order."""
    subordinators = frozenset(_SUBORDINATORS[language].split())
    coordinators = frozenset(_COORDINATORS[language].split())
    breaks = []
    for match in _SPACE.finditer(text):
        start, end = match.span()
        if start > 0 and end < len(text) and _is_whole(text, end):
            cost = _BOUND if _is_bound(text, start, end) else _punctuation(text, start, end)
            word = _WORD_AT.match(text, end)
            if cost in (_COMMA, _QUOTATION) and word and word[0] in subordinators:
                cost = _SUBORDINATE
            if cost == _WORD and word and word[0] in coordinators:
                cost = _COORDINATE
            breaks.append(_Break(end, cost))
    if language is Language.KHMER:
        breaks += [_Break(match.end(), _WORD) for match in _KHMER_CONJUNCTION.finditer(text)]
        breaks.sort(key=lambda each: each.at)
    return breaks


def _punctuation(text: str, start: int, end: int) -> float:
    """Tell what a break at the space between `start` and `end` costs by the marks around it."""
    left, right = text[start - 1], text[end]
    mark = text[start - 2 : start - 1] if left == "," else left
    if left in ".!?…។;:៖":
        cost = _STRONG
    elif left in _DASHES and text[start - 2 : start - 1].isspace():
        cost = _DASH
    elif right in _OPENING or (mark and mark in _CLOSING):
        cost = _QUOTATION
    elif left == ",":
        cost = _COMMA
    elif _is_khmer(left) and _is_khmer(right):
        cost = _SUBORDINATE if _KHMER_CLAUSE.match(text, end) else _COMMA
    else:
        cost = _WORD
    return cost


def _is_khmer(character: str) -> bool:
    return "\u1780" <= character <= "\u17ff"


def _is_bound(text: str, start: int, end: int) -> bool:
    """Tell whether the space between `start` and `end` stands inside a figure or a name."""
    left, right = text[start - 1], text[end]
    window = max(0, start - _WINDOW)
    if right in _DASHES:
        return True  # the place behind the dash is better
    if right.isdecimal() and (left in ",:" or left in _DASHES):
        return text[window:start].rstrip(" ,:–—-")[-1:].isdecimal()  # «2021 – 2025», «24, 2021»
    if left.isdecimal() or left in _SIGNS or right in _UNITS:
        return right not in _OPENING
    if _SHORT_STOP.search(text, window, start) or (right.isdecimal() and left.isalpha()):
        return True  # «Dr. Sok», «24. November», «November 2021»
    if _SCALED.search(text, window, start) or _KHMER_NAME.search(text, window, start):
        return True
    word = _LAST_WORD.search(text, window, start)
    return word is not None and word[0][0].isupper() and right.isupper()


def _cluster(text: str, span: Span) -> int | None:
    """Find the boundary between whole characters next to the middle, outside figures if there."""
    for outside_figures in (True, False):
        for at in _outwards(span):
            in_figure = text[at - 1].isdecimal() and text[at].isdecimal()
            if _is_whole(text, at) and not (outside_figures and in_figure):
                return at
    return None


def _outwards(span: Span) -> Iterator[int]:
    """Count the places inside a span from its middle to its ends."""
    middle = (span.start + span.end) // 2
    for distance in range(span.end - middle + 1):
        for at in (middle - distance, middle + distance):
            if span.start < at < span.end:
                yield at


def _is_whole(text: str, at: int) -> bool:
    """Tell whether a break at `at` leaves base characters with their marks."""
    attached = unicodedata.category(text[at]).startswith("M") or text[at] in _ATTACHED
    return not attached and text[at - 1] not in _ATTACHING


def shorten(text: str, limit: int = 140) -> str:
    """Shorten an English sentence to a headline.

    The final full stop goes. Where the sentence is still too long, parentheses and relative
    clauses in its middle go too, then the end of it from a clause boundary on. Where no boundary
    leaves enough, it is cut before a prepositional phrase, or at least after a word, and ends with
    an ellipsis.

    Args:
        text: the sentence.
        limit: the most characters that the headline may have; 1 or more.
    """
    text = " ".join(text.split())
    if not _ACRONYM.search(text):
        text = re.sub(r"(?<!\.) ?\.([”\"’]?)\Z", r"\1", text)
    for aside in (_PARENTHESIS, _ASIDE):
        if len(text) > limit:
            text = aside.sub("", text).strip()
    if len(text) <= limit:
        return text
    return _at_clause(text, limit) or _at_word(text, limit)


def _at_clause(text: str, limit: int) -> str:
    """End the text at its last clause boundary that fits, or give "" where none does."""
    headline = ""
    for match in _CLAUSE.finditer(text, 0, limit + 20):
        candidate = balance(_without_dangling(text[: match.start()], at_clause=True))
        if _SHORTEST <= len(candidate) <= limit:
            headline = candidate
    return headline


def _at_word(text: str, limit: int) -> str:
    budget = limit - 1
    while budget > 0:
        words = text[: budget + 1].rpartition(" ")[0] or _whole(text, budget)
        words = _whole_phrases(text, len(words))
        headline = balance(_without_dangling(words, at_clause=False) + "…")
        if len(headline) <= limit:
            return headline
        budget -= len(headline) - limit
    return "…"


def _whole_phrases(text: str, end: int) -> str:
    """Take the text up to `end`, less the phrase that goes on behind it, if enough is left."""
    if not _PHRASE.match(text, end):
        for match in _PHRASE.finditer(text[:end], _SHORTEST_PHRASE):
            end = match.start()
    return text[:end]


def _whole(text: str, at: int) -> str:
    """Take what fits of a word that is too long."""
    while at > 0 and not _is_whole(text, at):
        at -= 1
    return text[:at]


def _without_dangling(text: str, *, at_clause: bool) -> str:
    """Take the text without the marks and words at its end that lead on to what is cut.

    Unless a clause ends there, those are figures too («12» of «12 billion») and abbreviations.
    """
    words, dangling = text.split(), frozenset(_DANGLING.split())
    while words:
        word = words[-1] = words[-1].rstrip(",;:–—-(“")
        leads_on = word.endswith(".") or any(character.isdecimal() for character in word)
        if word and word.lower() not in dangling and (at_clause or not leads_on):
            break
        words.pop()
    return " ".join(words)

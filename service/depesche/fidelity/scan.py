"""A text cut into tokens, with the questions that the readers of figures ask of it."""

from bisect import bisect_left

from depesche.fidelity.lexicon import Term, Token, lex
from depesche.fidelity.numerals import fold
from depesche.types import Language, Span

__all__ = ["Scan"]


class Scan:
    """A text cut into tokens.

    Attributes:
        text: the text as given.
        folded: the same in lower case with ASCII digits; as long as `text`.
        language: its language.
        tokens: its tokens in order.
    """

    def __init__(self, text: str, language: Language) -> None:
        self.text = text
        self.folded = fold(text)
        self.language = language
        self.tokens = list(lex(text, language))
        self._starts = [token.start for token in self.tokens]

    def index(self, offset: int) -> int:
        """Find the first token that begins at `offset` or later."""
        return bisect_left(self._starts, offset)

    def span(self, at: int, end: int) -> Span:
        """Tell where the tokens from `at` up to `end` stand."""
        return Span(self.tokens[at].start, self.tokens[end - 1].end)

    def holds(self, at: int, *terms: Term) -> bool:
        """Tell whether a token stands at `at` and is one of `terms`."""
        return 0 <= at < len(self.tokens) and self.tokens[at].term in terms

    def reads(self, at: int, *texts: str) -> bool:
        """Tell whether a token stands at `at` and its folded text is one of `texts`."""
        return 0 <= at < len(self.tokens) and self.tokens[at].text in texts

    def touches(self, at: int) -> bool:
        """Tell whether nothing stands between the token at `at` and the one before it."""
        return 0 < at < len(self.tokens) and self.tokens[at - 1].end == self.tokens[at].start

    def token(self, at: int) -> Token | None:
        """Give the token at `at`, if there is one."""
        return self.tokens[at] if 0 <= at < len(self.tokens) else None

    def number(self, at: int, low: int, high: int) -> int | None:
        """Read the plain whole number or ordinal at `at` if it is from `low` to `high`."""
        if not self.holds(at, Term.NUMERAL, Term.ORDINAL):
            return None
        token = self.tokens[at]
        digits = str(token.value) if token.term is Term.ORDINAL else token.text
        if len(digits) > len(str(high)) or not digits.isdecimal():
            return None
        return int(digits) if low <= int(digits) <= high else None

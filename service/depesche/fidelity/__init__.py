"""What the English of a sentence lost, changed or made up: figures, names, quotations, shape."""

from collections.abc import Iterable, Sequence

from depesche.fidelity.abridged import check_abridged
from depesche.fidelity.figures import check_figures
from depesche.fidelity.names import check_names
from depesche.fidelity.quotations import check_quotations
from depesche.fidelity.repetition import check_repetition
from depesche.fidelity.shape import LEAST_SCORE, check_shape, is_empty
from depesche.fidelity.terms import check_terms, without_terms
from depesche.fidelity.untranslated import check_untranslated
from depesche.text.terms import Terms
from depesche.types import Finding, FindingKind, GlossaryTerm, Language

__all__ = ["LEAST_SCORE", "WEIGHTS", "check", "check_edited", "weigh"]

# How bad each finding is, for choosing the better of two translations: what makes a sentence
# unusable outweighs a few wrong facts, a wrong fact outweighs doubts about the wording.
WEIGHTS = {
    FindingKind.EMPTY: 20.0,
    FindingKind.TRUNCATED: 10.0,
    FindingKind.REPETITION: 10.0,
    FindingKind.NUMBER_MISSING: 3.0,
    FindingKind.NUMBER_INVENTED: 3.0,
    FindingKind.DATE_MISSING: 3.0,
    FindingKind.DATE_INVENTED: 3.0,
    FindingKind.PERCENTAGE_MISSING: 3.0,
    FindingKind.PERCENTAGE_INVENTED: 3.0,
    FindingKind.AMOUNT_MISSING: 3.0,
    FindingKind.AMOUNT_INVENTED: 3.0,
    FindingKind.QUOTATION_MISSING: 3.0,
    FindingKind.QUOTATION_INVENTED: 3.0,
    FindingKind.TERM_MISSING: 3.0,
    FindingKind.NAME_MISSING: 2.0,
    FindingKind.NAME_INVENTED: 2.0,
    FindingKind.UNTRANSLATED: 2.0,
    FindingKind.LENGTH: 1.5,
    FindingKind.LOW_SCORE: 0.5,
}

_LEFT_OUT = frozenset(
    {
        FindingKind.NUMBER_MISSING,
        FindingKind.DATE_MISSING,
        FindingKind.PERCENTAGE_MISSING,
        FindingKind.AMOUNT_MISSING,
        FindingKind.QUOTATION_MISSING,
        FindingKind.NAME_MISSING,
        FindingKind.LENGTH,
    }
)


def check(
    source: str,
    target: str,
    language: Language,
    score: float | None = None,
    *,
    least_score: float = LEAST_SCORE,
    truncated: bool = False,
) -> tuple[Finding, ...]:
    """Compare a sentence with its English.

    Args:
        source: the sentence, normalised.
        target: its English.
        language: the language of `source`; German, Khmer or Russian.
        score: mean log-probability per token of `target`, or None where nothing was decoded.
        least_score: what it must be, or the sentence is doubtful; below 0.
        truncated: whether the decoder stopped at its limit instead of the sentence's end.

    Returns:
        What is wrong: facts first, then form. Only EMPTY if there is no English at all.
    """
    if is_empty(target):
        message = "There is no English for this sentence"
        return () if is_empty(source) else (Finding(FindingKind.EMPTY, message),)
    return (
        *check_figures(source, target, language),
        *check_names(source, target, language),
        *check_quotations(source, target, language),
        *check_untranslated(source, target, language),
        *check_repetition(source, target),
        *check_shape(source, target, language, score, least_score=least_score, truncated=truncated),
    )


def check_edited(
    text: str,
    sources: Sequence[str],
    language: Language,
    *,
    abridged: bool = False,
    glossary: Sequence[GlossaryTerm] = (),
) -> tuple[Finding, ...]:
    """Check English that a person wrote against all the sentences that it rests on.

    Args:
        text: the English.
        sources: the sentences, normalised, in document order.
        language: theirs; English ones are compared as a summary's, which may leave things out.
        abridged: whether the text may leave things out whatever the language, as a headline does.
        glossary: terms whose English was fixed; English sources have it in them.

    Returns:
        What is wrong; source spans point into the sources joined by one space each.
    """
    source = " ".join(sources)
    if language is Language.ENGLISH:
        return check_abridged(source, text)
    places = Terms(glossary, language).find(source)
    found = without_terms(check(source, text, language), text, places)
    if abridged:
        return tuple(finding for finding in found if finding.kind not in _LEFT_OUT)
    return (*found, *check_terms(source, text, places))


def weigh(findings: Iterable[Finding]) -> float:
    """Sum up how bad `findings` are, by `WEIGHTS`; 0 if there are none."""
    return sum(WEIGHTS[finding.kind] for finding in findings)

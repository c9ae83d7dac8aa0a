"""Mending what can be mended without decoding: what was left in the source language's way."""

import re
from collections.abc import Iterable

from depesche.fidelity.numerals import fold
from depesche.types import Finding, FindingKind, Language

__all__ = ["mend", "mend_numerals"]

_NUMERAL = re.compile(r"(?<![\w.,])\d{1,3}(?:(?:[. ]\d{3})+(?:,\d+)?|,\d{1,2})(?![\w.,]?\d)")
_TO_ENGLISH = str.maketrans(". ,", ",,.")


def mend(target: str, findings: Iterable[Finding]) -> str:
    """Put the glossary's English in the place of abbreviations that were left as they are.

    The glossary's first form stands for the abbreviation wherever it is a word of its own or the
    first part of a compound: "IKT" and "IKT-security" become "ICT" and "ICT-security".

    Args:
        target: the English.
        findings: what the checks found wrong with it.
    """
    for finding in findings:
        if finding.kind is FindingKind.NAME_MISSING and finding.found and finding.expected:
            word = re.compile(rf"(?<![\w-]){re.escape(finding.found)}(?!\w)")
            target = word.sub(finding.expected.replace("\\", r"\\"), target)
    return target


def mend_numerals(target: str, source: str, language: Language) -> str:
    """Write numerals the English way that were copied in the source language's notation.

    "12.000", "4 200" and "3,5" become "12,000", "4,200" and "3.5" where the source holds the very
    same numeral; what the model wrote by itself is left to the checks.

    Args:
        target: the English.
        source: the sentence that it translates.
        language: the language of `source`.
    """
    if language is Language.ENGLISH:
        return target
    written = {match[0] for match in _NUMERAL.finditer(fold(source))}
    return _NUMERAL.sub(
        lambda match: match[0].translate(_TO_ENGLISH) if match[0] in written else match[0], target
    )

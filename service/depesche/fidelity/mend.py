"""Mending what can be mended without decoding: abbreviations left in the source's language."""

import re
from collections.abc import Iterable

from depesche.types import Finding, FindingKind

__all__ = ["mend"]


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

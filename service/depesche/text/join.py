"""Joining the English of a sentence's parts, each of which the model took for a whole sentence."""

import re
from collections.abc import Sequence

__all__ = ["finish", "join_parts"]

# Words that begin with a capital only because a sentence does.
_COMMON = re.compile(
    r"(?:A|According|After|Also|An|And|As|At|Before|Between|But|By|During|For|From|He|Her|His|How"
    r"|If|In|Including|Is|It|Its|Of|On|Or|Our|She|So|That|The|Their|There|These|They|This|Those"
    r"|To|Under|Was|We|Were|What|When|Where|Which|While|Who|With|You)\b"
)
_ENDS = tuple(".!?…:;”\"'’)")
_TERMINAL = re.compile(r"[.!?…។៕៚][»”“\"’')\]]*\s*\Z")


def join_parts(parts: Sequence[str]) -> str:
    """Join the parts of a sentence.

    A part that goes on from one without a final mark begins in lower case, unless its first word
    is a name; a full stop before a part in lower case becomes a comma.

    Args:
        parts: the English of each part, in order; empty ones are left out.
    """
    joined = ""
    for part in parts:
        text = part.strip()
        if not joined or not text:
            joined += text
        elif joined.endswith(".") and text[0].islower():
            joined = f"{joined[:-1]}, {text}"
        elif joined.endswith(_ENDS) or not _COMMON.match(text):
            joined += " " + text
        else:
            joined += f" {text[0].lower()}{text[1:]}"
    return joined


def finish(target: str, source: str) -> str:
    """End the English with a full stop where the source has a final mark and it has none."""
    if target and target[-1].isalnum() and _TERMINAL.search(source):
        return target + "."
    return target

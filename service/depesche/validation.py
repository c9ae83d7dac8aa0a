"""The limits on a request, checked before any work is done on it.

Field names are the paths of the request messages in proto/depesche/v1.
"""

from depesche.config import Settings
from depesche.errors import InvalidRequest, Violation
from depesche.types import BriefOptions, ContentFormat, Release

__all__ = ["check_options", "check_release"]


def check_release(release: Release, settings: Settings) -> None:
    """Refuse a release that is empty, over a limit, or has a title beside lines.

    A title would be a block of its own and shift the numbers of the lines.

    Raises:
        InvalidRequest: names every field that breaks a rule, and the rule.
    """
    violations = [
        *_length("release.text", release.text, settings.max_text_characters),
        *_length("release.title", release.title, settings.max_title_characters),
    ]
    if not release.text.strip():
        violations.append(Violation("release.text", "must hold more than white space"))
    if release.title and release.content_format is ContentFormat.LINES:
        violations.append(Violation("release.title", "can't be given with lines"))
    _refuse(violations)


def check_options(options: BriefOptions, settings: Settings) -> None:
    """Refuse options out of their range.

    Raises:
        InvalidRequest: names the option and its range.
    """
    if not 1 <= options.sentence_count <= settings.max_key_sentences:
        rule = f"must be from 1 to {settings.max_key_sentences}, not {options.sentence_count}"
        _refuse([Violation("options.sentence_count", rule)])


def _length(field: str, text: str, limit: int) -> list[Violation]:
    if len(text) <= limit:
        return []
    return [Violation(field, f"has {len(text)} characters; the limit is {limit}")]


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise InvalidRequest(violations)

import pytest

from depesche.config import Settings
from depesche.errors import InvalidRequest
from depesche.types import BriefOptions, ContentFormat, GlossaryTerm, Release
from depesche.validation import check_glossary, check_options, check_release

SETTINGS = Settings(max_text_characters=10, max_title_characters=5, max_key_sentences=4)


@pytest.mark.parametrize(
    ("release", "fields"),
    [
        (Release("ten chars."), []),
        (Release("eleven char"), ["release.text"]),
        (Release("text", title="title!"), ["release.title"]),
        (Release("eleven char", title="title!"), ["release.text", "release.title"]),
        (Release(""), ["release.text"]),
        (Release(" \n\t\u00a0\u3000"), ["release.text"]),
        (Release("text", ContentFormat.LINES), []),
        (Release("text", ContentFormat.LINES, "title"), ["release.title"]),
    ],
)
def test_names_every_field_over_its_limit(release: Release, fields: list[str]) -> None:
    """All violations come at once, and a release within its limits has none."""
    found: list[str] = []
    try:
        check_release(release, SETTINGS)
    except InvalidRequest as error:
        found = [violation.field for violation in error.violations]

    assert found == fields


def test_says_the_limit_and_not_the_text() -> None:
    """The message helps the caller and never repeats the release."""
    with pytest.raises(InvalidRequest) as refused:
        check_release(Release("secret words"), SETTINGS)

    assert str(refused.value) == "release.text: has 12 characters; the limit is 10"


@pytest.mark.parametrize("count", [-1, 0, 5, 2**31 - 1])
def test_refuses_sentence_counts_out_of_range(count: int) -> None:
    """A count must lie in the range that the message states."""
    with pytest.raises(InvalidRequest, match=r"options\.sentence_count: must be from 1 to 4"):
        check_options(BriefOptions(sentence_count=count), SETTINGS)


@pytest.mark.parametrize("count", [1, 4])
def test_accepts_sentence_counts_in_range(count: int) -> None:
    """Both ends of the range are in it."""
    check_options(BriefOptions(sentence_count=count), SETTINGS)


TERMS = Settings(max_glossary_terms=30, max_term_characters=5)


@pytest.mark.parametrize(
    ("terms", "violations"),
    [
        ([GlossaryTerm("five.", "five!"), GlossaryTerm("b")], {}),
        ([GlossaryTerm("sixsix")], {"[0].source": "has 6 characters; the limit is 5"}),
        ([GlossaryTerm("a", "sixsix")], {"[0].target": "has 6 characters; the limit is 5"}),
        (
            [GlossaryTerm("", "a"), GlossaryTerm("-", ".")],
            {
                "[0].source": "must hold a letter or digit",
                "[1].source": "must hold a letter or digit",
                "[1].target": "must hold a letter or digit, or be empty",
            },
        ),
        (
            [GlossaryTerm("a\u0308  b"), GlossaryTerm("c"), GlossaryTerm(" ä b", "d")],
            {"[2].source": "is the same as options.glossary[0].source"},
        ),
        ([GlossaryTerm("Tag"), GlossaryTerm("tag")], {}),
        ([GlossaryTerm(f"w{i}") for i in range(31)], {"": "holds 31 terms; the limit is 30"}),
    ],
)
def test_glossaries_have_limits(terms: list[GlossaryTerm], violations: dict[str, str]) -> None:
    """Each term that breaks a rule is named by its place and never repeated."""
    found: dict[str, str] = {}
    try:
        check_glossary(terms, TERMS)
    except InvalidRequest as error:
        found = {v.field: v.description for v in error.violations}

    assert found == {f"options.glossary{field}": rule for field, rule in violations.items()}


def test_an_error_names_twenty_terms_at_most() -> None:
    """However many are wrong, the error stays small; a brief's options are checked alike."""
    options = BriefOptions(glossary=(GlossaryTerm("-"),) * 30)

    with pytest.raises(InvalidRequest) as refused:
        check_options(options, TERMS)

    assert len(refused.value.violations) == 20

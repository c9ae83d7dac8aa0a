import pytest

from depesche.text.join import finish, join_parts


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], ""),
        (["One part."], "One part."),
        (["The chairman", "And the secretary spoke."], "The chairman and the secretary spoke."),
        (["They said that", "The rules apply."], "They said that the rules apply."),
        (["It was held.", "The heads agreed."], "It was held. The heads agreed."),
        (["It cost more.", "also in Bonn."], "It cost more, also in Bonn."),
        (["He met", "Angela Merkel."], "He met Angela Merkel."),
        (["He met", "Theo Waigel."], "He met Theo Waigel."),
        (["Before", "", "after."], "Before after."),
        (["He said:", "The day is long."], "He said: The day is long."),
    ],
)
def test_parts_read_as_one_sentence(parts: list[str], expected: str) -> None:
    """Capitals and stops that only the cutting brought go; names and real ends stay."""
    assert join_parts(parts) == expected


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        ("It starts in 2026", "Он начнётся в 2026 г.", "It starts in 2026."),
        ("It starts", "Es beginnt", "It starts"),
        ("It starts.", "Es beginnt.", "It starts."),
        ("“It starts”", "«Es beginnt.»", "“It starts”"),
        ("It starts", "«Es beginnt.»", "It starts."),
        ("It starts", "វាចាប់ផ្តើម។", "It starts."),
        ("", "Es beginnt.", ""),
    ],
)
def test_a_whole_sentence_ends_with_a_stop(target: str, source: str, expected: str) -> None:
    """The English ends as the source does, and a heading stays without a stop."""
    assert finish(target, source) == expected

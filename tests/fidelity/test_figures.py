import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.fidelity.figures import check_figures
from depesche.types import Finding, FindingKind, Language, Span

WORDS = [
    *("12", "1.234", "1,5", "24.11.2021", "00", "0", "9:30", "1/3", "1/0", "2½", "XX", "I", "2021"),
    *("-", "–", ".", ",", ":", "$", "€", "%", "per cent", "COVID-19", "9" * 18, "1e9", "a", "and"),
    *("twenty", "hundred", "thousand", "million", "half", "third", "May", "Monday", "p.m.", "noon"),
    *("zwei", "hundert", "Mio.", "Uhr", "Euro", "пять", "тысяч", "млрд", "ноября", "среду", "века"),
    *("ខែមេសា", "ម៉ោង", "លាន", "ប្រាំ", "១២", "រៀល"),
]


def test_a_changed_number_is_two_findings_with_their_places() -> None:
    """A changed figure is missing in the source's place and invented in the English's."""
    findings = check_figures("Прибыль 12 млрд.", "A profit of 21 billion.", Language.RUSSIAN)
    assert findings == [
        Finding(
            FindingKind.NUMBER_MISSING,
            '"12 млрд" (12 billion) is missing from the English',
            expected="12 billion",
            source_span=Span(8, 15),
        ),
        Finding(
            FindingKind.NUMBER_INVENTED,
            '"21 billion" has no counterpart in the source',
            found="21 billion",
            target_span=Span(12, 22),
        ),
    ]


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("12 Mrd.", Language.GERMAN, "12 billion"),
        ("1.250 Gäste", Language.GERMAN, "1,250"),
        ("1,250 Gäste", Language.ENGLISH, "1,250"),
        ("3,250 t", Language.RUSSIAN, "3.25"),
        ("3,5 Prozent", Language.GERMAN, "3.5 %"),
        ("1,2 Mio. Euro", Language.GERMAN, "€1.2 million"),
        ("500 рублей", Language.RUSSIAN, "500 roubles"),
        ("៣០ម៉ឺនរៀល", Language.KHMER, "300,000 riel"),
        ("24 ноября 2021 г.", Language.RUSSIAN, "24 November 2021"),
        ("ថ្ងៃទី២៤ ខែវិច្ឆិកា", Language.KHMER, "24 November"),
        ("im Mai 1999", Language.GERMAN, "May 1999"),
        ("am Montagabend", Language.GERMAN, "Monday"),
        ("seit 2021", Language.GERMAN, "2021"),
        ("in den 1990er Jahren", Language.GERMAN, "1990s"),
        ("um 10.30 Uhr", Language.GERMAN, "10:30"),
        ("um 11 Uhr 20", Language.GERMAN, "11:20"),
        ("в 10 часов вечера", Language.RUSSIAN, "22:00"),
        ("XXI век", Language.RUSSIAN, "21"),
        ("einundzwanzig Gäste", Language.GERMAN, "21"),
        ("2½ Stunden", Language.GERMAN, "2.5"),
    ],
)
def test_what_is_missing_is_said_in_english(source: str, language: Language, expected: str) -> None:
    """The finding tells the editor what the English should hold, in English."""
    (finding,) = check_figures(source, "Nothing at all.", language)
    assert finding.expected == expected


def test_a_message_says_a_figure_once_that_reads_the_same_in_english() -> None:
    """Digits that English writes the same way aren't repeated in brackets."""
    (finding,) = check_figures("seit 2021", "for years", Language.GERMAN)
    assert finding.message == '"2021" is missing from the English'


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "unit", ["1", " ", "1 ", "24.11.", "zwei", "5 million ", "៣០ម៉ឺន", "мая ", "1 234 ", "a", "$"]
)
def test_long_texts_take_seconds(unit: str, language: Language) -> None:
    """Time grows with the length only, whatever the text repeats."""
    text = unit * (20_000 // len(unit))
    start = time.perf_counter()
    check_figures(text, text, language)
    assert time.perf_counter() - start < 15


def test_digits_beyond_any_value_are_compared_as_text() -> None:
    """A digit string too long to be a value agrees with itself and with no other."""
    number = "4" * 60
    assert check_figures(f"Nr. {number}", f"No. {number}", Language.GERMAN) == []
    assert len(check_figures(f"Nr. {number}", f"No. {number[1:]}", Language.GERMAN)) == 2


@given(st.lists(st.sampled_from(WORDS), max_size=8), st.sampled_from(["", " "]))
@settings(deadline=None, max_examples=100)
def test_english_agrees_with_itself(words: list[str], joint: str) -> None:
    """Any text checked against itself has no finding."""
    text = joint.join(words)
    assert check_figures(text, text, Language.ENGLISH) == []


@given(st.lists(st.sampled_from(WORDS), max_size=8), st.sampled_from(list(Language)))
@settings(deadline=None, max_examples=100)
def test_spans_stand_in_their_texts(words: list[str], language: Language) -> None:
    """Whatever is found has a place that isn't empty and lies within its text."""
    text = " ".join(words)
    for finding in check_figures(text, "", language) + check_figures("", text, language):
        span = finding.source_span or finding.target_span
        assert span is not None
        assert 0 <= span.start < span.end <= len(text)


def test_a_table_of_figures_is_not_listed_whole() -> None:
    """Of thousands of missing figures the first hundred are told."""
    source = " ".join(f"{number} t" for number in range(5000, 7000))

    findings = check_figures(source, "Tonnes.", Language.GERMAN)

    assert len(findings) == 100
    assert findings[0].expected == "5,000"


def test_order_is_that_of_the_text() -> None:
    """Findings follow the source, whatever the numbers."""
    source = "Es kamen 40, 13, 99, 21 und am Montag 35 Gäste."
    findings = check_figures(source, "Guests came.", Language.GERMAN)
    assert [finding.expected for finding in findings] == ["40", "13", "99", "21", "Monday", "35"]

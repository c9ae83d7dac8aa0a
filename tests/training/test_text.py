import pytest

from models.training.text import (
    Pair,
    clean_source,
    clean_target,
    fault,
    folded,
    numbers,
)

GERMAN = "Die Ministerin sprach am Montag mit Vertretern der Gewerkschaften über die Löhne."
ENGLISH = "The minister spoke with representatives of the trade unions about wages on Monday."


def pair(source: str, target: str, language: str = "de") -> Pair:
    return Pair(source, target, language, "news")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  zwei \t Wörter\n", "zwei Wörter"),
        ("Wachs\u00adtube", "Wachstube"),
        ("\ufeffAnfang\u200e", "Anfang"),
        ("u\u0308ber", "über"),
        ("50\u00a0Euro", "50 Euro"),
        ("eine\u2028Zeile", "eine Zeile"),
    ],
)
def test_cleaning_removes_what_cannot_be_seen(text: str, cleaned: str) -> None:
    """Invisible marks go, white space becomes single spaces, letters are composed."""
    assert clean_source(text, "de") == cleaned


def test_zero_width_spaces_leave_khmer() -> None:
    """Khmer text comes without U+200B, in training as in the service."""
    assert clean_source("រដ្ឋ\u200bសភា", "km") == "រដ្ឋសភា"


def test_khmer_syllables_have_the_services_order() -> None:
    """A vowel typed before a subscript stands after it, as in what the service translates."""
    assert clean_source("ខ\u17b6\u17d2ម", "km") == "ខ\u17d2ម\u17b6"


def test_words_of_khmer_are_joined_again() -> None:
    """A corpus that puts a space between all words looks like real text afterwards."""
    assert clean_source("គាត់ ទៅ ផ្សារ ថ្ងៃ នេះ", "km") == "គាត់ទៅផ្សារថ្ងៃនេះ"


def test_spaces_between_khmer_phrases_stay() -> None:
    """Real Khmer text keeps its few spaces."""
    text = "រដ្ឋាភិបាលកម្ពុជាបានប្រកាសថា នឹងសាងសង់ផ្លូវថ្មី"
    assert clean_source(text, "km") == text


def test_english_has_straight_quotation_marks() -> None:
    """There is one style of quotation marks and apostrophes to learn."""
    assert clean_target("“It’s done”, he said.") == '"It\'s done", he said.'


def test_folding_ignores_case_and_punctuation() -> None:
    """Sentences that differ only in case, punctuation and spacing are the same."""
    assert folded("„Ja!“, rief  ER.") == folded('"ja", rief er')


@pytest.mark.parametrize(
    ("source", "target", "language", "reason"),
    [
        (GERMAN, ENGLISH, "de", None),
        ("—", "…", "de", "empty"),
        (GERMAN, "", "de", "empty"),
        ("Ja.", ENGLISH, "de", "length"),
        (ENGLISH, ENGLISH.upper(), "ru", "script"),
        (GERMAN, "Министр говорила в понедельник о зарплатах с профсоюзами.", "de", "script"),
        (ENGLISH, ENGLISH, "de", "copied"),
        (ENGLISH + " Ja.", ENGLISH, "de", "copied"),
        ("Berlin", "Berlin", "de", None),
        ("Im Jahr 1998 war das.", "That was in 1989.", "de", "numbers"),
        ("Im Jahr 1998 war das.", "That was long ago.", "de", None),
        ("Es war 15 Uhr an jenem Tag.", "It was 3 p.m. on that day.", "de", None),
        ("Es sind 1.234.567 Euro.", "It is 1,234,567 euros.", "de", None),
        ("ក្នុងឆ្នាំ ១៩៩៨ ប៉ុណ្ណោះ", "In the year 1998 only", "km", None),
        ("ក្នុងឆ្នាំ ១៩៩៨ ប៉ុណ្ណោះ", "In the year 1889 only", "km", "numbers"),
    ],
)
def test_fault(source: str, target: str, language: str, reason: str | None) -> None:
    """Pairs that would teach something wrong are dropped with a reason, sound ones kept."""
    assert fault(pair(source, target, language)) == reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3,5 Prozent und 12 Mio.", {"35", "12"}),
        ("1 234 567 рублей", {"1234567"}),
        ("zwischen 100 200 und 99", {"100200", "99"}),
        ("១២៣", {"123"}),
        ("x²", set()),
        ("keine", set()),
    ],
)
def test_numbers(text: str, found: set[str]) -> None:
    """Numbers compare by their digits, whatever marks and digits the language writes."""
    assert numbers(text) == found

import pytest

from depesche.fidelity.untranslated import check_untranslated
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "Die Süddeutsche Zeitung berichtet.", "The Süddeutsche Zeitung reports."),
        (DE, "Ursula von der Leyen sprach.", "Ursula von der Leyen spoke."),
        (DE, "Die Alternative für Deutschland verlor.", "Alternative für Deutschland lost."),
        (DE, "Herr Müller lebt in Köln.", "Mr Müller lives in Köln."),
        (DE, "Die Konrad-Adenauer-Stiftung half.", "The Konrad-Adenauer-Stiftung helped."),
        (DE, "Das war international und digital.", "That was international and digital."),
        (DE, "Die Bundeswehr übt in Bayern.", "The Bundeswehr is training in Bavaria."),
        (DE, "Das Auto von Opel ist da.", "The car made by Opel is there."),
        (DE, "Das ist positive Software.", "That is positive software."),
        (DE, "Der Landtag tagte.", "The Landtag met."),
        (RU, "Газета «Правда» пишет.", "The newspaper Pravda writes."),
        (RU, "Рост составил 5 °C.", "The rise was 5 °C, or µ and α."),
        (KM, "អាស៊ាន", "ASEAN"),
        (KM, "លោក José មក។", "José came."),
    ],
)
def test_english_and_names_pass(language: Language, source: str, target: str) -> None:
    """Names and words that English shares may stand as they are."""
    assert check_untranslated(source, target, language) == []


@pytest.mark.parametrize(
    ("language", "source", "target", "found"),
    [
        (RU, "Он рад.", "He is рад.", ["рад"]),
        (RU, "Совет Безопасности ООН", "The Совет Безопасности of the UN", ["Совет Безопасности"]),
        (RU, "а б в г", "а x б x в x г", ["а", "б", "в"]),
        (RU, "Это важно.", "Это важно.", ["Это важно"]),
        (KM, "លោកមក។", "Mr លោក came", ["លោក"]),
        (KM, "ភាសា ខ្មែរ", "The ភាសា ខ្មែរ language", ["ភាសា ខ្មែរ"]),
        (KM, "ចប់។", "The end។", ["។"]),
        (DE, "Das ist nicht für uns.", "Das ist nicht für uns.", ["Das ist nicht für uns"]),
        (DE, "Er kam, weil das für uns nicht gut ist, und ging wieder nach Hause zurück.",
         "He came because das für uns nicht good is and then he left for home again with them.",
         ["das für uns nicht"]),
        (DE, "Die Bundesregierung tagte.", "The Bundesregierung met.", ["Bundesregierung"]),
        (DE, "die Telekommunikation", "the Telekommunikation", ["Telekommunikation"]),
        (DE, "Das ist gemütlich.", "That is gemütlich.", ["gemütlich"]),
        (DE, "die wirtschaftliche Lage", "the wirtschaftliche situation", ["wirtschaftliche"]),
        (DE, "Zweiter Absatz.", "Second Absatz.", ["Absatz"]),
        (DE, "Pressekontakt", "Pressekontakt", ["Pressekontakt"]),
        (DE, "das digitale Management", "digitale management", ["digitale"]),
        (DE, "geplant ist das", "it is geplant", ["geplant"]),
        (DE, "Sie kommen durch.", "They get durch.", ["durch"]),
        (DE, "Das Innenministerium half.", "The Innenministerium helped.", ["Innenministerium"]),
    ],
)  # fmt: skip
def test_what_was_left_is_found(
    language: Language, source: str, target: str, found: list[str]
) -> None:
    """Foreign letters and German words are reported where they stand, three runs at most."""
    findings = check_untranslated(source, target, language)
    assert {finding.kind for finding in findings} == {FindingKind.UNTRANSLATED}
    assert [finding.found for finding in findings] == found
    for finding in findings:
        assert finding.target_span is not None
        assert target[finding.target_span.start : finding.target_span.end] == finding.found


def test_source_is_pointed_at() -> None:
    """Where the source holds the same run, the finding says where."""
    (finding,) = check_untranslated("Он рад.", "He is рад.", RU)
    assert finding.source_span is not None
    assert finding.source_span.start == 3


@pytest.mark.parametrize("piece", ["das ", "рад", "рад ", "ក ", "nicht für", "Aung"])
@pytest.mark.timeout(20)
def test_long_texts_take_bounded_time(piece: str) -> None:
    """Inputs as long as a whole release allow stay cheap."""
    text = piece * (100_000 // len(piece))
    for language in (DE, RU, KM):
        check_untranslated(text, text, language)

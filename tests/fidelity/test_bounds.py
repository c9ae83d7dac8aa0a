import pytest

from depesche.fidelity.figures import check_figures
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER
DATE, NUMBER = FindingKind.DATE_INVENTED, FindingKind.NUMBER_INVENTED


@pytest.mark.parametrize(
    ("language", "source", "target", "kind"),
    [
        (DE, "Das gilt ab dem 15. Januar 2026.", "It applies until January 15, 2026.", DATE),
        (DE, "Seit 2020 gilt das.", "That applied until 2020.", DATE),
        (RU, "Правила действуют с 15 января 2026 года.", "Valid until January 15, 2026.", DATE),
        (RU, "Заявки принимаются до 15 января.", "Apply from 15 January.", DATE),
        (RU, "Выставка открыта по 15 января.", "The show is open since January 15.", DATE),
        (KM, "ចាប់ពីថ្ងៃទី១៥ ខែមករា ឆ្នាំ២០២៦", "until 15 January 2026", DATE),
        (KM, "រហូតដល់ថ្ងៃទី១៥ ខែមករា ឆ្នាំ២០២៦", "from 15 January 2026", DATE),
        (DE, "Es sind höchstens 25 Millionen.", "It is at least 25 million.", NUMBER),
        (DE, "bis zu 300 Gäste", "at least 300 guests", NUMBER),
        (DE, "höchstens 5 Euro", "at least 5 euros", FindingKind.AMOUNT_INVENTED),
        (DE, "mindestens 5 Prozent", "at most 5 percent", FindingKind.PERCENTAGE_INVENTED),
        (RU, "не менее 500 человек", "no more than 500 people", NUMBER),
        (RU, "не более 500 человек", "more than 500 people", NUMBER),
        (RU, "до 500 человек", "at least 500 people", NUMBER),
        (KM, "យ៉ាងតិច ៥០០ នាក់", "at most 500 people", NUMBER),
        (KM, "មិនលើស ៥០០ នាក់", "at least 500 people", NUMBER),
    ],
)
def test_opposite_bounds_are_found(
    language: Language, source: str, target: str, kind: FindingKind
) -> None:
    """A figure that is kept but bounds the other end is reported once."""
    (finding,) = check_figures(source, target, language)
    assert finding.kind is kind
    assert finding.source_span is not None
    assert source[finding.source_span.start : finding.source_span.end] in finding.message
    assert finding.target_span is not None
    assert target[finding.target_span.start : finding.target_span.end] == finding.found


def test_the_message_says_what_became_of_the_bound() -> None:
    """Both wordings are quoted, the source's with its English."""
    (finding,) = check_figures("ab dem 15. Januar 2026", "until January 15, 2026", DE)
    assert finding.message == (
        '"ab dem 15. Januar 2026" (from 15 January 2026) became "until January 15, 2026"'
    )
    assert finding.expected == "from 15 January 2026"


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "vom 3. bis 5. Mai 2022", "from May 3 to May 5, 2022"),
        (DE, "Das stieg um 5 auf 20 Prozent.", "It grew by 5 to 20 percent."),
        (DE, "Erst ab dem 15. Januar öffnet es.", "It will not open until January 15."),
        (DE, "Das gilt nicht bis 15. Januar.", "It applies from January 15."),
        (DE, "Das gilt ab 15. Januar.", "It applies on January 15."),
        (DE, "Tickets gibt es ab 25 Euro.", "Tickets start from 25 euros."),
        (RU, "с 3 до 5 мая", "from May 3 until 5 May"),
        (RU, "от 10 до 20 тонн", "from 10 to 20 tonnes"),
        (RU, "с 10 до 20 процентов", "from 10 to 20 percent"),
        (RU, "не более 500 человек", "not more than 500 people"),
        (RU, "По 500 человек с 10 станций", "500 people each to 10 stations"),
        (KM, "ចាប់ពីថ្ងៃទី១៥ ខែមករា", "since 15 January"),
    ],
)
def test_ranges_and_doubts_pass(language: Language, source: str, target: str) -> None:
    """Bounds that agree, ranges, negations and words that are absent raise nothing."""
    assert check_figures(source, target, language) == []

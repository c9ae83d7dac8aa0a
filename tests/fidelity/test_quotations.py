import pytest

from depesche.fidelity.quotations import check_quotations
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER
MISSING, INVENTED = FindingKind.QUOTATION_MISSING, FindingKind.QUOTATION_INVENTED


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "„Wir werden den Plan umsetzen“, sagte er.", "“We will carry out the plan,” he said."),
        (DE, "«Das ist ein guter Tag», so das Amt.", '"This is a good day," the office said.'),
        (DE, "Das Magazin „Der Spiegel“ berichtet.", "The magazine Der Spiegel reports."),
        (DE, "Er sagte, das sei gut.", "He said that was good."),
        (DE, "„Wir sind sehr froh“, sagte er.", "'We are very glad,' he said."),
        (DE, "Die „stille“ Reserve wuchs.", "The reserve grew."),
        (
            RU,
            "«Мы рады этой новой встрече», — сказал он.",
            "“We are glad to meet,” he said.",
        ),
        (RU, "Компания «Газпром» заявила это.", "Gazprom said this."),
        (RU, "ООО «Северный ветер» открылось.", "Severny Veter has opened."),
        (RU, "Он сказал, что рад.", "He said that he was glad."),
        (
            RU,
            "«Да, — ответил он, — мы готовы к этому».",
            "“Yes,” he replied, “we are ready for it.”",
        ),
        (RU, "Фильм «Брат» вышел.", "The film “Brother” came out."),
        (KM, "លោកបាននិយាយថា «យើងនឹងអនុវត្តផែនការនេះ»។", "He said: “We will carry out this plan.”"),
        (KM, "លោកបាននិយាយថា យើងរីករាយ។", "He said that we are glad."),
        (KM, "ខ្សែភាពយន្ត «បង» បានចេញ។", "The film Bong came out."),
    ],
)
def test_kept_quotations_pass(language: Language, source: str, target: str) -> None:
    """Quotations that are still quoted, and short ones whatever becomes of them, are no finding."""
    assert check_quotations(source, target, language) == []


@pytest.mark.parametrize(
    ("language", "source", "target", "kind"),
    [
        (DE, "„Wir werden den Plan umsetzen“, sagte er.", "We will do it, he said.", MISSING),
        (DE, "Er sagte: «Das ist ein guter Tag».", "He said this was a good day.", MISSING),
        (DE, "Er sagte, das sei gut.", "He said: “That is very good indeed.”", INVENTED),
        (DE, "„Wir haben sehr viel gearbeitet und ruhen nun“, sagte er.",
         "We worked “hard” and now we have a rest after a long time, he said.", MISSING),
        (RU, "«Мы рады этой новой встрече», — сказал он.", "He said they were glad.", MISSING),
        (RU, "По его словам, «это очень важный шаг».", "It was a step, he said.", MISSING),
        (RU, "Он сказал, что рад.", "He said: “I am very glad today.”", INVENTED),
        (KM, "លោកបាននិយាយថា «យើងនឹងអនុវត្តផែនការនេះ»។", "He said they would do it.", MISSING),
        (KM, "លោកបាននិយាយថា យើងរីករាយ។", "He said: “We are very glad today.”", INVENTED),
    ],
)  # fmt: skip
def test_changed_quotations_are_found(
    language: Language, source: str, target: str, kind: FindingKind
) -> None:
    """A quotation that lost its marks, shrank or came from nowhere is reported."""
    findings = check_quotations(source, target, language)
    assert [finding.kind for finding in findings] == [kind]


def test_spans_cover_the_quoted_words() -> None:
    """Each finding points at the words between the marks."""
    source, target = "Er sagte: „Das ist ein guter Tag.“", "He said: “That is very good indeed.”"
    (missing,) = check_quotations(source, "He said so.", DE)
    (invented,) = check_quotations("Er sagte es.", target, DE)
    assert missing.source_span is not None
    assert invented.target_span is not None
    quoted = source[missing.source_span.start : missing.source_span.end]
    assert quoted == "Das ist ein guter Tag."
    assert missing.expected == "“Das ist ein guter Tag.”"
    assert invented.found == "That is very good indeed."
    assert target[invented.target_span.start : invented.target_span.end] == invented.found

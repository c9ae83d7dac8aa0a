import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.fidelity.names import check_names
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER
MISSING, INVENTED = FindingKind.NAME_MISSING, FindingKind.NAME_INVENTED

FAITHFUL = [
    (DE, "Die IKT-Sicherheit ist ein Thema der ASEAN.", "ICT security is an ASEAN topic."),
    (DE, "Das BIP stieg um 2 Prozent.", "Gross domestic product rose by 2 percent."),
    (DE, "Die USA und die EU reagierten.", "The U.S. and the European Union reacted."),
    (DE, "Die KMR ist ein Verfahren.", "Nuclear magnetic resonance (NMR) is a method."),
    (DE, "Das kostete 3 Millionen US-Dollar.", "It cost $3 million."),
    (DE, "Die Lehrer*innen und SchülerInnen streikten.", "Teachers and pupils went on strike."),
    (DE, "Der Vizeminister O.V. Siromolotow sprach.", "Deputy minister O. V. Syromolotov spoke."),
    (DE, "Außenminister Sergej Lawrow reiste ab.", "Foreign minister Sergey Lavrov left."),
    (
        DE,
        "Gorbatschow und Präsident Selenskyj trafen sich.",
        "Gorbachev and President Zelensky met.",
    ),
    (
        DE,
        "Dr. Sok Puthivutha und Prof. Dr. Anna Müller kamen.",
        "Sok Puthivutha and Anna Mueller came.",
    ),
    (DE, "z. B. Potsdam und d. h. Bonn", "for example the capital, that is, the city"),
    (DE, "Das sagte der Präsident Ende November.", "The president said so late in November."),
    (DE, "Der Minister Anfang Mai: Wir handeln.", "The minister in early May: we act."),
    (DE, "DAS MINISTERIUM TEILT MIT", "THE MINISTRY ANNOUNCES"),
    (DE, "Die Niederlage war deutlich.", "The defeat was clear."),
    (DE, "Französische und russische Experten tagten.", "French and Russian experts met."),
    (DE, "Covid-19 breitete sich im 19. Jahrhundert nicht aus.", "COVID-19 did not spread then."),
    (DE, "Die Covid-19-Lage ist ernst.", "The Covid-19 situation is serious."),
    (RU, "США и НАТО не ответили.", "The United States and NATO did not answer."),
    (RU, "МИД России сообщил об этом.", "Russia's Ministry of Foreign Affairs said so."),
    (RU, "Об этом в МИДе рассказали ТАССу.", "The Foreign Ministry told TASS about it."),
    (RU, "ВОЗ и ЮНЕСКО поддержали план.", "The World Health Organization and UNESCO backed it."),
    (RU, "Замминистра О.В. Сыромолотов выступил.", "Deputy minister O. V. Syromolotov spoke."),
    (RU, "Встреча с Сергеем Лавровым состоялась.", "The meeting with Sergei Lavrov took place."),
    (RU, "Мария Захарова ответила прессе.", "Maria Zakharova answered the press."),
    (RU, "Дж. Байден позвонил Г. Шрёдеру.", "J. Biden called G. Schröder."),
    (RU, "Соединенных Штатов это не касается.", "This does not concern the United States."),
    (RU, "Компания Microsoft открыла офис.", "Microsoft's office has opened."),
    (RU, "В XXI веке важен Wi-Fi.", "In the 21st century, wifi matters."),
    (RU, "ГИБДД закрыла дорогу.", "Traffic police closed the road."),
    (RU, "Цена выросла до 20 долларов США.", "The price rose to 20 dollars."),
    (RU, "Бюджет составит 12 млн долл. США.", "The budget will be 12 million dollars."),
    (RU, "Игрок «ПСЖ» ушёл.", "The PSG player left."),
    (KM, "រដ្ឋមន្ត្រីអាស៊ានជួបគ្នា។", "The ASEAN ministers met."),
    (KM, "លោក Sok Puthivutha បានអញ្ជើញមក។", "Mr Sok Puthivutha came."),
    (KM, "ក្រុមហ៊ុន Microsoft និង Apple", "Microsoft and Apple"),
    (KM, "ប្រទេសកម្ពុជាគាំទ្រ។", "The Cambodian side supports it."),
    (KM, "ចម្ងាយ 5 km និង 3 kg", "a distance of five kilometres and three kilos"),
    (KM, "អង្គការសហប្រជាជាតិបានប្រកាស។", "The United Nations announced it."),
    (KM, "ជំងឺ COVID-19 រីករាលដាល។", "Covid-19 is spreading."),
    (
        KM,
        "លោកបាននិយាយថា FBI ស៊ើបអង្កេត។",
        "He said the Federal Bureau of Investigation looks into it.",
    ),
    (KM, "រដ្ឋមន្ត្រីបានថ្លែង។", "The minister of the MPTC spoke."),
    (DE, "Die Regierung in Kroatien half.", "Croatian authorities helped."),
    (KM, "ប្រទេសក្រូអាត (Croatia) ឈ្នះ។", "The Croatian team won."),
    (DE, "Die Entscheidung fiel in Rom und Prag.", "The decision was made in Rome and Prague."),
    (DE, "Pragmatische Romane aus Südafrika", "Pragmatic novels from South Africa"),
    (DE, "Die Kenianerin siegte in Nordirland.", "The woman from Kenya won in Northern Ireland."),
    (RU, "Переговоры между Индией и Арменией", "Talks between India and Armenia"),
    (RU, "В Ханое и Пхеньяне", "In Hanoi and Pyongyang"),
    (RU, "Власти ФРГ ответили.", "The government of Germany answered."),
    (RU, "Он живёт в Санта-Фе.", "He lives in New Mexico."),
]


@pytest.mark.parametrize(("language", "source", "target"), FAITHFUL)
def test_faithful_translations_pass(language: Language, source: str, target: str) -> None:
    """Names in any lawful spelling or form are accepted, and what is no name isn't asked for."""
    assert check_names(source, target, language) == []


UNFAITHFUL = [
    (DE, "Die IKT ist wichtig.", "IKT is important.", MISSING, "ICT", "IKT"),
    (DE, "Es geht um IKT.", "It is about IT.", MISSING, "ICT", ""),
    (DE, "Das BIP wuchs.", "The BIP grew.", MISSING, "GDP", "BIP"),
    (DE, "Die NATO tagte.", "The alliance of the EU met.", MISSING, "NATO", ""),
    (
        DE,
        "Der Vizeminister O.V. Siromolotow sprach.",
        "The minister spoke.",
        MISSING,
        "Siromolotow",
        "",
    ),
    (DE, "Dr. Sok Puthivutha kam.", "Dr. Sok Putivara came.", MISSING, "Puthivutha", ""),
    (DE, "Kanzler Olaf Scholz sprach.", "Chancellor Olaf Schulz spoke.", MISSING, "Scholz", ""),
    (DE, "Das iPhone verkauft sich gut.", "The phone sells well.", MISSING, "iPhone", ""),
    (DE, "Nach der G20 kam er.", "He came after the G7.", MISSING, "G20", ""),
    (DE, "Kambodschas Minister kam.", "The minister of Thailand came.", MISSING, "Cambodia", ""),
    (DE, "Der Sprecher kam.", "Spokesman J. Smith came.", INVENTED, "", "J. Smith"),
    (DE, "Das Amt tagte.", "The QXZ met.", INVENTED, "", "QXZ"),
    (RU, "США ответили.", "Britain answered.", MISSING, "US", ""),
    (RU, "ВВП вырос.", "The VVP grew.", MISSING, "GDP", "VVP"),
    (RU, "АСЕАН поддержала план.", "APEC backed the plan.", MISSING, "ASEAN", ""),
    (RU, "О.В. Сыромолотов выступил.", "He spoke.", MISSING, "Syromolotov", ""),
    (RU, "Это сказал Сергей Лавров вчера.", "Sergei Ivanov said it.", MISSING, "Lavrov", ""),
    (RU, "Сыромолотов О. В. выступил.", "Smirnov spoke.", MISSING, "Syromolotov", ""),
    (
        RU,
        "Компания Microsoft открыла офис.",
        "Microsft opened an office.",
        MISSING,
        "Microsoft",
        "",
    ),
    (
        RU,
        "Таиланд и Вьетнам договорились.",
        "The Dutch and Vietnam agreed.",
        MISSING,
        "Thailand",
        "",
    ),
    (RU, "Посол приехал.", "Ambassador O. V. Kovalev came.", INVENTED, "", "O. V. Kovalev"),
    (RU, "Ведомство сообщило.", "The QXZ reported.", INVENTED, "", "QXZ"),
    (KM, "លោក Sok Puthivutha បានមក។", "Mr Sok Putivara came.", MISSING, "Puthivutha", ""),
    (KM, "អាជ្ញាធរ (ACMA) បាននិយាយ។", "The authority (ABC) said so.", MISSING, "ACMA", ""),
    (KM, "ក្រុមហ៊ុន Apple បានលក់។", "The company sold it.", MISSING, "Apple", ""),
    (KM, "អាស៊ានបានគាំទ្រ។", "The union backed it.", MISSING, "ASEAN", ""),
    (KM, "ប្រទេសកម្ពុជាគាំទ្រ។", "The country backs it.", MISSING, "Cambodia", ""),
    (KM, "ប្រទេសបារាំងឈ្នះ។", "Germany won.", MISSING, "France", ""),
    (KM, "អង្គការសហប្រជាជាតិមក។", "The organisation came.", MISSING, "UN", ""),
    (KM, "លោក John Grant មក។", "John came.", MISSING, "Grant", ""),
    (DE, "Er reiste nach Köln.", "He travelled to Bonn.", MISSING, "Cologne", ""),
    (DE, "Rom stimmte zu.", "Paris agreed.", MISSING, "Rome", ""),
    (DE, "Das gilt in Niedersachsen.", "It applies in Niedersachsen.", MISSING, "Lower Saxony", ""),
    (DE, "Kenia half Mali.", "Kenya helped Malawi.", INVENTED, "", "Malawi"),
    (RU, "Министр посетил Лаос.", "The minister visited Lebanon.", INVENTED, "", "Lebanon"),
    (RU, "Министр посетил Лаос.", "The minister visited Lebanon.", MISSING, "Laos", ""),
    (RU, "Форум в Санкт-Петербурге", "The forum in Sochi", MISSING, "St Petersburg", ""),
    (RU, "Президент Чили прибыл.", "The president of Peru came.", INVENTED, "", "Peru"),
    (KM, "ប្រទេសនេប៉ាល់មក។", "Malta came.", MISSING, "Nepal", ""),
]


@pytest.mark.parametrize(("language", "source", "target", "kind", "expected", "found"), UNFAITHFUL)
def test_wrong_names_are_found(
    language: Language, source: str, target: str, kind: FindingKind, expected: str, found: str
) -> None:
    """A name that is lost, changed, left in its language or made up is reported."""
    findings = check_names(source, target, language)
    assert (kind, expected, found) in [(f.kind, f.expected, f.found) for f in findings]


@pytest.mark.parametrize(("language", "source", "target"), [row[:3] for row in UNFAITHFUL])
def test_spans_point_at_names(language: Language, source: str, target: str) -> None:
    """Spans cover what the finding is about, and messages are sentences without a full stop."""
    for finding in check_names(source, target, language):
        if finding.source_span is not None:
            span = finding.source_span
            assert source[span.start : span.end] in finding.message
        if finding.target_span is not None:
            span = finding.target_span
            assert target[span.start : span.end] == finding.found
        assert not finding.message.endswith(".")


def test_a_name_is_reported_once() -> None:
    """However often a name stands in the source, there is one finding for it."""
    source = "Die IKT-Sicherheit und die IKT selbst, also IKT."
    assert len(check_names(source, "Security and technology.", DE)) == 1


@pytest.mark.parametrize(
    "piece", ["AB", "A. Bc ", "Dr. ", "und Aa", "Ü", "ab Cd-", "А. Бв ", "ក", "A.", "Минин "]
)
@pytest.mark.parametrize("language", [DE, RU, KM])
@pytest.mark.timeout(20)
def test_long_texts_take_bounded_time(piece: str, language: Language) -> None:
    """Inputs as long as a whole release allow stay cheap."""
    text = piece * (100_000 // len(piece))
    check_names(text, "English", language)
    check_names("Quelle", text, language)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from([DE, RU, KM]))
def test_any_text_is_accepted(source: str, target: str, language: Language) -> None:
    """No text makes the check fail, and spans stay inside their texts."""
    for finding in check_names(source, target, language):
        if finding.source_span is not None:
            assert 0 <= finding.source_span.start < finding.source_span.end <= len(source)
        if finding.target_span is not None:
            assert 0 <= finding.target_span.start < finding.target_span.end <= len(target)

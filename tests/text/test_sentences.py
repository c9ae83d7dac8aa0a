import time
from importlib.resources import files

import pytest
import razdel
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.sentences import VERSION, _Kind, split
from depesche.types import Language, Span

# A "|" stands where a sentence ends before another one.
GERMAN = [
    "Das Treffen fand statt.| Die Ergebnisse folgen.",
    "Am 24. November 2021 traf Dr. Sok Puthivutha in Phnom Penh ein.| Er blieb drei Tage.",
    "Er sprach u. a. mit Prof. Dr. h. c. O. V. Siromolotow über IKT.| Danach reiste er ab.",
    "Es geht z. B. um Netze der 5. Generation.| Sie sind im Aufbau.",
    "Die Kosten belaufen sich auf ca. 3,5 Mio. Euro, d. h. 1.200 Euro pro Gerät.| Das ist viel.",
    "Der Umsatz stieg um 3,5.| Der Gewinn fiel um 12 Mio.| Die Aktie verlor.",
    "Das sei «ein wichtiger Schritt», sagte der Minister.| „Wir kommen wieder!“, rief er.",
    "„Wann beginnt es?“ fragte sie.| „Bald.“| Mehr sagte er nicht.",
    "Warum erst am 1. Januar?| Laut Art. 5 Abs. 2 gilt die Frist bis 31. 12. 2025.| Gut.",
    "Das war im Jahr 2021.| Der Minister trat zurück.",
    "Am 3. Tag endete die Sitzung, am ca. 24. November die Reise.| Die Delegierten blieben.",
    "Der 125. Jahrestag folgt im Mai.| Alle kommen.",
    "Karl XIV. Johann war König.| Nach dem II. Weltkrieg änderte sich das.",
    "Die USA, die EU und die UN usw.| Alle wurden informiert.",
    "Weitere Angaben machte er nicht…| Die Sitzung begann um 10.30 Uhr.",
    "Er zögerte ... und sagte dann zu.| Ende.",
    "«Die Partner begrüßten die Initiative.| Die Arbeit geht weiter», hieß es.",
    "»Die Partner kommen.«| »Gut«, sagte er.| »Bis bald!«| Dann ging er.",
    "Gen. a. D. Müller war ebenfalls anwesend.| Die GmbH & Co. KG aus St. Petersburg lieferte.",
    "Die Seite depesche.example.org nennt v1.2.3.| Fragen an presse@depesche.example.org.| Danke.",
    "Die Datei Bericht.Final.pdf liegt bei.| Sie hat 12 Seiten.",
    "1. Die Kosten steigen.| 2. Die Preise fallen.",
    "Das war gut (siehe Kap. 5).| (Alle stimmten zu.)| Dann war Schluss.",
    "Er sagte: «Wir […] Menschen (sic!) Europas sind bereit.»| Alle nickten.",
    "Es lud der Verein Hoffnung e. V.| Die Gäste kamen.",
    "Das Angebot von eBay endete.| eBay zahlt.| iPhone und Co. bleiben.",
    "„Wir haben gewonnen!“ – Minister Müller am Montag.",
    "Vgl. Kapitel 3.| Die Nr. 5 fehlt.",
    "Er rief Dr.-Ing. Anna Berg und Dipl.-Kfm. Jan Alt.| Prof. Dr. med. Anna Alt kam.",
    "Dr. rer. nat. Eva Ott, Dr. jur. Max Alt und Dr. phil. habil. Jan Ott kamen.| Gut.",
    "Es ehrte Dr. h. c. Anna Berg, Dr. med. dent. Jan Alt und Dr. rer. pol. Eva Ott.| Gut.",
    "Ein\nUmbruch\nzählt nicht.|\nDas hier schon.",
]
RUSSIAN = [
    "24 ноября 2021 г. в Москве прошла первая сессия.| Её вёл О.В. Сыромолотов.",
    "В 2021 г. Россия экспортировала больше.| К концу 2022 г. Минфин ждёт роста.",
    "Выделено 12 млрд руб.| В этом году больше не будет.",
    "Завод им. В. И. Ленина (г. Тула) выпустил 15 тыс. ед. техники.| План выполнен.",
    "Кто за это ответит?| — Не знаю! — ответил министр.",
    "Встреча прошла на ул. Тверской, д. 5, стр. 2, в 10 ч. 30 мин. по Москве.| Все ушли.",
    "В делегацию вошли военные, эксперты и др.| Они прибыли из Вьетнама, Лаоса и т. д.| Их ждали.",
    "Министры, эксперты и др. участники приехали.| Встреча открыта.",
    "Премьер-министр РФ М. Мишустин поблагодарил коллег…| Проф. Н. Н. Иванов промолчал.",
    "Он сказал: «Это важный шаг».| См. также п. 3 ст. 15 Конвенции.",
    "«Стороны договорились.| Консультации продолжатся», — говорится в сообщении.",
    "«Мы едем!»| Так сказал министр.| «Да.»| И всё.",
    "Сайт mid.example.ru не работает.| Пишите на адрес a.b@example.ru.| Ждём.",
    "Дж. Байден и г-н Ли встретились.| Переговоры шли в г. Женеве.",
]
RUSSIAN_BEYOND_RAZDEL = [
    "Сессия прошла 24 ноября 2021 г.| Сопредседателями выступили А. С. Петров и Ю. И. Ким.",
    "Завод основан в 1998 г.| Правительство его поддержало.",
    "Товарооборот составил 1,2 млрд долл. США, т. е. вырос на 3,5 %.| Это рекорд.",
    "«Кто ответит?» — спросил он.| «Я!» — МИД России промолчал.",
    "Он сбавил скорость до 160 км/ч.| За месяц арестовали 80 человек.",
    "Это план Б.| В среду его примут.",
]
KHMER = [
    "កិច្ចប្រជុំបានប្រព្រឹត្តទៅ។| លោក សុខ បានមកដល់។",
    "កិច្ចប្រជុំបានប្រព្រឹត្តទៅ។|លោក សុខ បានមកដល់៕|",
    "ភ្នំពេញ៖ នៅថ្ងៃទី២៤ ខែវិច្ឆិកា ឆ្នាំ២០២១ កិច្ចប្រជុំបានប្រព្រឹត្តទៅ។| វាបានបញ្ចប់។",
    "លោកបានថ្លែងថា «កិច្ចប្រជុំនេះសំខាន់ណាស់។| យើងនឹងបន្ត»។| តើនៅពេលណា?| មិនដឹងទេ!|លោកបានឆ្លើយ។",
    "«យើងនឹងបន្ត។»| លោកបានថ្លែង។”| ចប់។",
    "តម្លៃមានចំនួន ១.២៥០ លានដុល្លារ ឬ ៣,៥%។| វាកើនឡើង។",
    "អាស៊ាន មាន ឡាវ វៀតណាម ថៃ ។ល។ និងកម្ពុជា។| ចប់។",
    "អាស៊ាន មាន ឡាវ ថៃ ។ល។| លោក សុខ បានថ្លែង។",
    "លោក Dr. Sok Puthivutha បានមកដល់នៅម៉ោង ១០.៣០ នាទីព្រឹក។| សូមស្វាគមន៍!",
    "ផ្សេងៗ ទៀត។\u200b |ចប់៚",
    "១. ការងារ។| ២. ប្រាក់ខែ។",
]
ENGLISH = [
    "On Nov. 24, 2021, Dr. Sok Puthivutha arrived in Phnom Penh.| He stayed.",
    "He met U.S. officials, e.g. Mr. O. V. Siromolotov, at 10.30 a.m. local time.| They talked.",
    "“It was a good meeting.| We will continue,” he said.",
    'Trade rose 3.5% to $1.2 bn. in 2020.| Why now?| "No comment."| He left.',
    "The U.N. Security Council met in the U.S.| The talks go on.",
    "No. 5 on the list was Vietnam.| He said no.| Nothing followed.",
    "See www.example.org/a.b?c=d.| It was written by J. R. R. Tolkien, Jr.| That is all.",
    "Wheat, rice, etc.| Prices rose.",
]
TABLES = {
    Language.GERMAN: GERMAN,
    Language.RUSSIAN: RUSSIAN + RUSSIAN_BEYOND_RAZDEL,
    Language.KHMER: KHMER,
    Language.ENGLISH: ENGLISH,
}
PLAIN = {
    Language.ENGLISH: "The talks began on Monday. Dr. Sok spoke first. What follows is unclear.",
    Language.GERMAN: "Die Gespräche begannen am Montag. Zuerst sprach Dr. Sok. Was folgt dann?",
    Language.RUSSIAN: "Переговоры начались в понедельник. Первым выступил г-н Сок. Что дальше?",
}
CASES = [(language, text) for language, texts in TABLES.items() for text in texts]


def _sentences(text: str, language: Language) -> list[str]:
    return [text[span.start : span.end].strip(" \n\u200b") for span in split(text, language)]


def _expected(marked: str) -> list[str]:
    return [part.strip(" \n\u200b") for part in marked.split("|") if part]


@pytest.mark.parametrize(("language", "marked"), CASES)
def test_splits_where_the_table_says(language: Language, marked: str) -> None:
    """Each boundary marked in the table is found, and no other."""
    assert _sentences(marked.replace("|", ""), language) == _expected(marked)


@pytest.mark.parametrize("language", Language)
@given(text=st.text(st.sampled_from('aBеЖក្ល។៕ .!?…\n\u200b«»„“”"()–—-,:12Drг')))
@settings(deadline=None)
def test_spans_cover_the_text(language: Language, text: str) -> None:
    """The spans are contiguous, none is empty, and together they are the whole text."""
    spans = split(text, language)
    assert all(span.start < span.end for span in spans)
    assert [span.start for span in spans] == [0, *(span.end for span in spans)][: len(spans)]
    assert "".join(text[span.start : span.end] for span in spans) == text


@given(text=st.text(), language=st.sampled_from(Language))
@settings(deadline=None)
def test_any_text_is_kept(text: str, language: Language) -> None:
    """No character of any text gets lost, and only the first span may begin with a space."""
    spans = split(text, language)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert not any(text[span.start].isspace() for span in spans[1:])


def test_empty_text_has_no_sentences() -> None:
    """Nothing gives no span, and blank text a single one."""
    assert split("", Language.GERMAN) == []
    assert split(" \n ", Language.GERMAN) == [Span(0, 3)]


@pytest.mark.parametrize(
    "unit", ["x", ".", ". ", "a. ", "x (a.) ", "។ល។", "1. ", "ក។", ' "', '. "', ".(", " "]
)
def test_takes_linear_time(unit: str) -> None:
    """Texts that invite a pattern to look far back or ahead take no longer than others."""
    text = unit * (200_000 // len(unit))
    began = time.perf_counter()
    for language in (Language.GERMAN, Language.KHMER):
        split(text, language)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("marked", RUSSIAN)
def test_razdel_agrees(marked: str) -> None:
    """A second opinion on Russian: all that isn't set apart in the table."""
    text = marked.replace("|", "")
    assert [sentence.text for sentence in razdel.sentenize(text)] == _expected(marked)


@pytest.mark.parametrize("marked", RUSSIAN_BEYOND_RAZDEL)
def test_razdel_still_differs(marked: str) -> None:
    """What is set apart in the table is what razdel gets wrong."""
    text = marked.replace("|", "")
    assert [sentence.text for sentence in razdel.sentenize(text)] != _expected(marked)


@pytest.mark.parametrize("language", [Language.ENGLISH, Language.GERMAN, Language.RUSSIAN])
def test_sentencex_agrees_on_plain_sentences(language: Language) -> None:
    """A second opinion: it splits each pair of sentences that hold no quotation where we do."""
    text = PLAIN[language]
    theirs = [sentence.strip() for sentence in sentencex.segment(language, text)]
    assert theirs == _sentences(text, language)


@pytest.mark.parametrize("language", Language)
def test_lists_are_sorted_and_disjoint(language: Language) -> None:
    """Each section is in order, and no abbreviation stands in two of them."""
    source = files("depesche.text") / "abbreviations" / f"{language}.txt"
    sections: dict[str, list[str]] = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            entries = sections[line.strip("[]")] = []
        elif line and not line.startswith("#"):
            entries.append(line)
    assert all(entries == sorted(set(entries)) for entries in sections.values())
    kinds = [entry for name in set(sections) - {"starters", "openings"} for entry in sections[name]]
    assert len(kinds) == len(set(kinds)) > 0
    assert sections.keys() <= {*_Kind, "openings", "starters"}


def test_version_names_the_rules() -> None:
    """The version is part of a brief's signature, so it's short and holds no separator."""
    assert VERSION.isalnum()

"""Terms of a glossary are found in whatever form they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.text.normalize import normalize
from depesche.text.terms import Terms, one_line, substitute
from depesche.types import GlossaryTerm, Language

DE, EN, KM, RU = Language.GERMAN, Language.ENGLISH, Language.KHMER, Language.RUSSIAN


def found(text: str, language: Language, *sources: str) -> list[tuple[str, str]]:
    """Give the terms that match, each with the words that it matches."""
    terms = Terms([GlossaryTerm(source, "x") for source in sources], language)
    return [(p.source, text[p.span.start : p.span.end]) for p in terms.find(text)]


@pytest.mark.parametrize(
    ("language", "term", "text", "words"),
    [
        (DE, "Haushalt", "Der Entwurf des Haushaltes liegt vor.", "Haushaltes"),
        (DE, "Bundeshaus", "Vor den Bundeshäusern", "Bundeshäusern"),
        (DE, "Straße", "Die Strassen sind gesperrt.", "Strassen"),
        (DE, "Haushalt", "HAUSHALT BESCHLOSSEN", "HAUSHALT"),
        (DE, "Europäischer Rat", "Sitzung des Europäischen Rates", "Europäischen Rates"),
        (DE, "EU-Kommission", "der EU-Kommission", "EU-Kommission"),
        (DE, "LKW", "mit zwei LKWs", "LKWs"),
        (DE, "nachhaltig", "Nachhaltige Ziele", "Nachhaltige"),
        (RU, "бюджет", "Обсуждение бюджетов завершено", "бюджетов"),
        (RU, "Совет Федерации", "Заседание Совета Федерации", "Совета Федерации"),
        (RU, "Совет безопасности", "В Совете Безопасности", "Совете Безопасности"),
        (RU, "ёлка", "у елки", "елки"),
        (RU, "замок", "за́мок", "за́мок"),
        (RU, "Nord Stream", "Запуск Nord Stream отложен", "Nord Stream"),
        (EN, "budget", "The Budget passed.", "Budget"),
        (KM, "ក្រសួងការបរទេស", "លោករដ្ឋមន្ត្រីក្រសួងការបរទេសបាន", "ក្រសួងការបរទេស"),
        (KM, "COVID-19", "ជំងឺCOVID-19នៅ", "COVID-19"),
        (KM, "ឆ្នាំ២០២១", "ឆ្នាំ២០២១នៅ", "ឆ្នាំ២០២១"),
    ],
)
def test_inflected_forms_match(language: Language, term: str, text: str, words: str) -> None:
    """Words match by their stem, whatever their case; the place is told exactly."""
    assert found(normalize(text).text, language, term) == [(term, words)]


@pytest.mark.parametrize(
    ("language", "term", "text"),
    [
        (DE, "Haushalt", "Der Bundeshaushalt und das Haushaltsgesetz"),
        (DE, "EU", "Die EU-Kommission und Europa"),
        (DE, "Essen", "Wir essen in Köln."),
        (DE, "IT", "Er sagt it."),
        (DE, "Rat Europa", "Der Rat, Europa und die Welt. Rat. Europa."),
        (DE, "museum", "Die Museen"),
        (RU, "Мир", "за мир"),
        (RU, "мок", "за́мок"),
        (RU, "мост", "мостовая"),
        (EN, "budget", "The budgets passed."),
        (KM, "ការ", "ក្រសួងកា"),
        (KM, "កា", "ក្កា"),
        (KM, "COVID", "ជំងឺCOVID19"),
        (KM, "19", "ឆ្នាំ 2019"),
        (KM, "២០", "ឆ្នាំ២០២១"),
        (KM, "ក", "ការ"),
    ],
)
def test_what_is_no_match(language: Language, term: str, text: str) -> None:
    """Parts of words, cut syllables, other capitals and words apart aren't the term."""
    assert found(normalize(text).text, language, term) == []


def test_the_longest_term_wins_and_none_overlap() -> None:
    """Where several terms begin, the longest is taken, and the search goes on behind it."""
    sources = ("Rat", "Europäischer Rat", "Rat der Weisen")

    assert found("Der Europäische Rat der Weisen und ein Rat", DE, *sources) == [
        ("Europäischer Rat", "Europäische Rat"),
        ("Rat", "Rat"),
    ]
    assert found("ភ្នំពេញក្រុងភ្នំពេញ", KM, "ភ្នំពេញ", "ក្រុងភ្នំពេញ") == [
        ("ភ្នំពេញ", "ភ្នំពេញ"),
        ("ក្រុងភ្នំពេញ", "ក្រុងភ្នំពេញ"),
    ]


def test_of_terms_alike_the_one_that_is_spelt_so_wins() -> None:
    """Terms of one stem are told apart by the very word, or else the first is taken."""
    assert found("Haushalte", DE, "Haushalt", "Haushalte") == [("Haushalte", "Haushalte")]
    assert found("Haushalten", DE, "Haushalt", "Haushalte") == [("Haushalt", "Haushalten")]


def test_what_english_may_stand_for_a_term() -> None:
    """A term has its English; one to be kept stands as the glossary or the sentence has it."""
    terms = Terms([GlossaryTerm("Rat", "coun\u00adcil\nof  elders"), GlossaryTerm("Tag", "")], DE)
    places = terms.find("Des Rates an Tagen")

    assert [place.forms for place in places] == [("council of elders",), ("Tag", "Tagen")]
    assert [place.number for place in places] == [0, 1]


def test_substitute_puts_the_english_in() -> None:
    """The first form stands in the place of each term, and all else stays."""
    text = "Der Rat und die Räte."
    terms = Terms([GlossaryTerm("Rat", "council")], DE)

    assert substitute(text, terms.find(text)) == "Der council und die council."
    assert substitute(text, ()) == text


def test_substituted_english_stands_apart() -> None:
    """Khmer has no spaces between words; English among it gets them, on both sides."""
    terms = Terms([GlossaryTerm("ភ្នំពេញ", "Phnom Penh"), GlossaryTerm("ក្រុង", "city")], KM)

    for text, english in (
        ("នៅភ្នំពេញបាន។", "នៅ Phnom Penh បាន។"),
        ("ក្រុងភ្នំពេញ។", "city Phnom Penh។"),
        ("នៅ ភ្នំពេញ", "នៅ Phnom Penh"),
    ):
        assert substitute(text, terms.find(text)) == english


def test_terms_without_anything_to_match_are_passed_over() -> None:
    """What normalising leaves nothing of matches nothing; nor does an empty glossary."""
    assert found("Ein Satz.", DE, "\u200b") == []
    assert found("Ein Satz.", DE) == []


@given(
    st.text("aAßäиИёក្ា រ-.1\u0301\u200b\n", max_size=40),
    st.lists(st.text("aAßäиИёក្ា រ-.1\u0301\u200b\n", min_size=1, max_size=6), max_size=5),
    st.sampled_from(list(Language)),
)
def test_places_are_in_order_and_apart(text: str, sources: list[str], language: Language) -> None:
    """Whatever the text and the terms, places lie in the text, in order, without overlap."""
    text = normalize(text).text
    places = Terms([GlossaryTerm(source) for source in sources], language).find(text)

    end = 0
    for place in places:
        assert end <= place.span.start < place.span.end <= len(text)
        assert one_line(sources[place.number]) == place.source
        end = place.span.end


@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time() -> None:
    """The longest text and the most terms that differ at their ends alone are searched in time."""
    sources = [f"{'ក' * length}ខ" for length in range(1, 200)]
    assert found("ក" * 100_000, KM, *sources) == []
    sources = [f"{'a ' * length}b" for length in range(1, 100)]
    assert found("a " * 50_000, DE, *sources) == []

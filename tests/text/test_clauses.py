import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.clauses import shorten, split_long
from depesche.types import Language

TEXTS = st.text(st.sampled_from("abЯж្កា ,;:–«»()19.\u0301\u200d👍🏽"), max_size=300)


def _parts(text: str, language: Language, limit: int) -> list[str]:
    return [text[span.start : span.end] for span in split_long(text, language, limit, len)]


@pytest.mark.parametrize(
    ("language", "limit", "marked"),
    [
        (
            Language.GERMAN,
            60,
            "Der Minister sagte am Montag in Berlin, |dass die Frist im Mai endet.",
        ),
        (
            Language.GERMAN,
            60,
            "Die Stadt baut, der Bund zahlt; |das Land plant, die Bürger warten.",
        ),
        (Language.GERMAN, 50, "Der Umsatz stieg auf rund 3,5 Mio. Euro |und der Gewinn kaum."),
        (Language.GERMAN, 40, "Die Delegation reist |am 24. November 2021 an."),
        (Language.GERMAN, 45, "Es gilt die Regel von 2019, |die der Bund um 10.30 Uhr beschloss."),
        (
            Language.GERMAN,
            60,
            "Die Regierung teilte mit – |der Sprecher war krank –, alles sei gut.",
        ),
        (
            Language.GERMAN,
            60,
            "So sprach zuletzt der alte Minister «Wir |sind bereit und kommen».".replace(
                "«Wir |", "|«Wir "
            ),
        ),
        (Language.RUSSIAN, 50, "Сопредседателем стал заместитель |министра О.В. Сыромолотов."),
        (Language.RUSSIAN, 60, "Министр сообщил в среду, |что товарооборот составил 12 млрд руб."),
        (Language.RUSSIAN, 30, "Экспорт вырос |до 1 234,5 млрд долл. США."),
        (
            Language.RUSSIAN,
            50,
            "Переговоры прошли 24 ноября, но стороны |ничего не подписали.".replace(
                ", но стороны |", ", |но стороны "
            ),
        ),
        (Language.KHMER, 50, "លោក សុខ ពុទ្ធិវុធ បានមកដល់ទីក្រុងភ្នំពេញ |ដែលជារាជធានីនៃប្រទេសកម្ពុជា"),
        (Language.KHMER, 40, "កិច្ចប្រជុំបានប្រព្រឹត្តទៅតាមវីដេអូ|ដែលរៀបចំដោយក្រសួង"),
        (Language.GERMAN, 25, "Der Absatz stieg um |genau 12 % im Jahr."),
        (Language.GERMAN, 25, "Die Planung |2021 – 2025 ist |hier da."),
        (Language.GERMAN, 25, "Es galt damals noch |§ 5 der Verordnung."),
        (Language.ENGLISH, 40, "The talks were held on Monday, |while the ministers met."),
    ],
)
def test_breaks_where_the_least_is_lost(language: Language, limit: int, marked: str) -> None:
    """The table's sentences break at their bars and nowhere else."""
    assert _parts(marked.replace("|", ""), language, limit) == marked.split("|")


def test_short_text_stays_whole() -> None:
    """What fits is one part, and nothing is none."""
    assert _parts("Kurz.", Language.GERMAN, 40) == ["Kurz."]
    assert _parts("", Language.GERMAN, 40) == []


def test_measures_few_times() -> None:
    """The costly measure is called less than twice a part."""
    calls = []

    def measure(text: str) -> int:
        calls.append(text)
        return len(text)

    parts = split_long("ein Wort " * 1000, Language.GERMAN, 100, measure)
    assert len(calls) < 2 * len(parts)


@given(text=TEXTS, limit=st.integers(1, 80), language=st.sampled_from(Language))
@settings(deadline=None)
def test_parts_cover_the_text(text: str, limit: int, language: Language) -> None:
    """The parts are contiguous, whole characters, and fit unless one character is too long."""
    parts = _parts(text, language, limit)
    assert "".join(parts) == text
    for part in parts:
        assert part
        assert len(part) <= limit or not _breakable(part)
    assert not any(unicodedata.category(part[0]) == "Mn" for part in parts[1:])
    assert not any(part.endswith(("\u17d2", "\u200d")) for part in parts[:-1])


def _breakable(part: str) -> bool:
    """Tell whether two whole characters meet somewhere in a part."""
    attached = {"\u200d", "\U0001f3fd"}
    return any(
        unicodedata.category(after)[0] != "M"
        and after not in attached
        and before not in {"\u200d", "\u17d2"}
        for before, after in pairwise(part)
    )


def test_figures_break_last() -> None:
    """A word breaks rather than a figure, and a figure that is longer than the limit breaks."""
    assert _parts("a" * 30 + "1" * 20, Language.GERMAN, 40) == ["a" * 25, "a" * 5 + "1" * 20]
    assert _parts("1" * 50, Language.GERMAN, 40) == ["1" * 25, "1" * 25]


@pytest.mark.parametrize("unit", ["a", "a ", "1", "ab, ", "e\u0301", "A ", ". ", "ក"])
def test_long_text_splits_in_time(unit: str) -> None:
    """Long texts without good boundaries split into parts that fit; a quadratic rule times out."""
    parts = _parts(unit * 100_000, Language.KHMER, 200)
    assert max(map(len, parts)) <= 200


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("The talks ended on Monday.", 110, "The talks ended on Monday"),
        ("He met officials of the U.S.", 110, "He met officials of the U.S."),
        ("Will it work?", 110, "Will it work?"),
        ("The minister said “we agree.”", 110, "The minister said “we agree”"),
        (
            "The first session of the dialogue with ASEAN (Association of Nations) took place.",
            70,
            "The first session of the dialogue with ASEAN took place",
        ),
        (
            "The bridge over the river, which was built in 1,200 days, opened to all traffic.",
            50,
            "The bridge over the river opened to all traffic",
        ),
        (
            "The delegation consisted of experts from five ministries, while others watched.",
            70,
            "The delegation consisted of experts from five ministries",
        ),
        (
            "The city council approved the new budget for the schools; the vote was unanimous.",
            70,
            "The city council approved the new budget for the schools",
        ),
        (
            "The company will build three new plants in the north of the country by 2030.",
            50,
            "The company will build three new plants…",
        ),
        (
            "“The parties agreed to continue their consultations, which began in 2020.",
            70,
            "“The parties agreed to continue their consultations”",
        ),
        (
            "The budget of the city rose to 12 billion euros this year.",
            38,
            "The budget of the city rose…",
        ),
        (
            "The ministry said at noon that all three of the wide bridges over the lake are shut.",
            75,
            "The ministry said at noon that all three of the wide bridges…",
        ),
        (
            "The ministry said at noon that all of the very old bridges are to be closed at night.",
            76,
            "The ministry said at noon that all of the very old bridges are to be closed…",
        ),
        (
            "The mayor said that all of the three old bridges will be closed during long holidays.",
            80,
            "The mayor said that all of the three old bridges will be closed…",
        ),
        ("The visitors were welcomed by Dr. Sok at noon.", 36, "The visitors were welcomed…"),
        ("Donaudampfschifffahrtsgesellschaft", 10, "Donaudamp…"),
        ("e\u0301" * 5, 4, "e\u0301…"),
        ("“ab cd ef gh", 5, "“ab…”"),
        ("the of a an", 5, "…"),
        ("", 110, ""),
    ],
)
def test_shortens_to_a_headline(text: str, limit: int, expected: str) -> None:
    """The headline ends with a clause where it can and with an ellipsis where it can't."""
    assert shorten(text, limit) == expected


@given(
    text=st.text(st.sampled_from("ab the, which was;“”‘’().…é\u0301 ")), limit=st.integers(1, 60)
)
@settings(deadline=None)
def test_headline_fits(text: str, limit: int) -> None:
    """A headline is never longer than asked, and is one line without space around it."""
    headline = shorten(text, limit)
    assert len(headline) <= limit
    assert headline == " ".join(headline.split())

import pytest

from depesche.fidelity.romanise import alike, fold, romanise, stem


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Сыромолотов", "Syromolotov"),
        ("Лавров", "Lavrov"),
        ("Ельцин", "Yeltsin"),
        ("Хрущёв", "Khrushchyov"),
        ("Шойгу", "Shoygu"),
        ("Воробьев", "Vorobyev"),
        ("ВВП", "VVP"),
        ("Microsoft в Москве", "Microsoft v Moskve"),
    ],
)
def test_romanise(cyrillic: str, latin: str) -> None:
    """Cyrillic is spelt by BGN/PCGN; everything else stays."""
    assert romanise(cyrillic) == latin


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siromolotow", "Syromolotov"),
        ("Tschechow", "Chekhov"),
        ("Selenskyj", "Zelenskyy"),
        ("Müller", "Mueller"),
        ("Schukow", "Zhukov"),
        ("Sergej", "Sergei"),
        ("Łukasz", "Lukasz"),
    ],
)
def test_fold_equates_systems(one: str, other: str) -> None:
    """Spellings of one name by different systems fold to the same."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Scholz", "Schulz"), ("Lawrow", "Lasarew"), ("Berg", "Burg")]
)
def test_fold_keeps_names_apart(one: str, other: str) -> None:
    """Different names stay different."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("inflected", "english"),
    [
        ("Лаврова", "Lavrov"),
        ("Захаровой", "Zakharova"),
        ("Песковым", "Peskov"),
        ("Чайковского", "Chaikovsky"),
        ("Путину", "Putin"),
    ],
)
def test_stem_takes_the_case_away(inflected: str, english: str) -> None:
    """A Russian surname in any case has the stem of its English spelling."""
    assert stem(inflected) == stem(english)


def test_alike_has_a_threshold() -> None:
    """Names count as alike from the given share of matching letters."""
    assert alike("gorbahov", ["gorbahev"], 0.8)
    assert not alike("gorbahov", ["gorbahev"], 0.95)
    assert not alike("siromolotov", ["smirnov", "rusia"], 0.7)

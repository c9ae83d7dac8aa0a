import pytest

from depesche.fidelity.figures import check_figures
from depesche.types import Language

FAITHFUL = [
    ("На заводе работают 1 250 человек.", "The plant employs 1,250 people."),
    ("На заводе работают 1250 человек.", "The plant employs 1,250 people."),
    ("Население выросло на 3,5 %.", "The population grew by 3.5%."),
    ("Население выросло на 3,5 процента.", "The population grew by 3.5 percent."),
    ("Ставка выше на 2 процентных пункта.", "The rate is 2 percentage points higher."),
    ("Рост составит от 5 до 7 процентов.", "Growth will be between 5% and 7%."),
    ("Рост составит 5–7 %.", "Growth will be 5 to 7 percent."),
    ("Выделено 12 млрд рублей.", "12 billion roubles were allocated."),
    ("Выделено 12 млрд. руб.", "RUB 12bn was allocated."),
    ("Выделено 1,5 млн долл. США.", "US$1.5 million was allocated."),
    ("Выделено 10 миллионов канадских долларов.", "10 million Canadian dollars were allocated."),
    ("Ущерб превысил 300 тыс. евро.", "The damage exceeded €300,000."),
    ("Полтора миллиона человек остались без света.", "1.5 million people were left without power."),
    ("Два с половиной миллиона человек.", "Two and a half million people."),
    ("Полмиллиона зрителей.", "Half a million spectators."),
    ("Встреча прошла 24 ноября 2021 г.", "The meeting took place on November 24, 2021."),
    ("Встреча прошла 24.11.2021.", "The meeting took place on 24 November 2021."),
    ("Форум пройдёт с 24 по 26 ноября.", "The forum will run from November 24 to 26."),
    ("В ноябре вырос экспорт.", "Exports rose in November."),
    ("В мае 1969 года стартовала ракета.", "In May of 1969 the rocket was launched."),
    ("Во вторник, в среду и в пятницу.", "On Tuesday, Wednesday and Friday."),
    ("Защита окружающей среды важна.", "Protecting the environment matters."),
    ("Начало в 15:00.", "It starts at 3 p.m."),
    ("Начало в 10 часов утра.", "It starts at 10 a.m."),
    ("Начало в 10 ч. 30 мин.", "It starts at 10:30."),
    ("Он работал 10 часов.", "He worked for ten hours."),
    ("В XXI веке всё иначе.", "Everything is different in the 21st century."),
    ("В ХХ веке всё было иначе.", "Things were different in the twentieth century."),
    ("В 1990-х годах он уехал.", "He left in the 1990s."),
    ("В 90-х он уехал.", "He left in the nineties."),
    ("Это 12-я встреча.", "This is the 12th meeting."),
    ("48-летний инженер сказал это.", "The 48-year-old engineer said so."),
    ("Двухчасовое выступление.", "A 2-hour speech."),
    ("Двадцать один регион подписал соглашение.", "Twenty-one regions signed the agreement."),
    ("Обе стороны согласились.", "The two sides agreed."),
    ("Погибли трое.", "3 people died."),
    ("Система С-400 и самолёт Ту-154.", "The S-400 system and a Tu-154 aircraft."),
    ("Счёт 3:1 в нашу пользу.", "The score is 3–1 to us."),
    ("Один из участников уехал.", "A participant left."),
    ("За 1 минуту.", "In one minute."),
    ("План ИКТ на 2021-2025 годы.", "The ICT plan for 2021–2025."),
    ("Осталось 2 млн 300 тысяч рублей.", "2.3 million roubles remain."),
    ("Языки, на которых говорят 50 и более миллионов.", "Languages of 50 million or more."),
    ("Император Август правил.", "Emperor Augustus ruled."),
    ("Номер +7 495 123-45-67.", "The number is +7 495 123-45-67."),
]

FAITHFUL += [
    ("Воскресные рейсы отменены.", "Sunday flights were cancelled."),
    ("В профессиональную среду.", "Into a professional setting."),
    ("80-тысячный стадион.", "A stadium of 80 thousand."),
    ("Десятипроцентный рост за 5 суток.", "10% growth in 5 days."),
    ("Круглосуточная линия.", "A 24-hour line."),
]

FLAGGED = [
    ("Пришли 12 гостей.", "21 guests came.", "number_missing number_invented"),
    ("Пришли 12 гостей.", "Guests came.", "number_missing"),
    ("Пришли гости.", "40 guests came.", "number_invented"),
    ("Выделено 12 млрд рублей.", "12 million roubles.", "amount_missing amount_invented"),
    ("Выделено 12 млрд рублей.", "12 billion dollars.", "amount_missing amount_invented"),
    ("Выделено 12 млрд рублей.", "12 billion was allocated.", "amount_missing"),
    ("Выделено 12 млрд рублей.", "21 billion roubles.", "amount_missing amount_invented"),
    ("Выделено 5 тыс. евро.", "€5 was allocated.", "amount_missing amount_invented"),
    ("Пришли 5 тыс. человек.", "5 million people came.", "number_missing number_invented"),
    ("Рост на 3,5 %.", "Growth of 5.3%.", "percentage_missing percentage_invented"),
    ("Рост на 3,5 процента.", "Growth of 3.5.", "percentage_missing"),
    ("Рост на 3,5.", "Growth of 3.5 percent.", "percentage_invented"),
    ("Рост на 20 процентов.", "Growth.", "percentage_missing"),
    ("Встреча 24 ноября.", "A meeting on 25 November.", "date_missing date_invented"),
    ("Встреча 24 ноября.", "A meeting on 24 December.", "date_missing date_invented"),
    ("Встреча 24 ноября 2021 г.", "A meeting on 24 November.", "date_missing"),
    ("Встреча 24 ноября.", "A meeting on 24 November 2021.", "date_invented"),
    ("В 2021 году.", "In 2020.", "date_missing date_invented"),
    ("В октябре.", "In August.", "date_missing date_invented"),
    ("Во вторник.", "On Monday.", "date_missing date_invented"),
    ("Это было в среду.", "It was on Thursday.", "date_invented date_missing"),
    ("Начало в 15:00.", "It starts at 5 p.m.", "date_missing date_invented"),
    ("Начало в 15:30.", "It starts at 3:30 a.m.", "date_missing date_invented"),
    ("Пятьдесят гостей.", "Fifteen guests.", "number_missing number_invented"),
    ("Погибли трое.", "Four died.", "number_missing number_invented"),
    ("Двести человек.", "Three hundred people.", "number_missing number_invented"),
    ("В XXI веке.", "In the 20th century.", "number_missing number_invented"),
    ("В 1990-х.", "In the 1980s.", "date_missing date_invented"),
    ("Система С-400.", "The S-300 system.", "number_missing number_invented"),
    ("Счёт 3:1.", "The score is 3:2.", "number_invented"),
    ("Два миллиона человек.", "Two people.", "number_missing"),
]


@pytest.mark.parametrize(("source", "target"), FAITHFUL)
def test_faithful_figures_pass(source: str, target: str) -> None:
    """English that says the same figures in its own way has no finding."""
    assert check_figures(source, target, Language.RUSSIAN) == []


@pytest.mark.parametrize(("source", "target", "kinds"), FLAGGED)
def test_wrong_figures_are_found(source: str, target: str, kinds: str) -> None:
    """A figure that is lost, changed or invented is found, as what it is."""
    findings = check_figures(source, target, Language.RUSSIAN)
    assert sorted(finding.kind for finding in findings) == sorted(kinds.split())

import pytest

from depesche.fidelity.figures import check_figures
from depesche.types import Language

FAITHFUL = [
    ("រោងចក្រនេះមានកម្មករ ១.២៥០ នាក់។", "The factory has 1,250 workers."),
    ("រោងចក្រនេះមានកម្មករ ១២៥០នាក់។", "The factory has 1250 workers."),
    ("រោងចក្រនេះមានកម្មករ 1,250 នាក់។", "The factory has 1,250 workers."),
    ("កំណើន ៣,៥% ក្នុងឆ្នាំ២០២១។", "Growth was 3.5% in 2021."),
    ("កំណើន ៣.៥ ភាគរយ។", "Growth of 3.5 percent."),
    ("កំណើនពី ៥ ទៅ ៧ ភាគរយ។", "Growth of 5 to 7 per cent."),
    ("ថវិកា ១២ លានដុល្លារ។", "A budget of $12 million."),
    ("ថវិកា ១២លានដុល្លារអាមេរិក។", "A budget of 12 million US dollars."),
    ("ថវិកា ២,៣ ពាន់លានដុល្លារ។", "A budget of US$2.3 billion."),
    ("ថវិកា ២.៣ ប៊ីលានដុល្លារ។", "A budget of 2.3 billion dollars."),
    ("តម្លៃ ៣០ ម៉ឺនរៀល។", "It costs 300,000 riel."),
    ("តម្លៃ ៥ ពាន់រៀល។", "It costs 5,000 riels."),
    ("តម្លៃ ៥០០០៛។", "It costs 5,000 riel."),
    ("មនុស្ស ៥ សែននាក់។", "500,000 people."),
    ("មនុស្ស ១លាន៥សែននាក់។", "1.5 million people."),
    ("មនុស្ស ២ កោដិនាក់។", "20 million people."),
    ("ថ្ងៃទី២៤ ខែវិច្ឆិកា ឆ្នាំ២០២១", "November 24, 2021"),
    ("ថ្ងៃទី ២៤ ខែ វិច្ឆិកា ឆ្នាំ ២០២១", "24 November 2021"),
    ("ថ្ងៃទី២៤ វិច្ឆិកា ២០២១", "24 November 2021"),
    ("នៅខែមេសា លោកបានមក។", "He came in April."),
    ("នៅចន្លោះខែមិថុនា និងសីហា។", "Between June and August."),
    ("ថ្ងៃចន្ទ ទី២៤ ខែវិច្ឆិកា", "Monday, 24 November"),
    ("នៅម៉ោង ១០:៣០ ព្រឹក", "at 10:30 a.m."),
    ("នៅម៉ោង ១០.៣០ នាទីព្រឹក", "at 10.30am"),
    ("នៅម៉ោង ៣ រសៀល", "at 3 p.m."),
    ("នៅម៉ោង ១៥:០០", "at 3:00 pm"),
    ("រយៈពេល ២៤ ម៉ោង", "for 24 hours"),
    ("ការប្រជុំលើកទី៣", "the third meeting"),
    ("ការប្រជុំលើកទីបី", "the 3rd meeting"),
    ("សតវត្សទី២១", "the 21st century"),
    ("ទសវត្សរ៍ឆ្នាំ១៩៩០", "the 1990s"),
    ("មនុស្សប្រាំពីរនាក់", "7 people"),
    ("មនុស្សម្ភៃប្រាំនាក់", "twenty-five people"),
    ("មនុស្សពីររយនាក់", "two hundred people"),
    ("មនុស្សបីបួននាក់", "a few people"),
    ("ឈ្នះ ៣-១", "won 3–1"),
    ("ជំងឺ COVID-19", "the COVID-19 disease"),
    ("ជំងឺកូវីដ-១៩", "COVID-19"),
    ("លោក ហ៊ុន សែន បានទៅតុលាការ។", "Hun Sen went to court."),
    ("ទីលាននិងរយៈពេល", "the square and the period"),
    ("អ្នកស្រីមានអាយុ ២៨ឆ្នាំ។", "She is 28 years old."),
    ("គម្រោង ២០២១-២០២៥", "the project for 2021-2025"),
]

FAITHFUL += [
    ("ក្រុមហ៊ុនកន្លះលាន", "half a million companies"),
    ("ថវិកា ២លានកន្លះដុល្លារ", "a budget of $2.5 million"),
    ("បីដូចជាកូនសោទាំងពីរ", "like both keys"),
]

FLAGGED = [
    ("មនុស្ស ១២ នាក់", "21 people", "number_missing number_invented"),
    ("មនុស្ស ១២ នាក់", "people", "number_missing"),
    ("មនុស្សជាច្រើន", "70 people", "number_invented"),
    ("កម្មករ ១.២៥០ នាក់", "12,500 workers", "number_missing number_invented"),
    ("មនុស្ស ៥ សែននាក់", "5 million people", "number_missing number_invented"),
    ("មនុស្ស ៣០ ម៉ឺននាក់", "30,000 people", "number_missing number_invented"),
    ("មនុស្ស ៥ ពាន់នាក់", "5 people", "number_missing number_invented"),
    ("មនុស្ស ១២ លាននាក់", "12 billion people", "number_missing number_invented"),
    ("ថវិកា ១២ លានដុល្លារ", "12 billion dollars", "amount_missing amount_invented"),
    ("ថវិកា ២,៣ ពាន់លានដុល្លារ", "$2.3 million", "amount_missing amount_invented"),
    ("ថវិកា ១២ លានដុល្លារ", "12 million riel", "amount_missing amount_invented"),
    ("ថវិកា ១២ លានរៀល", "$12 million", "amount_missing amount_invented"),
    ("ថវិកា ១២ លានរៀល", "a budget of 12 million", "amount_missing"),
    ("តម្លៃ ៥០០០៛", "5,500 riel", "amount_missing amount_invented"),
    ("កំណើន ៣,៥%", "growth of 35%", "percentage_missing percentage_invented"),
    ("កំណើន ៣,៥ ភាគរយ", "growth of 3.5", "percentage_missing"),
    ("កំណើន ៧ ភាគរយ", "growth", "percentage_missing"),
    ("ថ្ងៃទី២៤ ខែវិច្ឆិកា", "25 November", "date_missing date_invented"),
    ("ថ្ងៃទី២៤ ខែវិច្ឆិកា", "24 October", "date_missing date_invented"),
    ("ថ្ងៃទី២៤ ខែវិច្ឆិកា ឆ្នាំ២០២១", "24 November", "date_missing"),
    ("ថ្ងៃទី២៤ ខែវិច្ឆិកា ឆ្នាំ២០២១", "24 November 2012", "date_missing date_invented"),
    ("នៅខែមេសា", "in August", "date_missing date_invented"),
    ("ឆ្នាំ២០២១", "2020", "date_missing date_invented"),
    ("ថ្ងៃចន្ទ", "Tuesday", "date_missing date_invented"),
    ("ថ្ងៃពុធ", "the day", "date_missing"),
    ("នៅម៉ោង ១០:៣០ ព្រឹក", "at 10:30 p.m.", "date_missing date_invented"),
    ("នៅម៉ោង ៣ រសៀល", "at 5 p.m.", "date_missing date_invented"),
    ("មនុស្សម្ភៃប្រាំនាក់", "fifty people", "number_missing number_invented"),
    ("មនុស្សបីនាក់", "four people", "number_missing number_invented"),
    ("ការប្រជុំលើកទី៣", "the 5th meeting", "number_missing number_invented"),
    ("ឈ្នះ ៣-១", "won 3–2", "number_invented"),
]


@pytest.mark.parametrize(("source", "target"), FAITHFUL)
def test_faithful_figures_pass(source: str, target: str) -> None:
    """English that says the same figures in its own way has no finding."""
    assert check_figures(source, target, Language.KHMER) == []


@pytest.mark.parametrize(("source", "target", "kinds"), FLAGGED)
def test_wrong_figures_are_found(source: str, target: str, kinds: str) -> None:
    """A figure that is lost, changed or invented is found, as what it is."""
    findings = check_figures(source, target, Language.KHMER)
    assert sorted(finding.kind for finding in findings) == sorted(kinds.split())

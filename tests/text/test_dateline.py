import pytest

from depesche.text.dateline import is_byline, is_dateline, split_dateline
from depesche.text.normalize import normalize


@pytest.mark.parametrize(
    ("dateline", "separator", "text"),
    [
        ("Berlin, 24. November 2021", " – ", "Das Ministerium"),
        ("Berlin, 24.11.2021", ". ", "Das Ministerium"),
        ("Frankfurt am Main, den 3. März 2024", ": ", "Die Messe"),
        ("BERLIN (dpa)", " – ", "Das Ministerium"),
        ("Wien/Berlin (APA/dpa)", " - ", "Die Regierung"),
        ("24. November 2021", " – ", "«Wir beginnen»"),
        ("МОСКВА, 24 ноября. /ТАСС/", ". ", "Первое заседание"),
        ("Москва, 24 ноября 2021 г.", " — ", "Россия"),
        ("МОСКВА, 24 ноя", " — РИА Новости. ", "Глава МИД"),
        ("Москва. 24 ноября. ИНТЕРФАКС", " - ", "Глава МИД"),
        ("24 ноября, Минск /Корр. БЕЛТА/", ". ", "Глава МИД"),
        ("PHNOM PENH, Nov. 24 (AKP)", " -- ", "The ministry"),
        ("ភ្នំពេញ", "៖ ", "សម្តេច"),
        ("រាជធានីភ្នំពេញ", " ៖ ", "សម្តេច"),
        ("ភ្នំពេញ ថ្ងៃទី២៤ ខែវិច្ឆិកា ឆ្នាំ២០២១", "៖ ", "សម្តេច"),
        ("ខេត្តកណ្ដាល", "៖", "សម្តេច"),
    ],
)
def test_datelines_are_split_off(dateline: str, separator: str, text: str) -> None:
    """Place, date and agency end at the separator, and the text begins after it."""
    written = normalize(dateline + separator + text).text
    assert split_dateline(written) == (len(dateline), len(dateline + separator))


@pytest.mark.parametrize(
    "text",
    [
        "Москва – столица России.",
        "Москва — это большой город.",
        "Berlin – die Stadt – ist groß.",
        "Angela Merkel (CDU) – Die Kanzlerin",
        "9 мая — День Победы",
        "24. November – Tag der Offenen Tür",
        "Berlin, Hamburg und München – Drei Städte",
        "Berlin, 24. November 2021 – und kein Ende",
        "Am 24. November 2021 – Das war ein Mittwoch – kam er.",
        "Das Ministerium teilte am 24. November 2021 mit: Es regnet.",
        "លោកបានថ្លែងថា៖ «ខ្ញុំសប្បាយចិត្ត»",
        "ភ្នំពេញ៖ ",
        "",
    ],
)
def test_sentences_with_dashes_are_no_datelines(text: str) -> None:
    """A place or a date alone, or a sentence that goes on in small letters, is left as it is."""
    assert split_dateline(text) == (0, 0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("24. November 2021", True),
        ("24.11.2021", True),
        ("Berlin, 24. November 2021", True),
        ("Mittwoch, 24. November 2021, 14:30 Uhr", True),
        ("24 ноября 2021 года", True),
        ("24 ноября 2021 г., Москва", True),
        ("November 24, 2021", True),
        ("24. November 2021 war ein Mittwoch", False),
        ("Berlin", False),
        ("2021", False),
    ],
)
def test_lines_of_date_and_place(line: str, *, expected: bool) -> None:
    """A line is a dateline only if nothing else stands in it."""
    assert is_dateline(line) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Von Max Müller", True),
        ("VON MAX MÜLLER", True),
        ("Von Eva von der Heide und Max O. Müller, dpa", True),
        ("By Jane Q. Smith and John Doe", True),
        ("Автор: Иван Петров", True),
        ("Foto: Stadtwerke", True),
        ("ប្រភព៖ អគ្គនាយកដ្ឋាន", True),
        ("Pressestelle des Auswärtigen Amtes", True),
        ("Пресс-служба МИД России", True),
        ("Kontakt:", True),
        ("Контакты: Иван Петров", True),
        ("Tel.: 0561 12345", True),
        ("E-Mail: presse@example.org", True),
        ("www.example.org/presse", True),
        ("(dpa)", True),
        ("Pressemitteilung Nr. 12/2021", True),
        ("ПРЕСС-РЕЛИЗ", True),
        ("Rückfragen: Prof. Dr. Müller, Hauptstr. 5", True),
        ("Авторы: Иванов И. И.", True),
        ("Rückfragen: Der Minister tritt am 3. Dezember 2025 zurück.", False),
        ("Kontakt: «Wir treten zurück!»", False),
        ("Text: Er tritt zurück. Mehr in Kürze", False),
        ("Источник: Министр ушёл в отставку", True),
        ("Контакты: Министр ушёл в отставку.", False),
        ("ប្រភព៖ លោកបានថ្លែង។", False),
        ("Von Berlin nach Paris", False),
        ("Von der Straße auf die Schiene", False),
        ("Kontakt zur Sonde abgebrochen", False),
        ("Pressestelle der Polizei warnt vor Betrug", False),
        ("Text und Bild gehören zusammen.", False),
        ("Telefone in Kassel gestört", False),
    ],
)
def test_bylines_and_contact_lines(line: str, *, expected: bool) -> None:
    """Authors, press offices, agencies and contacts frame a release; headlines aren't taken."""
    assert is_byline(line) is expected

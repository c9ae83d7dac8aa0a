"""What frames a release without being part of its text: datelines, bylines and contact lines.

A dateline says where and when a report was filed, as in «Berlin, 24. November 2021 – Das …» or
«МОСКВА, 24 ноября. /ТАСС/. …».
"""

import re

__all__ = ["is_byline", "is_dateline", "split_dateline"]

_NAME = r"[A-ZÀ-ÖØ-ÞЀ-Я][^\W\d_]*(?:[-’'][^\W\d_]+)*"
_PLACE = rf"{_NAME}(?:[ /](?:am |an der |ob der )?{_NAME}){{0,3}}"
_MONTH = (
    r"(?:Jan(?:uar|uary)?|Jänner|Feb(?:ruar|ruary)?|März|Mar(?:ch)?|Apr(?:il)?|Ma[iy]|Jun[ei]?"
    r"|Jul[iy]?|Aug(?:ust)?|Sept?(?:ember)?|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?"
    r"|янв(?:аря)?|февр?(?:аля)?|мар(?:та)?|апр(?:еля)?|мая|июня|июля|авг(?:уста)?"
    r"|сент?(?:ября)?|окт(?:ября)?|нояб?(?:ря)?|дек(?:абря)?)\.?"
)
_YEAR = r",? \d{4}(?: ?(?:года?|г\.?)(?!\w))?"
_DAY = rf"(?:(?:den )?\d{{1,2}}\.? {_MONTH}|{_MONTH} \d{{1,2}})"
_NUMERIC = r"(?:den )?\d{1,2}\. ?\d{1,2}\."
_DATE = rf"(?:{_DAY}(?:{_YEAR})?|{_NUMERIC}(?: ?\d{{2,4}})?)"
_FULL_DATE = rf"(?:{_DAY}{_YEAR}|{_NUMERIC} ?\d{{4}})"
_WIRE = (
    r"(?:AFP|AKP|APA?|BELTA|dpa|dts|epd|INTERFAX(?:\.RU)?|KNA|ots|Reuters|REUTERS|RIA Novosti|sda"
    r"|SID|Sputnik|TASS|Xinhua|БЕЛТА|Интерфакс|ИНТЕРФАКС|РИА Новости|ТАСС)"
)
_AGENCY = rf"(?:\({_WIRE}(?:[/-]\w{{1,12}})?\)|/(?:Корр\. )?{_WIRE}/|{_WIRE})"
_DASH = r"(?: ?(?:--|[–—]) ?| - )"

# The capital and the provinces: a Khmer sentence, too, may open with a few words and «៖».
_KHMER_PLACE = (
    r"(?:រាជធានី|ខេត្ត|ក្រុង)?(?:ភ្នំពេញ|កណ្តាល|កំពង់ចាម|កំពង់ឆ្នាំង|កំពង់ធំ|កំពង់ស្ពឺ|កំពត|កែប|កោះកុង|ក្រចេះ"
    r"|តាកែវ|ត្បូងឃ្មុំ|បន្ទាយមានជ័យ|បាត់ដំបង|ប៉ៃលិន|ពោធិ៍សាត់|ព្រះវិហារ|ព្រះសីហនុ|ព្រៃវែង|មណ្ឌលគិរី|រតនគិរី"
    r"|សៀមរាប|ស្ទឹងត្រែង|ស្វាយរៀង|ឧត្តរមានជ័យ)"
)
_KHMER = rf"\(?{_KHMER_PLACE}\)?(?:[ ,]{{0,2}}ថ្ងៃ[^«។៖]{{2,60}}?)?(?: ?{_AGENCY})?"

# A place alone doesn't make a dateline: «Москва – столица …» is a sentence.
_DATELINE = re.compile(
    rf"(?P<line>{_PLACE}[,.] {_DATE}(?:[.,]? {_AGENCY})?|{_PLACE} {_AGENCY}|{_FULL_DATE}"
    rf"|{_DATE}(?:, {_PLACE})? {_AGENCY})(?:{_DASH}(?:{_WIRE}\. )?|(?:[.:]|(?<=\d\.)) )"
    rf"|(?P<khmer>{_KHMER}) ?(?:[៖:]|{_DASH}) ?"
)
_BARE_DATELINE = re.compile(
    rf"(?:{_PLACE}[,.] )?{_DATE}(?:,? \d{{1,2}}[.:]\d\d(?: Uhr)?)?\.?(?: {_AGENCY})?"
    rf"|{_DATE}, {_PLACE}|{_KHMER_PLACE}[ ,]{{0,2}}ថ្ងៃ[^«។៖]{{2,60}}"
)
_PERSON = rf"(?:{_NAME}|[A-ZА-Я]\.)(?: (?:von |van |de |der )*(?:{_NAME}|[A-ZА-Я]\.)){{1,3}}"
_BYLINE = re.compile(
    rf"(?:(?i:von|by)) {_PERSON}(?:(?:,| und| and) {_PERSON})*(?:,? {_AGENCY})?"
    r"|Pressestelle de[rs] \w+(?: \w+)?|Пресс-служба \w+(?: \w+)?"
    r"|\S+@\S+|(?:https?://|www\.)\S+"
    r"|(?i:Presse(?:mitteilung|information|meldung|dienst)|Medienmitteilung|Пресс-релиз"
    r"|Press release)"
    rf"(?: (?:Nr\.|No\.|№) ?[\d/-]+)?(?:,? (?:vom )?{_DATE})?|សេចក្តីប្រកាសព័ត៌មាន"
    rf"|{_AGENCY}"
)
# A label, and whatever follows it.
_LABELLED = re.compile(
    r"(?:Autor(?:in)?|Text|Fotos?|Bild|Quelle|Авторы?|Текст|Фото|Источник|Author|Photo|Source"
    r"|ដោយ|អត្ថបទ|ប្រភព|រូបភាព) ?[:៖] ?\S.*"
    r"|(?:Pressestelle|Pressekontakt|Pressesprecher(?:in)?|Ansprechpartner(?:in)?|Medienkontakt"
    r"|Kontakt|Rückfragen|Пресс-служба|Контакты?|Контактное лицо|Press contact|Media contact"
    r"|Contact|ទំនាក់ទំនង)(?: ?[:៖].*)?"
    r"|(?:(?i:Tel|Telefon|Fax|E-?Mail|Mobil|Internet|Web|Phone|Тел|Телефон|Факс|Сайт)\b[.:]|ទូរស័ព្ទ).*"
)
# Where a sentence ends: at the line's end, save after an initial, or inside the line after a word
# too long to be an abbreviation.
_SENTENCE = re.compile(
    r"(?:(?<!\b[^\W\d_])\.|[!?…])[\"'“”’»)]*\Z|[a-zß-ÿа-яё]{4}[.!?…][\"'“”’»)]* (?!\d)|[។៕៚]"
)
_LONGEST_BYLINE = 120


def is_byline(text: str) -> bool:
    """Tell whether a line names an author, a contact, an agency or the kind of document.

    A line that holds a whole sentence doesn't: «Rückfragen: Der Minister tritt zurück.»
    """
    line = text.rstrip(" :៖")
    if len(text) > _LONGEST_BYLINE:
        return False
    labelled = _LABELLED.fullmatch(line) is not None and _SENTENCE.search(line) is None
    return labelled or _BYLINE.fullmatch(line) is not None


def is_dateline(text: str) -> bool:
    """Tell whether a line is nothing but a date, with or without a place."""
    return len(text) <= _LONGEST_BYLINE and _BARE_DATELINE.fullmatch(text) is not None


def split_dateline(text: str) -> tuple[int, int]:
    """Find the dateline that a paragraph opens with.

    Returns:
        Where the dateline ends, and where the text after it and its separator begins; 0 and 0
        where the paragraph opens with none.
    """
    match = _DATELINE.match(text)
    if match is None or not _opens_sentence(text[match.end() :]):
        return 0, 0
    return match.end(match.lastgroup or 0), match.end()


def _opens_sentence(text: str) -> bool:
    """Tell whether `text` begins as a sentence does; caseless scripts always may."""
    begin = text.lstrip("\"'„“”«»‹›(")[:1]
    return begin.isdigit() or (begin.isalpha() and not begin.islower())

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.errors import InvalidRequest, LanguageUncertain, LanguageUnsupported
from depesche.text.language import check_named, detect
from depesche.types import Language

GERMAN = (
    "Die Stadtwerke erneuern im kommenden Jahr drei Brücken über den Fluss.",
    "Der Vorstand hat gestern beschlossen, die Preise für Fernwärme vorerst nicht zu erhöhen.",
    "«Wir freuen uns über jede Bewerbung», sagte die Leiterin der Schule am Montag in Kassel.",
)
RUSSIAN = (
    "Городские власти сообщили, что ремонт трёх мостов начнётся весной следующего года.",
    "Директор школы рассказала журналистам, что новых учеников стало вдвое больше.",
    "По словам министра, цены на тепло в этом году повышаться не будут.",
)
KHMER = (
    "ក្រសួងអប់រំបានប្រកាសថា សាលារៀនថ្មីចំនួនបីនឹងបើកនៅឆ្នាំក្រោយ។",
    "លោករដ្ឋមន្ត្រីបានថ្លែងថា តម្លៃអគ្គិសនីនឹងមិនឡើងទេ។",
    "ប្រជាជនរាប់ពាន់នាក់បានចូលរួមពិធីនេះនៅទីក្រុងសៀមរាប។",
)
ENGLISH = (
    "The city will renew three bridges across the river over the course of next year.",
    "The board decided yesterday to leave the price of district heating unchanged for now.",
    "“We are glad about every application,” the head of the school said on Monday.",
)
OTHERS = {
    "uk": (
        "Міська влада повідомила, що ремонт трьох мостів розпочнеться навесні наступного року.",
        "Директорка школи розповіла журналістам, що нових учнів стало вдвічі більше.",
        "За словами міністра, ціни на тепло цього року підвищуватися не будуть.",
    ),
    "bg": (
        "Общината съобщи, че ремонтът на трите моста ще започне напролет през следващата година.",
        "Директорката на училището каза пред журналисти, че новите ученици са двойно повече.",
        "Според министъра цените на отоплението тази година няма да се повишават.",
    ),
    "be": (
        "Гарадскія ўлады паведамілі, што рамонт трох мастоў пачнецца вясной наступнага года.",
        "Дырэктарка школы расказала журналістам, што новых вучняў стала ўдвая больш.",
        "Паводле слоў міністра, цэны на цяпло сёлета павышацца не будуць.",
    ),
    "mk": (
        "Градските власти соопштија дека поправката на трите моста ќе почне напролет.",
        "Директорката на училиштето изјави дека има двојно повеќе нови ученици од лани.",
        "Според министерот, цените на греењето годинава нема да се зголемуваат.",
    ),
    "nl": (
        "De gemeente vernieuwt volgend jaar drie bruggen over de rivier.",
        "Het bestuur heeft gisteren besloten de prijzen voor stadsverwarming niet te verhogen.",
        "Volgens de directeur van de school zijn er twee keer zoveel nieuwe leerlingen.",
    ),
    "lb": (
        "D'Gemeng erneiert d'nächst Joer dräi Brécken iwwer de Floss, sot de Buergermeeschter.",
        "De Comité huet gëschter decidéiert, d'Präisser fir d'Heizung net an d'Luucht ze setzen.",
        "D'Direktesch vun der Schoul huet erzielt, datt et duebel esou vill nei Schüler gëtt.",
    ),
    "fr": (
        "La ville va rénover l'année prochaine trois ponts qui traversent la rivière.",
        "Le conseil a décidé hier de ne pas augmenter pour l'instant le prix du chauffage.",
        "Selon la directrice de l'école, le nombre de nouveaux élèves a doublé cette année.",
    ),
    "pl": (
        "Miasto odnowi w przyszłym roku trzy mosty na rzece, poinformował burmistrz.",
        "Zarząd postanowił wczoraj, że ceny ogrzewania na razie nie wzrosną.",
        "Dyrektorka szkoły powiedziała dziennikarzom, że nowych uczniów jest dwa razy więcej.",
    ),
    "da": (
        "Kommunen fornyer næste år tre broer over åen, oplyser borgmesteren i en meddelelse.",
        "Bestyrelsen besluttede i går, at priserne på fjernvarme foreløbig ikke skal stige.",
        "Skolens leder fortalte journalister, at der er kommet dobbelt så mange nye elever.",
    ),
    "es": (
        "El ayuntamiento renovará el próximo año tres puentes sobre el río de la ciudad.",
        "La junta decidió ayer no subir por ahora los precios de la calefacción.",
        "Según la directora de la escuela, hay el doble de alumnos nuevos que el año pasado.",
    ),
    "th": (
        "เทศบาลจะซ่อมแซมสะพานสามแห่งในปีหน้า นายกเทศมนตรีกล่าวเมื่อวันจันทร์",
        "คณะกรรมการตัดสินใจเมื่อวานนี้ว่าจะยังไม่ขึ้นราคาค่าไฟฟ้าในปีนี้",
        "ผู้อำนวยการโรงเรียนกล่าวว่ามีนักเรียนใหม่เพิ่มขึ้นเป็นสองเท่าในปีนี้",
    ),
    "lo": (
        "ເທດສະບານຈະສ້ອມແປງຂົວສາມແຫ່ງໃນປີໜ້າ ເຈົ້າຄອງເມືອງກ່າວໃນວັນຈັນ",
        "ຄະນະກຳມະການໄດ້ຕັດສິນໃຈມື້ວານນີ້ວ່າຈະບໍ່ຂຶ້ນລາຄາໄຟຟ້າໃນປີນີ້",
        "ຜູ້ອຳນວຍການໂຮງຮຽນກ່າວວ່າມີນັກຮຽນໃໝ່ເພີ່ມຂຶ້ນສອງເທົ່າໃນປີນີ້",
    ),
    "vi": (
        "Thành phố sẽ sửa chữa ba cây cầu bắc qua sông trong năm tới, thị trưởng cho biết.",
        "Hội đồng quản trị hôm qua quyết định chưa tăng giá điện trong năm nay.",
        "Hiệu trưởng nhà trường nói rằng số học sinh mới đã tăng gấp đôi so với năm ngoái.",
    ),
    "el": (
        "Ο δήμος θα ανακαινίσει το επόμενο έτος τρεις γέφυρες πάνω από τον ποταμό.",
        "Το συμβούλιο αποφάσισε χθες να μην αυξήσει προς το παρόν τις τιμές της θέρμανσης.",
        "Η διευθύντρια του σχολείου είπε ότι οι νέοι μαθητές είναι διπλάσιοι φέτος.",
    ),
}
SERBIAN = (
    "Градске власти саопштиле су да ће поправка три моста почети на пролеће следеће године.",
    "Директорка школе рекла је новинарима да је нових ученика двоструко више него лане.",
    "Gradske vlasti saopštile su da će popravka tri mosta početi na proleće sledeće godine.",
    "Direktorka škole rekla je novinarima da je novih učenika dvostruko više nego lane.",
)


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (Language.GERMAN, GERMAN),
        (Language.RUSSIAN, RUSSIAN),
        (Language.KHMER, KHMER),
        (Language.ENGLISH, ENGLISH),
    ],
)
def test_supported_languages_are_told(language: Language, sentences: tuple[str, ...]) -> None:
    """Each sentence alone, all together, and one a thousand times over."""
    for text in (*sentences, "\n".join(sentences), " ".join(sentences), sentences[0] * 1000):
        detection = detect(text)
        assert detection.language is language
        assert 0.7 <= detection.confidence <= 1


@pytest.mark.parametrize("code", OTHERS)
def test_other_languages_are_refused_by_name(code: str) -> None:
    """No sentence passes as a supported language, and a few together are named."""
    for sentence in OTHERS[code]:
        with pytest.raises((LanguageUncertain, LanguageUnsupported)):
            detect(sentence)
    with pytest.raises(LanguageUnsupported) as refusal:
        detect("\n".join(OTHERS[code]))
    assert refusal.value.language == code


@pytest.mark.parametrize("sentence", SERBIAN)
def test_serbian_is_refused_in_both_scripts(sentence: str) -> None:
    """It may pass for Croatian or Bosnian, but never for Russian."""
    with pytest.raises((LanguageUncertain, LanguageUnsupported)):
        detect(sentence)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "12.345,67 €", "Москва", "Das Ministerium teilte mit", "Schöne neue Welt", "MdB"],
)
def test_short_texts_are_not_guessed(text: str) -> None:
    """Under 40 letters the caller must name the language."""
    with pytest.raises(LanguageUncertain, match="letters"):
        detect(text)


def test_short_khmer_is_told_by_its_script() -> None:
    """No other language here shares the script."""
    assert detect("សួស្តី").language is Language.KHMER


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(GERMAN + RUSSIAN),
        " ".join(GERMAN + RUSSIAN),
        "\n".join(GERMAN + OTHERS["fr"]),
        " ".join(GERMAN + OTHERS["fr"]),
        "\n".join(GERMAN + ENGLISH),
        "\n".join(RUSSIAN + OTHERS["uk"]),
        "\n".join(KHMER + ENGLISH),
        f"{GERMAN[0]} {OTHERS['fr'][0]}",
        f"{GERMAN[0]} {RUSSIAN[0]}",
    ],
)
def test_mixed_texts_are_said_to_be_mixed(text: str) -> None:
    """Half one language and half another is no release in either."""
    with pytest.raises(LanguageUncertain, match="mixed"):
        detect(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("\n".join((*GERMAN, *GERMAN, ENGLISH[0])), Language.GERMAN),
        (f"{GERMAN[1]} Das Motto lautet «Think global, act local».", Language.GERMAN),
        ("\n".join((*RUSSIAN, *RUSSIAN, ENGLISH[0])), Language.RUSSIAN),
        ("\n".join((*KHMER, *KHMER, ENGLISH[0])), Language.KHMER),
        (GERMAN[1].upper(), Language.GERMAN),
    ],
)
def test_quotations_and_boilerplate_pass(text: str, language: Language) -> None:
    """A phrase or a last paragraph in English doesn't make a release a mixed one."""
    assert detect(text).language is language


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk", "no language"),
        ("SELECT a FROM b WHERE c = d; x = y(z, w, v) { return foobar; } int void", "not clear"),
    ],
)
def test_what_is_no_language_is_not_guessed(text: str, reason: str) -> None:
    """Letters alone make no language."""
    with pytest.raises(LanguageUncertain, match=reason):
        detect(text)


@pytest.mark.parametrize(
    ("text", "named", "reading"),
    [
        ("\n".join(RUSSIAN), Language.GERMAN, "is in Cyrillic letters"),
        ("Москва", Language.ENGLISH, "is in Cyrillic letters"),
        ("សួស្តី", Language.RUSSIAN, "is in Khmer letters"),
        (GERMAN[0], Language.RUSSIAN, "is in Latin letters"),
        (GERMAN[0], Language.KHMER, "is in Latin letters"),
        (GERMAN[0], Language.ENGLISH, "reads as 'de'"),
        ("\n".join(ENGLISH), Language.GERMAN, "reads as 'en'"),
        ("\n".join(OTHERS["uk"]), Language.RUSSIAN, "reads as 'uk'"),
        ("\n".join(OTHERS["fr"]), Language.GERMAN, "reads as 'fr'"),
        ("\n".join(OTHERS["th"]), Language.KHMER, "reads as 'th'"),
    ],
)
def test_a_wrong_name_is_refused(text: str, named: Language, reading: str) -> None:
    """A text in another script, or clearly in another language, isn't what its sender says."""
    with pytest.raises(InvalidRequest) as refusal:
        check_named(text, named)
    (violation,) = refusal.value.violations
    assert violation.field == "release.language"
    assert violation.description == (
        f"says '{named}', and the text {reading}; leave it out to have it detected"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *((sentence, Language.GERMAN) for sentence in GERMAN),
        *((sentence, Language.RUSSIAN) for sentence in RUSSIAN),
        *((sentence, Language.KHMER) for sentence in KHMER),
        *((sentence, Language.ENGLISH) for sentence in ENGLISH),
        ("", Language.GERMAN),
        ("12.345,67 €", Language.KHMER),
        ("Volkswagen Financial Services", Language.RUSSIAN),
        ("The board decided", Language.GERMAN),
        ("\n".join(GERMAN + ENGLISH), Language.GERMAN),
        ("\n".join(GERMAN + RUSSIAN), Language.RUSSIAN),
        (f"{KHMER[0]} {ENGLISH[0]}", Language.KHMER),
        ("aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk", Language.GERMAN),
    ],
)
def test_a_right_or_doubtful_name_passes(text: str, named: Language) -> None:
    """Where the text doesn't contradict clearly, the sender knows better."""
    check_named(text, named)


def test_messages_never_hold_text_of_the_release() -> None:
    """An error names languages only."""
    with pytest.raises(LanguageUncertain) as refusal:
        detect("\n".join(GERMAN + RUSSIAN))
    assert "Stadtwerke" not in str(refusal.value)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=500))
def test_any_text_is_told_or_refused(text: str) -> None:
    """No text makes detection fail in any other way."""
    with suppress(LanguageUncertain, LanguageUnsupported):
        assert 0.7 <= detect(text).confidence <= 1

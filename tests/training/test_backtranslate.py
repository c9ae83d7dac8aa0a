from models.training import data
from models.training.backtranslate import cleaned, put, wanted
from models.training.text import Pair

ENGLISH = "The minister gave twelve reasons for it"
PAIRS = [
    Pair("Der Minister nannte zwölf Gründe", ENGLISH, "de", "pud"),
    Pair("Министр назвал причины", "The minister, too, gave his reasons", "ru", "pud"),
]


def test_references_of_other_languages_are_wanted() -> None:
    """A language gets the English that others have and it has not."""
    found = wanted(PAIRS, {"km": 10, "ru": 10}, 1)
    assert {(pair.language, pair.target) for pair in found} == {
        ("km", ENGLISH),
        ("km", PAIRS[1].target),
        ("ru", ENGLISH),
    }
    assert {(pair.source, pair.corpus) for pair in found} == {("", data.BACKTRANSLATED)}


def test_the_same_english_is_wanted_once_however_it_is_written() -> None:
    """Case and punctuation make no other sentence, and a known one isn't wanted again."""
    again = Pair("Минист", ENGLISH.upper() + ".", "ru", "pud")
    assert len(wanted([*PAIRS, again], {"km": 10}, 1)) == 2
    assert wanted([*PAIRS, again], {"ru": 10}, 1) == []


def test_neither_calls_nor_help_of_software_are_wanted() -> None:
    """Corpora of little weight, and sentences that are short, are left out."""
    pairs = [Pair("a", ENGLISH, "de", "multi30k"), Pair("b", "Not now", "de", "pud")]
    assert wanted(pairs, {"km": 10}, 1) == []


def test_no_more_than_asked_and_the_same_each_time() -> None:
    """The choice is reproducible."""
    pairs = [Pair("a", f"{ENGLISH} {number}", "de", "pud") for number in range(30)]
    chosen = wanted(pairs, {"km": 5}, 1)
    assert len(chosen) == 5
    assert chosen == wanted(pairs, {"km": 5}, 1)


def test_what_is_no_text_of_the_language_is_left_out() -> None:
    """Other scripts and lengths that can't be are faults of a model as of a person."""
    asked = wanted(PAIRS, {"km": 2}, 1)
    good = put(asked, [["រដ្ឋមន្ត្រីបានផ្តល់ហេតុផលដប់ពីរ"], ["The minister gave his reasons"]])
    assert [pair.source for pair in cleaned(good)] == ["រដ្ឋមន្ត្រីបានផ្តល់ហេតុផលដប់ពីរ"]
    assert cleaned(put(asked, [["ក" * 400], [""]])) == []

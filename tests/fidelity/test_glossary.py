import pytest

from depesche.fidelity.glossary import glossary, word_list
from depesche.text.normalize import normalize
from depesche.types import Language

SOURCES = (Language.GERMAN, Language.KHMER, Language.RUSSIAN)


@pytest.mark.parametrize("language", SOURCES)
def test_entries_are_well_formed(language: Language) -> None:
    """Each entry is normalised and has English forms, the first of them fit to be proposed."""
    entries = glossary(language)
    for source, forms in [*entries.words.items(), *entries.stems.items()]:
        assert normalize(source).text == source
        assert all(form == form.strip() and form.strip("*") for form in forms)


@pytest.mark.parametrize("language", SOURCES)
def test_entries_are_unique(language: Language) -> None:
    """No line of a glossary repeats another's source."""
    entries = glossary(language)
    forms = [*entries.words, *entries.stems]
    assert len({form.casefold() for form in entries.stems}) <= len(entries.stems)
    assert len(set(forms)) == len(forms)


def test_pattern_prefers_the_longer_stem() -> None:
    """Of stems that begin alike, the longer one is found."""
    match = glossary(Language.RUSSIAN).pattern.search("Австралийский посол")
    assert match is not None
    assert match[0] == "Австралийский"
    assert "Australia*" in glossary(Language.RUSSIAN).stems[match[1].lower()]


def test_word_lists_are_read_without_comments() -> None:
    """A list holds its words and no comment."""
    assert "nicht" in word_list("german")
    assert "USA" in word_list("everyday")
    assert not any(word.startswith("#") for word in word_list("german") | word_list("everyday"))

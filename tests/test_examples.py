import html
import re
from pathlib import Path

import pytest

from tests.facts import Example, Fact, load_examples

EXAMPLES = load_examples()


def _visible(path: Path) -> str:
    """Give the text of a release as a reader sees it, near enough to look words up."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return " ".join(text.replace("\u200b", "").split())


def test_every_example_has_facts() -> None:
    """No release lies in `examples/` that nobody checks."""
    released = {path.name for path in EXAMPLES[0].path.parent.glob("release*")}
    assert {example.path.name for example in EXAMPLES} == released


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_facts_stand_in_their_release(example: Example) -> None:
    """The words that a fact is drawn from are in the release."""
    text = _visible(example.path)
    assert [fact.source for fact in example.facts if fact.source not in text] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_facts_are_well_formed(example: Example) -> None:
    """A fact has ways of saying it, a known place, and says whether it is required."""
    for fact in example.facts:
        assert fact.any_of
        assert all(fact.any_of)
        assert fact.where in {"brief", "translation"}
        assert isinstance(fact.required, bool)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_has_required_facts_for_brief_and_translation(example: Example) -> None:
    """Each release has something that no brief and no translation of it may lose."""
    assert {fact.where for fact in example.facts if fact.required} == {"brief", "translation"}


@pytest.mark.parametrize(
    ("way", "english", "expected"),
    [
        ("25", "About 25 people.", True),
        ("25", "About 250 people.", False),
        ("25", "In 2025 it was.", False),
        ("25", "It grew by 3.25 points.", False),
        ("25", "Some 25,000 came.", False),
        ("25", "There were 25.", True),
        ("3.5%", "up by 3.5%.", True),
        ("3.5%", "up by 13.5%.", False),
        ("12.5 million", "It costs $12.5 million.", True),
        ("12.5m", "It costs $12.5m.", True),
        ("UN", "The un agreed.", True),
        ("UN", "Under review.", False),
        ("banks and hospitals", "Banks\u00a0and\nhospitals", True),
    ],
)
def test_a_fact_is_looked_up_as_whole_words(way: str, english: str, expected: bool) -> None:
    """A way of saying a fact counts in any case and spacing, but not inside a word or figure."""
    assert Fact("", [way], "translation", required=True).holds(english) is expected


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("release.ru.txt", r"«[^»]+[.!?] [^»]+»"),
        ("release.ru.txt", r"\d (?:млн|млрд) долл\. США"),
        ("release.ru.txt", r"[А-Я]\. [А-Я]\. [А-Я][а-я]+"),
        ("release.ru.txt", r"т\. е\."),
        ("release.km.txt", r"«[^»]+។ [^»]+»"),
        ("release.km.txt", r"[០-៩]\.[០-៩]{3} លានដុល្លារ"),
        ("release.km.txt", "\u200b"),
        ("release.km.txt", r"អ\.ស\.ប"),
        ("release.km.txt", r"។ល។"),
        ("release-long.de.txt", r"«[^»]+[.!?] [^»]+»"),
        ("release-long.de.txt", r"d\. h\."),
        ("release.de.html", r"&[a-z]+;"),
        ("release.de.html", r"<nav|<footer|<script"),
    ],
)
def test_an_example_shows_a_hard_case(name: str, pattern: str) -> None:
    """The releases keep the habits of their language that the pipeline must cope with."""
    text = (EXAMPLES[0].path.parent / name).read_text(encoding="utf-8")
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("name", "unit", "least"),
    [
        ("release.ru.txt", r"\w+", 300),
        ("release.km.txt", r"[\u1780-\u17ff]", 1800),
        ("release-long.de.txt", r"\w+", 1400),
    ],
)
def test_an_example_is_long_enough(name: str, unit: str, least: int) -> None:
    """The releases are of the length that newsrooms send."""
    text = (EXAMPLES[0].path.parent / name).read_text(encoding="utf-8")
    assert len(re.findall(unit, text)) >= least

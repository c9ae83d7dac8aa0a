from collections import Counter
from pathlib import Path

import pytest

from models.training.data import epoch, held_out, load, read, report, save, select
from models.training.text import Pair

NEWS = [
    Pair(f"Satz {n} der Nachrichten", f"Sentence {n} of the news", "de", "pud") for n in range(9)
]


def write(folder: Path, corpus: str, language: str, pairs: list[tuple[str, str]]) -> None:
    path = folder / corpus / f"{language}-en"
    path.mkdir(parents=True)
    path.joinpath("src.txt").write_text("".join(f"{source}\n" for source, _ in pairs), "utf-8")
    path.joinpath("ref.txt").write_text("".join(f"{target}\n" for _, target in pairs), "utf-8")


def test_reading_keeps_lines_aligned(tmp_path: Path) -> None:
    """Each line of a source comes with its reference, corpora in the order of their names."""
    write(tmp_path, "b", "ru", [("раз", "one"), ("два", "two")])
    write(tmp_path, "a", "de", [("drei", "three")])
    assert list(read(tmp_path)) == [
        Pair("drei", "three", "de", "a"),
        Pair("раз", "one", "ru", "b"),
        Pair("два", "two", "ru", "b"),
    ]


def test_files_that_are_not_aligned_are_refused(tmp_path: Path) -> None:
    """A missing line would pair every later sentence with a wrong one."""
    write(tmp_path, "a", "de", [("drei", "three"), ("vier", "four")])
    tmp_path.joinpath("a/de-en/ref.txt").write_text("three\n", "utf-8")
    with pytest.raises(SystemExit, match="aligned"):
        list(read(tmp_path))


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    """A line separator within a sentence doesn't shift the lines after it."""
    write(tmp_path, "a", "de", [("drei\u2028Tage", "three days"), ("vier", "four")])
    assert [pair.target for pair in read(tmp_path)] == ["three days", "four"]


def test_what_is_measured_on_is_not_learnt(tmp_path: Path) -> None:
    """A pair of which either side is in a dev or test set is dropped, in whatever case."""
    write(tmp_path / "dev", "flores", "de", [("Das ist geheim.", "This is secret.")])
    write(tmp_path / "test", "flores", "ru", [("Это тайна.", "It is a mystery.")])
    pairs = [
        Pair("das ist GEHEIM", "That is a secret", "de", "pud"),
        Pair("Das ist ein Rätsel.", "It is a mystery!", "de", "pud"),
        *NEWS[:1],
    ]
    kept, [tally] = select(pairs, held_out(tmp_path))
    assert kept == NEWS[:1]
    assert tally.dropped == {"held out": 2}


def test_repetitions_are_kept_once() -> None:
    """The same pair from another corpus isn't learnt twice."""
    again = Pair(NEWS[0].source.upper(), NEWS[0].target, "de", "xquad")
    kept, tallies = select([*NEWS, again], set())
    assert kept == NEWS
    assert [(tally.corpus, tally.read, tally.kept) for tally in tallies] == [
        ("pud", 9, 9),
        ("xquad", 1, 0),
    ]


def test_pairs_are_cleaned() -> None:
    """What is kept is the cleaned text."""
    kept, _ = select([Pair("Ein  „Satz“ ", "A  “sentence” ", "de", "pud")], set())
    assert kept == [Pair("Ein „Satz“", 'A "sentence"', "de", "pud")]


def test_report_counts_by_reason() -> None:
    """The report has a row for each corpus and a column for each reason."""
    _, tallies = select([*NEWS, NEWS[0], Pair("", "", "de", "pud")], set())
    header, _, row = report(tallies).splitlines()
    assert header == "| corpus | language | read | kept | weight | duplicate | empty |"
    assert row == "| pud | de | 11 | 9 | 1.0 | 1 | 1 |"


def test_saved_pairs_come_back(tmp_path: Path) -> None:
    """Pairs survive the file between two steps, odd line separators included."""
    pairs = [*NEWS, Pair("a\u2028b\x85c", '"d"', "km", "udhr")]
    save(pairs, tmp_path / "pairs.jsonl")
    assert load(tmp_path / "pairs.jsonl") == pairs


def test_weights_decide_how_often_a_pair_is_shown() -> None:
    """A corpus of weight 2 comes twice an epoch; one of 0.12 in about that share."""
    khmer = [Pair(str(n), str(n), "km", "tico19_dev") for n in range(100)]
    help_ = [Pair(str(n), str(n), "km", "libreoffice_help") for n in range(2000)]
    shown = Counter(epoch([*khmer, *help_], 0, seed=1))
    assert all(shown[position] == 2 for position in range(100))
    assert 180 < sum(shown.values()) - 200 < 300


def test_unlisted_corpora_are_shown_once() -> None:
    """Corpora that the recipe doesn't know count as they are."""
    pairs = [Pair(str(n), str(n), "ru", "own") for n in range(5)]
    assert sorted(epoch(pairs, 3, seed=1)) == [0, 1, 2, 3, 4]


def test_epochs_are_reproducible_and_differ() -> None:
    """The same seed and number give the same epoch; other ones another order."""
    pairs = NEWS * 5
    assert epoch(pairs, 1, seed=7) == epoch(pairs, 1, seed=7)
    assert epoch(pairs, 1, seed=7) != epoch(pairs, 2, seed=7)
    assert epoch(pairs, 1, seed=7) != epoch(pairs, 1, seed=8)

import dataclasses
import tomllib
from pathlib import Path

import pytest

from depesche.models.manifest import Quality
from models.training.evaluate import Result, leaderboard, quality_lines, table, write_card
from models.training.rates import Rates

RESULT = Result("flores", "de", 150, 25.71, 51.66, Rates(0.005, 0.0, 0.02, 0.0), "nrefs:1")


def test_leaderboard_is_read_for_one_set(tmp_path: Path) -> None:
    """Scores come by model and language; other sets and further columns don't matter."""
    path = tmp_path / "scores.tsv"
    lines = [
        "flores\tde-en\tnllb\t41.2\t65.731\t0.5\tsomewhere",
        "flores\tru-en\tnllb\t33.2\t59.4\t\tsomewhere",
        "other\tde-en\tnllb\t1\t2\t3\tsomewhere",
    ]
    path.write_text("\n".join(lines), "utf-8")
    assert leaderboard(path, "flores") == {
        "nllb": {"de": ("41.2", "65.731"), "ru": ("33.2", "59.4")}
    }


def test_table_has_quality_failures_and_signature() -> None:
    """A row tells quality, and failures in percent; below stands how it was measured."""
    text = table([RESULT], {})
    assert "| flores | de | 150 | 25.7 | 51.7 | 0.5% | 0.0% | 2.0% | 0.0% |" in text
    assert "sacrebleu: `nrefs:1`" in text


def test_table_sets_public_models_beside() -> None:
    """Public models' scores follow by language; what is missing is marked."""
    text = table([RESULT], {"nllb": {"de": ("41.2", "65.731"), "ru": ("", "59.4")}})
    assert "| nllb | 41.2 / 65.7 |  | – / 59.4 |" in text


def test_quality_is_told_as_the_manifest_wants_it() -> None:
    """The last set's figures are entries that the manifest accepts."""
    dev = dataclasses.replace(RESULT, data="dev")
    [bleu, chrf] = tomllib.loads(quality_lines([dev, RESULT]))["quality"]
    assert Quality.model_validate(bleu).value == 25.7
    assert (chrf["metric"], chrf["value"], chrf["data"]) == ("chrF", 51.7, "flores")


def test_card_changes_between_its_markers_only(tmp_path: Path) -> None:
    """Writing the table twice leaves one table and the rest of the card."""
    card = tmp_path / "README.md"
    card.write_text("a\n<!-- evaluation -->\nold\n<!-- /evaluation -->\nb\n", "utf-8")
    for _ in range(2):
        write_card(card, "new \\1\n")
    assert card.read_text("utf-8") == ("a\n<!-- evaluation -->\nnew \\1\n<!-- /evaluation -->\nb\n")


def test_card_without_markers_is_refused(tmp_path: Path) -> None:
    """The tool doesn't guess where a table belongs."""
    card = tmp_path / "README.md"
    card.write_text("nothing", "utf-8")
    with pytest.raises(SystemExit, match="evaluation"):
        write_card(card, "new\n")

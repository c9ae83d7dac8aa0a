"""Systems are measured and compared as sacrebleu and rouge-score do."""

import json
import sys

import pytest

from depesche.errors import ConfigurationError
from depesche.evaluate import Run, compare, compare_summaries, kinds_of, score
from depesche.types import Language
from depesche.v1 import types_pb2

_LINES = ["The Bundestag approved the budget on Friday.", "It provides for more spending."]
# Enough of them for a difference to be told from chance.
_REFERENCES = [
    f"The council of district {i} approved the new budget of {i} million euros on Friday."
    for i in range(40)
]
_WORSE = [line.replace("approved", "has agreed to").replace("new ", "") for line in _REFERENCES]


def run(name: str, outputs: list[str], seconds: float = 1.0, **shares: float) -> Run:
    model = {"name": name, "revision": "1", "digest": "a", "quantisation": "int8", "licence": "MIT"}
    return Run(name, model, outputs, [()] * len(outputs), shares, seconds)


def test_perfect_translations_score_100() -> None:
    """The reference itself scores 100 by both metrics."""
    chrf, bleu = score(_LINES, _LINES)

    assert (chrf.name, bleu.name) == ("chrF2", "BLEU")
    assert chrf.value == pytest.approx(100)
    assert bleu.value == pytest.approx(100)


def test_worse_translations_score_less() -> None:
    """Another sentence scores less by both metrics, but more than nothing by chrF."""
    chrf, bleu = score(["The Bundestag agreed.", "More spending."], _LINES)

    assert 10 < chrf.value < 90
    assert bleu.value < 50


def test_signatures_are_sacrebleus() -> None:
    """Each score carries the signature that makes it comparable."""
    chrf, bleu = score(_LINES, _LINES)

    assert chrf.signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.")
    assert bleu.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.")


def test_rates_are_percentages_of_sentences() -> None:
    """Each kind of fault counts a sentence once, and any finding counts."""
    findings = [
        (),
        ("REPETITION", "REPETITION"),
        ("UNTRANSLATED", "NUMBER_MISSING", "NUMBER_INVENTED", "NAME_MISSING"),
        ("EMPTY",),
    ]
    one = Run("one", {}, _LINES, findings, {"by beam or parts": 12.5}, 1.0)
    (system,) = compare([one], _LINES, Language.GERMAN).systems

    assert system.sentences == 4
    assert system.rates == {
        "loops": 25.0,
        "untranslated": 25.0,
        "empty": 25.0,
        "wrong figures": 25.0,
        "wrong names": 25.0,
        "any finding": 75.0,
        "by beam or parts": 12.5,
    }


def test_kinds_of_findings() -> None:
    """Are named as in the API, without their beginning."""
    kinds = (types_pb2.FINDING_KIND_NUMBER_MISSING, types_pb2.FINDING_KIND_EMPTY)
    assert kinds_of([types_pb2.Finding(kind=kind) for kind in kinds]) == ("NUMBER_MISSING", "EMPTY")


def test_no_sentences_have_no_faults() -> None:
    """Lines without a sentence give rates of zero."""
    one = Run("one", {}, ["***"], [], {}, 1.0)
    (system,) = compare([one], ["***"], Language.GERMAN).systems
    assert set(system.rates.values()) == {0.0}


def test_a_worse_system_is_told_from_an_equal_one() -> None:
    """By the p-value, and by a mark in the table; the first has none."""
    runs = [run("first", _REFERENCES), run("same", _REFERENCES), run("worse", _WORSE, 0.5)]
    report = compare(runs, _REFERENCES, Language.GERMAN)
    first, same, worse = report.systems

    assert [found.p_value for found in first.scores] == [None, None]
    for found in same.scores:
        assert found.p_value is not None
        assert found.p_value > 0.5
    for found, best in zip(worse.scores, first.scores, strict=True):
        assert found.value < best.value
        assert found.p_value is not None
        assert found.p_value < 0.01
    lines = report.table().splitlines()
    assert lines[0].split() == ["first", "same", "worse"]
    assert lines[1].split()[:3] == ["chrF2", "100.00", "100.00"]
    assert lines[1].endswith("*")
    assert lines[3].split() == ["sources/s", "40.00", "40.00", "80.00"]
    assert lines[4].split() == ["to", "the", "first", "1.00", "1.00", "2.00"]
    assert "* differs from the first at p < 0.05, by a paired bootstrap of 1000" in lines[-1]


def test_one_chance_difference_is_none() -> None:
    """A single line out of forty says nothing."""
    other = [_WORSE[0], *_REFERENCES[1:]]
    report = compare([run("a", other), run("b", _REFERENCES)], _REFERENCES, Language.RUSSIAN)
    assert "*" not in report.table().splitlines()[1]


def test_json() -> None:
    """All figures are there under stable keys."""
    runs = [run("first", _REFERENCES), run("worse", _WORSE, 0.5, again=3.0)]
    document = json.loads(compare(runs, _REFERENCES, Language.KHMER).json())

    assert document["task"] == "translation"
    assert (document["language"], document["sources"]) == ("km", 40)
    assert document["test"] == {"kind": "paired bootstrap", "samples": 1000, "seed": 12345}
    first, worse = document["systems"]
    assert set(first) == {
        *("name", "model", "scores", "rates", "sentences", "per_second", "speed_ratio"),
    }
    assert first["scores"][0]["p_value"] is None
    assert worse["scores"][0]["p_value"] < 0.01
    assert worse["speed_ratio"] == pytest.approx(2.0)
    assert worse["model"]["licence"] == "MIT"
    assert worse["rates"]["again"] == 3.0


def test_summaries() -> None:
    """Are scored by ROUGE, sentence by sentence, with the same test."""
    report = compare_summaries([run("first", _REFERENCES), run("worse", _WORSE)], _REFERENCES)
    first, worse = report.systems

    assert [found.name for found in first.scores] == ["ROUGE-1", "ROUGE-2", "ROUGE-Lsum"]
    assert [found.value for found in first.scores] == pytest.approx([100, 100, 100])
    assert all(found.p_value is not None and found.p_value < 0.01 for found in worse.scores)
    assert report.task == "summary"
    assert report.table().count("rouge-score|") == 1


def test_equal_summaries_do_not_differ() -> None:
    """Not even by a hair."""
    report = compare_summaries([run("a", _WORSE), run("b", _WORSE)], _REFERENCES)
    assert [found.p_value for found in report.systems[1].scores] == [1.0, 1.0, 1.0]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tells how to add it."""
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'depesche\[evaluate\]'"):
        compare_summaries([run("a", _LINES)], _LINES)

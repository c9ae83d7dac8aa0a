"""Systems are measured and compared as sacrebleu and rouge-score do."""

import json
import sys

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from depesche.errors import ConfigurationError
from depesche.evaluate import Run, _p_value, compare, compare_summaries, kinds_of, score
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
    (system,) = compare([one], _LINES, Language.GERMAN, 12).systems

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
    (system,) = compare([one], ["***"], Language.GERMAN, 1).systems
    assert set(system.rates.values()) == {0.0}


def test_a_worse_system_is_told_from_an_equal_one() -> None:
    """By the p-value; the first has none."""
    runs = [run("first", _REFERENCES), run("same", _REFERENCES), run("worse", _WORSE, 0.5)]
    report = compare(runs, _REFERENCES, Language.GERMAN, 600)
    first, same, worse = report.systems

    assert [found.p_value for found in first.scores] == [None, None]
    assert [found.p_value for found in same.scores] == [1.0, 1.0]
    for found, best in zip(worse.scores, first.scores, strict=True):
        assert found.value < best.value
        assert found.p_value is not None
        assert found.p_value < 0.01
    lines = report.table().splitlines()
    assert lines[0].split() == ["first", "same", "worse"]
    assert lines[1].split()[:3] == ["chrF2", "100.00", "100.00"]
    assert lines[2].split() == ["p", "-", "1.000", "0.001"]
    assert lines[5].split() == ["words/s", "600.0", "600.0", "1200.0"]
    assert lines[6].split() == ["to", "the", "first", "1.00", "1.00", "2.00"]
    assert lines[-1].endswith("by paired approximate randomisation with 1000 trials, seed 12345")


def test_one_chance_difference_is_none() -> None:
    """A single line out of forty says nothing, and nor does a single line."""
    other = [_WORSE[0], *_REFERENCES[1:]]
    report = compare([run("a", other), run("b", _REFERENCES)], _REFERENCES, Language.RUSSIAN, 600)
    assert [found.p_value for found in report.systems[1].scores] == [1.0, 1.0]

    lone = [run("a", _WORSE[:1]), run("b", _REFERENCES[:1])]
    report = compare(lone, _REFERENCES[:1], Language.RUSSIAN, 15)
    assert [found.p_value for found in report.systems[1].scores] == [1.0, 1.0]


def test_p_values_are_sacrebleus() -> None:
    """Its own approximate randomisation says the same, by other dice."""
    one = [_WORSE[i] if i % 4 == 0 else line for i, line in enumerate(_REFERENCES)]
    other = [line.replace("budget", "plan") if i % 4 == 1 else line for i, line in enumerate(one)]
    other[0] = _REFERENCES[0]
    report = compare([run("a", one), run("b", other)], _REFERENCES, Language.GERMAN, 600)

    metrics = {"chrF2": CHRF(references=[_REFERENCES]), "BLEU": BLEU(references=[_REFERENCES])}
    _, theirs = PairedTest([("a", one), ("b", other)], metrics, None, "ar", n_samples=1000)()
    for found in report.systems[1].scores:
        expected = theirs[found.name][1]
        assert not isinstance(expected, str)
        assert found.value == pytest.approx(expected.score)
        assert found.p_value == pytest.approx(expected.p_value, abs=0.05)


def test_equal_systems_are_called_different_as_often_as_said() -> None:
    """At p < 0.05 that is one pair in twenty."""
    dice = np.random.default_rng(1)
    pairs = dice.normal(size=(400, 2, 30, 1))
    p_values = np.array([_p_value(one, other, lambda s: float(s[0])) for one, other in pairs])

    assert 0.025 < (p_values < 0.05).mean() < 0.075
    assert 0.4 < np.median(p_values) < 0.6


def test_several_models_fit_a_terminal() -> None:
    """Long names are folded at hyphens, and end above their columns."""
    names = [
        "embedded",
        "opus-mt-tc-big-gmw-gmw",
        "nllb-200-distilled-600m",
        "m2m100-418m",
        "x" * 13,
    ]
    runs = [run(name, _REFERENCES) for name in names]
    lines = compare(runs, _REFERENCES, Language.GERMAN, 600).table().splitlines()

    assert lines[0].split() == ["nllb-200-"]
    assert lines[1].split() == ["opus-mt-tc-", "distilled-"]
    assert lines[2].split() == ["embedded", "big-gmw-gmw", "600m", "m2m100-418m", "x" * 13]
    assert lines[3].split() == ["chrF2", *["100.00"] * 5]
    assert max(map(len, lines)) <= 100
    # The last name, the number below it, and what stands in the columns between end alike.
    assert len(lines[2]) == len(lines[3])
    assert lines[0].rindex("-") == lines[1].rindex("-") == lines[2].index("600m") + len("600m") - 1


def test_json() -> None:
    """All figures are there under stable keys."""
    runs = [run("first", _REFERENCES), run("worse", _WORSE, 0.5, again=3.0)]
    document = json.loads(compare(runs, _REFERENCES, Language.KHMER, 600).json())

    assert document["task"] == "translation"
    assert (document["language"], document["sources"], document["words"]) == ("km", 40, 600)
    kind = "paired approximate randomisation"
    assert document["test"] == {"kind": kind, "trials": 1000, "seed": 12345}
    first, worse = document["systems"]
    assert set(first) == {
        *("name", "model", "scores", "rates", "sentences"),
        *("seconds", "words_per_second", "speed_ratio"),
    }
    assert first["scores"][0]["p_value"] is None
    assert worse["scores"][0]["p_value"] < 0.01
    assert worse["speed_ratio"] == pytest.approx(2.0)
    assert worse["model"]["licence"] == "MIT"
    assert worse["rates"]["again"] == 3.0


def test_summaries() -> None:
    """Are scored by ROUGE, sentence by sentence, with the same test."""
    runs = [run("first", _REFERENCES), run("worse", _WORSE)]
    report = compare_summaries(runs, _REFERENCES, 600)
    first, worse = report.systems

    assert [found.name for found in first.scores] == ["ROUGE-1", "ROUGE-2", "ROUGE-Lsum"]
    assert [found.value for found in first.scores] == pytest.approx([100, 100, 100])
    assert all(found.p_value is not None and found.p_value < 0.01 for found in worse.scores)
    assert report.task == "summary"
    assert report.table().count("rouge-score:0.1.2|stem:porter|split:depesche-") == 1


def test_equal_summaries_do_not_differ() -> None:
    """Not even by a hair."""
    report = compare_summaries([run("a", _WORSE), run("b", _WORSE)], _REFERENCES, 600)
    assert [found.p_value for found in report.systems[1].scores] == [1.0, 1.0, 1.0]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tells how to add it."""
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'depesche\[evaluate\]'"):
        compare_summaries([run("a", _LINES)], _LINES, 12)

import pytest

from depesche.evaluate import evaluate
from depesche.v1 import types_pb2

_LINES = ["The Bundestag approved the budget on Friday.", "It provides for more spending."]


def _sentence(*kinds: types_pb2.FindingKind.ValueType) -> types_pb2.TranslatedSentence:
    findings = [types_pb2.Finding(kind=kind) for kind in kinds]
    return types_pb2.TranslatedSentence(findings=findings)


def test_perfect_translations_score_100() -> None:
    """The reference itself scores 100 by both metrics."""
    chrf, bleu = evaluate(_LINES, _LINES, []).scores

    assert (chrf.name, bleu.name) == ("chrF2", "BLEU")
    assert chrf.value == pytest.approx(100)
    assert bleu.value == pytest.approx(100)


def test_worse_translations_score_less() -> None:
    """Another sentence scores less by both metrics, but more than nothing by chrF."""
    chrf, bleu = evaluate(["The Bundestag agreed.", "More spending."], _LINES, []).scores

    assert 10 < chrf.value < 90
    assert bleu.value < 50


def test_signatures_are_sacrebleus() -> None:
    """Each score carries the signature that makes it comparable."""
    chrf, bleu = evaluate(_LINES, _LINES, []).scores

    assert chrf.signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.")
    assert bleu.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.")


def test_rates_are_percentages_of_sentences() -> None:
    """Each kind of fault counts a sentence once, and any finding counts."""
    sentences = [
        _sentence(),
        _sentence(types_pb2.FINDING_KIND_REPETITION, types_pb2.FINDING_KIND_REPETITION),
        _sentence(types_pb2.FINDING_KIND_UNTRANSLATED, types_pb2.FINDING_KIND_NUMBER_MISSING),
        _sentence(types_pb2.FINDING_KIND_EMPTY),
    ]

    rates = evaluate(_LINES, _LINES, sentences).rates

    assert rates == {"loops": 25.0, "untranslated": 25.0, "empty": 25.0, "any finding": 75.0}


def test_no_sentences_have_no_faults() -> None:
    """Lines without a sentence give rates of zero."""
    assert set(evaluate([""], [""], []).rates.values()) == {0.0}


def test_report() -> None:
    """The report has a line for each score with its signature, and for each rate."""
    report = str(evaluate(_LINES, _LINES, [_sentence(types_pb2.FINDING_KIND_EMPTY)]))

    assert report.splitlines()[0].startswith("chrF2        100.00  nrefs:1|")
    assert "empty        100.00% of 1 sentences" in report.splitlines()

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.text.quotes import balance, balance_all, quotations, repair

WORDS = st.text(st.sampled_from("ab я,. "), max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Он сказал: «Да».", ["Да"]),
        ("«Да, — сказал он, — идём» и «Нет».", ["Да, — сказал он, — идём", "Нет"]),
        ("«Мы читали «Войну и мир» вслух», — сказал он.", ["Мы читали «Войну и мир» вслух"]),
        ("Глава ООО «Ромашка» и ООО «Компания «Север» выступил.", ["Ромашка", "Компания «Север"]),
        ("„Wir kommen wieder!“, rief er.", ["Wir kommen wieder!"]),
        ('Er sagte „ja" und ging.', ["ja"]),
        ("„Er sagte ‚ja‘ und ging“, hieß es.", ["Er sagte ‚ja‘ und ging"]),
        ("»Wir kommen«, sagte er.", ["Wir kommen"]),
        ("Er sagte: “Gut.”", ["Gut."]),
        ('"Yes," he said. "We go."', ["Yes,", "We go."]),
        ("‘Yes,’ he said.", ["Yes,"]),
        ("“He said ‘no’ to us,” she said.", ["He said ‘no’ to us,"]),
        ("The ministers’ plan isn’t the world’s ’90s plan.", []),
        ('A 5" pipe.', []),
        ("លោកថា«កិច្ចប្រជុំ»។", ["កិច្ចប្រជុំ"]),
        ("លោកថា “ល្អ”។", ["ល្អ"]),
        ("«Die Partner begrüßten die Initiative.", ["Die Partner begrüßten die Initiative."]),
        ("Die Arbeit geht weiter», hieß es.", ["Die Arbeit geht weiter"]),
        ("weiter“, hieß es.", ["weiter"]),
        ("Keine.", []),
    ],
)
def test_finds_quotations(text: str, expected: list[str]) -> None:
    """Quotations of every style are found, whole or cut, without their marks."""
    assert [text[span.start : span.end] for span in quotations(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("«Auf der Tagesordnung standen Fragen.", "«Auf der Tagesordnung standen Fragen.»"),
        ("Die Arbeit geht weiter», hieß es.", "«Die Arbeit geht weiter», hieß es."),
        ("„Wir kommen. ", "„Wir kommen.“ "),
        ("Wir kommen“, rief er.", "„Wir kommen“, rief er."),
        ("»Wir kommen.", "»Wir kommen.«"),
        ("weiter«, sagte er.", "»weiter«, sagte er."),
        ("Стороны согласны», — сказали в МИД.", "«Стороны согласны», — сказали в МИД."),
        ("យើងនឹងបន្ត»។", "«យើងនឹងបន្ត»។"),
        ("“We will continue.", "“We will continue.”"),
        ('"We will continue.', '"We will continue."'),
        ("«Да», — сказал он.", "«Да», — сказал он."),
        ("Ohne.", "Ohne."),
        ("", ""),
    ],
)
def test_balances_a_cut_quotation(text: str, expected: str) -> None:
    """A mark without partner gets one of its style, where the text was cut."""
    assert balance(text) == expected


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (["«A.", "B.", "C», сказал.", "D."], ["«A.»", "«B.»", "«C», сказал.", "D."]),
        (["«A.", "B."], ["«A.»", "B."]),
        (["„A", "‚B‘ „C“", "D“."], ["„A“", "„‚B‘ „C““", "„D“."]),
        ([], []),
    ],
)
def test_balances_a_paragraph(sentences: list[str], expected: list[str]) -> None:
    """Sentences inside a quotation that a later sentence closes are quotations too."""
    assert balance_all(sentences) == expected


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        ('"On the agenda were questions.', "«Fragen.", '"On the agenda were questions."'),
        ('channels", the ministry said.', "Kanäle», so", '"channels," the ministry said.'),
        ('platforms , "the Ministry said.', "«P», so", '"platforms," the Ministry said.'),
        ('""Yes"", he said .', "«Да», — сказал он.", '"Yes," he said.'),
        ("``Yes,'' he said.", "«Да», — сказал он.", '"Yes," he said.'),
        ("He said «yes».", "Он сказал «да».", 'He said "yes."'),
        ('He said: " yes " and left.', "Er sagte: „ja“ und ging.", 'He said: "yes" and left.'),
        ('The firm "Rose" won.', "ООО «Роза» победило.", 'The firm "Rose" won.'),
        ("„He read ‚it‘“, he said.", "„A ‚b‘“, c.", "\"He read 'it',\" he said."),
        ("“Really?”, he asked.", "„Wirklich?“, fragte er.", '"Really?" he asked.'),
        ("We agree.", "«Мы согласны.»", '"We agree."'),
        ("We agree, he said.", "«Мы согласны», — сказал он.", "We agree, he said."),
        ('He said "yes.', "Er bejahte.", "He said yes."),
        ("It’s the ministers’ plan.", "Das ist der Plan.", "It's the ministers' plan."),
        ("", "«Да.»", ""),
    ],
)
def test_repairs_english(target: str, source: str, expected: str) -> None:
    """English comes out with whole, straight quotations where the source has some."""
    assert repair(target, source) == expected


@given(
    parts=st.lists(st.tuples(st.sampled_from(["«{}»", "„{}“", "“{}”", "»{}«", "{}"]), WORDS)),
    source=st.sampled_from(["«a»", "a"]),
)
@settings(deadline=None)
def test_whole_quotations_stay(parts: list[tuple[str, str]], source: str) -> None:
    """Balanced text is left as it is, and repairing twice changes nothing more."""
    text = " — ".join(style.format(f"x{words.strip()}y") for style, words in parts)
    assert balance(text) == text
    repaired = repair(text, source)
    assert repair(repaired, source) == repaired


@given(text=st.text(st.sampled_from('ab ,.«»„“”"‚‘’5\n')))
@settings(deadline=None)
def test_any_marks_are_survived(text: str) -> None:
    """Quotations of any text are in order and inside it; balancing only adds to it."""
    spans = quotations(text)
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    assert text.strip() in balance(text)
    repair(text, text)

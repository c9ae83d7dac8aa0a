"""Briefs as text and Markdown, from messages made by hand."""

import pytest

from depesche import render
from depesche.v1 import translation_pb2, types_pb2

_AMOUNT = types_pb2.Finding(
    kind=types_pb2.FINDING_KIND_AMOUNT_MISSING,
    message="An amount of the original isn't in the English",
    expected="€1.2 billion",
)
_GERMAN = (
    "Bundestag stimmt Haushalt zu",
    "Der Bundestag hat am Freitag dem Haushalt zugestimmt.",
    "Er sieht Ausgaben von 1,2 Milliarden Euro vor.",
)
_ENGLISH = (
    "Bundestag approves budget",
    "The Bundestag approved the budget on Friday.",
    "It provides for spending.",
)


def _brief(**changes: object) -> types_pb2.Brief:
    sentences = [
        types_pb2.TranslatedSentence(index=i, source=source, normalised_source=source, text=english)
        for i, (source, english) in enumerate(zip(_GERMAN, _ENGLISH, strict=True))
    ]
    sentences[2].findings.append(_AMOUNT)
    fields: dict[str, object] = {
        "headline": types_pb2.BriefSentence(text=_ENGLISH[0], sentence_indices=[0]),
        "key_sentences": [
            types_pb2.BriefSentence(text=_ENGLISH[1], sentence_indices=[1]),
            types_pb2.BriefSentence(text=_ENGLISH[2], sentence_indices=[2], findings=[_AMOUNT]),
        ],
        "detection": types_pb2.Detection(language="de", confidence=0.998),
        "translation": sentences,
        "signature": types_pb2.Signature(line="depesche:0|splitter:1"),
    }
    return types_pb2.Brief(**(fields | changes))  # type: ignore[arg-type]


def _stated(text: str, *indices: int) -> types_pb2.Brief:
    """Make a brief of one sentence."""
    sentence = types_pb2.BriefSentence(text=text, sentence_indices=indices or [1])
    return _brief(headline=sentence, key_sentences=[])


def test_text() -> None:
    """A brief reads as headline, key sentences with faults under them, sources and provenance."""
    assert render.text(_brief()) == (
        "Bundestag approves budget [1]\n"
        "\n"
        "• The Bundestag approved the budget on Friday. [2]\n"
        "• ⚠ It provides for spending. [3]\n"
        "    - An amount of the original isn't in the English (expected: €1.2 billion)\n"
        "\n"
        "Sources\n"
        "[1] Bundestag stimmt Haushalt zu\n"
        "[2] Der Bundestag hat am Freitag dem Haushalt zugestimmt.\n"
        "[3] Er sieht Ausgaben von 1,2 Milliarden Euro vor.\n"
        "\n"
        "German (99% sure), 3 sentences, 1 to check\n"
        "depesche:0|splitter:1\n"
    )


def test_markdown() -> None:
    """In Markdown the sources are footnotes, numbered as the sentences are."""
    assert render.markdown(_brief()) == (
        "# Bundestag approves budget[^1]\n"
        "\n"
        "- The Bundestag approved the budget on Friday.[^2]\n"
        "- ⚠ It provides for spending.[^3]\n"
        "  - An amount of the original isn't in the English (expected: €1.2 billion)\n"
        "\n"
        "German (99% sure), 3 sentences, 1 to check\n"
        "\n"
        "`depesche:0|splitter:1`\n"
        "\n"
        "[^1]: Bundestag stimmt Haushalt zu\n"
        "[^2]: Der Bundestag hat am Freitag dem Haushalt zugestimmt.\n"
        "[^3]: Er sieht Ausgaben von 1,2 Milliarden Euro vor.\n"
    )


def test_sentences_to_check_elsewhere() -> None:
    """Sentences that failed a check and aren't in the brief are listed with their originals."""
    brief = _stated("x", 1)

    assert render.text(brief).startswith(
        "x [2]\n"
        "\n"
        "To check elsewhere\n"
        "[3] It provides for spending.\n"
        "    - An amount of the original isn't in the English (expected: €1.2 billion)\n"
        "\n"
        "Sources\n"
        "[2] Der Bundestag hat am Freitag dem Haushalt zugestimmt.\n"
        "[3] Er sieht Ausgaben von 1,2 Milliarden Euro vor.\n"
    )
    assert render.markdown(brief).startswith(
        "# x[^2]\n"
        "\n"
        "## To check elsewhere\n"
        "\n"
        "- ⚠ It provides for spending.[^3]\n"
        "  - An amount of the original isn't in the English (expected: €1.2 billion)\n"
    )
    assert f"\n[^3]: {_GERMAN[2]}\n" in render.markdown(brief)
    assert "elsewhere" not in render.text(_brief())


def test_several_sources() -> None:
    """A sentence refers to each of its sources, and a source is quoted once."""
    brief = _stated("Both.", 0, 2)
    brief.key_sentences.add(text="Again.", sentence_indices=[2])

    assert "Both. [1] [3]\n" in render.text(brief)
    assert "Both.[^1][^3]\n" in render.markdown(brief)
    assert render.text(brief).count(_GERMAN[2]) == 1
    assert _GERMAN[1] not in render.text(brief)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("*Not* _bold_ at all", r"\*Not\* \_bold\_ at all"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[click](http://x.test)", r"\[click\](http://x.test)"),
        ("AT&amp;T `code` | cell", r"AT\&amp;T \`code\` \| cell"),
        (r"back\slash", r"back\\slash"),
        ("# not a heading", r"\# not a heading"),
        ("- not a list", r"\- not a list"),
        ("24. November", r"24\. November"),
        ("1.2 billion - and more", "1.2 billion - and more"),
        ("Line\nbreak", "Line break"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    """Nothing in a release becomes markup."""
    brief = _stated("x")
    brief.key_sentences.add(text=text, sentence_indices=[1])

    assert f"\n- {escaped}[^2]\n" in render.markdown(brief)


@pytest.mark.parametrize("write", [render.text, render.markdown])
def test_a_terminal_is_safe(write: type[str]) -> None:
    """Control characters and bidirectional marks of a release don't reach the terminal."""
    written = write(_stated("Safe\x1b[31m \u202eand\u202c sound\x9b\x07"))  # type: ignore[arg-type]

    assert not set(written) & set("\x1b\x9b\x07\u202e\u202c")


def test_html_sources_are_shown_without_tags() -> None:
    """Of an HTML release the normalised sentence is shown, not the raw markup."""
    brief = _stated("x")
    brief.translation[1].source = "Der <b>Bundestag</b> hat&nbsp;zugestimmt."

    assert _GERMAN[1] in render.text(brief)
    assert "<b>" not in render.text(brief)


def test_lines_are_wrapped_at_spaces() -> None:
    """Text stays within 88 columns, indented under its bullet; Khmer isn't broken in a syllable."""
    brief = _brief()
    brief.key_sentences[0].text = "word " * 40
    brief.translation[0].normalised_source = khmer = "រដ្ឋាភិបាល" * 20

    written = render.text(brief)

    assert f"[1] {khmer}\n" in written or f"[1]\n    {khmer}\n" in written
    assert "\n  word word" in written
    assert all(len(line) <= 88 for line in written.splitlines() if khmer not in line)


@pytest.mark.parametrize(
    ("language", "confidence", "line"),
    [
        ("ru", 1.0, "Russian, "),
        ("km", 0.5, "Khmer (50% sure), "),
        ("de", 0.9999, "German (99% sure), "),
    ],
)
def test_language(language: str, confidence: float, line: str) -> None:
    """The language has its name; a language that was named carries no confidence."""
    detection = types_pb2.Detection(language=language, confidence=confidence)

    assert f"\n{line}" in render.text(_brief(detection=detection))


def test_details_are_said_once() -> None:
    """What a message already says isn't repeated behind it."""
    brief = _stated("x")
    brief.headline.findings.add(message="Says IKT, not ICT", expected="ICT", found="IKT")

    assert "- Says IKT, not ICT\n" in render.text(brief)


def test_translation() -> None:
    """A translation keeps the blocks of the release, and tells which sentences failed a check."""
    response = translation_pb2.TranslateResponse()
    for index, (block, text) in enumerate([(0, "Title"), (1, "One."), (1, "Two.")]):
        response.translation.add(index=index, block=block, text=text)
    response.translation[2].findings.append(_AMOUNT)

    assert render.translation(response) == (
        "Title\n"
        "\n"
        "One. ⚠ Two.\n"
        "\n"
        "To check\n"
        "[3] Two.\n"
        "    - An amount of the original isn't in the English (expected: €1.2 billion)\n"
    )

    del response.translation[2].findings[:]
    assert render.translation(response) == "Title\n\nOne. Two.\n"


def _use(source: str, target: str, outcome: str, *lacking: int) -> types_pb2.GlossaryUse:
    term = types_pb2.GlossaryTerm(source=source, target=target)
    span = types_pb2.TextSpan(start=0, end=1)
    there = types_pb2.GlossaryPlace(sentence_index=1, target_span=span)
    places = [there, *(types_pb2.GlossaryPlace(sentence_index=i) for i in lacking)]
    value = types_pb2.GlossaryOutcome.Value(f"GLOSSARY_OUTCOME_{outcome}")
    return types_pb2.GlossaryUse(term=term, outcome=value, places=places)


_USES = [
    _use("Haushalt", "budget*", "APPLIED"),
    _use("Bundestag", "", "APPLIED"),
    _use("Rat", "council", "REFUSED", 2, 2),
    _use("Brücke", "bridge", "NOT_MATCHED"),
]


def test_glossary() -> None:
    """Each outcome has a line, if any term has it; refused terms name their sentences."""
    lines = (
        "Glossary\n"
        "Applied: Haushalt → budget*; Bundestag → Bundestag\n"
        "Refused: Rat → council [3]\n"
        "Not in the release: Brücke → bridge\n"
    )
    response = translation_pb2.TranslateResponse(glossary=_USES)

    assert f"\n\n{lines}\nSources\n" in render.text(_brief(glossary=_USES))
    assert render.translation(response).endswith(lines)
    assert (
        "\n\n## Glossary\n\n- Applied: Haushalt → budget\\*; Bundestag → Bundestag\n"
        "- Refused: Rat → council \\[3\\]\n- Not in the release: Brücke → bridge\n\n"
    ) in render.markdown(_brief(glossary=_USES))
    assert "Refused" not in render.text(_brief(glossary=_USES[:2]))
    assert "Glossary" not in render.text(_brief())


@pytest.mark.parametrize(
    ("edited", "words"),
    [
        (0, "German (99% sure), 3 sentences, 1 to check"),
        (1, "German (99% sure), 3 sentences, 1 to check; 1 sentence of the brief edited by hand"),
        (2, "German (99% sure), 3 sentences, 1 to check; 2 sentences of the brief edited by hand"),
    ],
)
def test_edited_sentences_are_counted(edited: int, words: str) -> None:
    """Every form says how many there are, if there are any."""
    assert f"\n{words}\n" in render.text(_brief(), edited=edited)
    assert f"\n{words}\n" in render.markdown(_brief(), edited=edited)
    assert f"<p>{words}</p>" in render.html(_brief(), edited=edited)


def test_a_signature_stays_on_its_line() -> None:
    """One that was made up can't begin another block; one that isn't there leaves no trace."""
    brief = _brief(signature=types_pb2.Signature(line="a`b\n\n# c\x1b"))
    assert "\n\n`a'b # c`\n\n" in render.markdown(brief)
    assert render.text(brief).endswith("\na`b # c\n")

    none = _brief(signature=types_pb2.Signature())
    assert "``" not in render.markdown(none)
    assert render.text(none).endswith(", 1 to check\n")

from typing import Any

import pytest

from depesche.errors import (
    InvalidRequest,
    LanguageUncertain,
    LanguageUnsupported,
    ModelUnknown,
    Violation,
)
from depesche.server.validation import (
    brief_arguments,
    model_argument,
    renamed,
    summarise_arguments,
    translate_arguments,
)
from depesche.types import (
    BriefOptions,
    ContentFormat,
    GlossaryTerm,
    Language,
    Priority,
    Release,
    SummaryStrategy,
)
from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2, types_pb2

_TERMS = [types_pb2.GlossaryTerm(source="a", target="b"), types_pb2.GlossaryTerm(source="c")]


def _brief(**release: Any) -> brief_pb2.CreateBriefRequest:
    return brief_pb2.CreateBriefRequest(release=types_pb2.Release(**release))


def test_defaults() -> None:
    """What a request leaves out has its default."""
    release, options = brief_arguments(_brief(text="Hallo"), 200)

    assert release == Release("Hallo")
    assert options == BriefOptions()


def test_everything_is_read() -> None:
    """What a request sets arrives, a count of 0 included, for it is not the same as none."""
    request = _brief(
        text="<p>Привет</p>",
        title="Заголовок",
        language="ru",
        content_format=types_pb2.CONTENT_FORMAT_HTML,
    )
    request.options.sentence_count = 0
    request.options.strategy = types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE
    request.options.priority = types_pb2.PRIORITY_BULK
    release, options = brief_arguments(request, 200)

    assert release == Release("<p>Привет</p>", ContentFormat.HTML, "Заголовок", Language.RUSSIAN)
    assert options == BriefOptions(0, SummaryStrategy.ABSTRACTIVE, Priority.BULK)


def test_translate_and_summarise_arguments() -> None:
    """The other requests are read alike; a summary's text is English."""
    translate = translation_pb2.TranslateRequest(
        release=types_pb2.Release(text="x"),
        options=translation_pb2.TranslateOptions(priority=types_pb2.PRIORITY_BULK),
    )
    summarise = summarisation_pb2.SummariseRequest(text="x", sentence_count=2)

    assert translate_arguments(translate, 200) == (
        Release("x"),
        BriefOptions(priority=Priority.BULK),
    )
    assert summarise_arguments(summarise) == (
        Release("x", language=Language.ENGLISH),
        BriefOptions(2),
    )


@pytest.mark.parametrize("code", ["", "auto"])
def test_language_is_left_to_detection(code: str) -> None:
    """Neither an empty code nor "auto" names a language."""
    assert brief_arguments(_brief(text="x", language=code), 200)[0].language is None


@pytest.mark.parametrize("code", ["uk", "bg", "fr", "nl"])
def test_a_language_without_a_model_is_a_precondition(code: str) -> None:
    """A code of ISO 639-1 that isn't ours is understood and refused."""
    with pytest.raises(LanguageUnsupported, match=f"'{code}' is not supported"):
        brief_arguments(_brief(text="x", language=code), 200)


@pytest.mark.parametrize(
    ("code", "but"),
    [
        ("xx", ", not 'xx'"),
        ("DE", ", not 'DE'"),
        ("de-AT", ", not 'de-AT'"),
        ("Die geheime Nachricht", ""),
        ("de\n", ""),
        ("д", ""),
    ],
)
def test_what_is_no_code_is_invalid(code: str, but: str) -> None:
    """Anything else is invalid; what might be text of a release isn't repeated."""
    with pytest.raises(InvalidRequest) as caught:
        brief_arguments(_brief(text="x", language=code), 200)
    assert caught.value.violations == (
        Violation("release.language", f"must be one of de, en, km, ru or empty{but}"),
    )


def test_the_id_has_a_limit() -> None:
    """An id at the limit passes; one over it doesn't, and all faults are told at once."""
    brief_arguments(_brief(text="x", id="i" * 10), 10)
    with pytest.raises(InvalidRequest) as caught:
        brief_arguments(_brief(text="x", id="i" * 11, language="?"), 10)
    assert [v.field for v in caught.value.violations] == ["release.id", "release.language"]
    assert caught.value.violations[0].description == "has 11 characters; the limit is 10"


@pytest.mark.parametrize(
    ("read", "request_"),
    [
        (brief_arguments, brief_pb2.CreateBriefRequest()),
        (translate_arguments, translation_pb2.TranslateRequest()),
    ],
)
def test_the_release_is_required(read: Any, request_: Any) -> None:
    """A request without a release is invalid."""
    with pytest.raises(InvalidRequest, match="release: is required"):
        read(request_, 200)


def test_a_glossary_is_read() -> None:
    """The terms of every request arrive, in their order."""
    brief = _brief(text="x")
    brief.options.glossary.extend(_TERMS)
    translate = translation_pb2.TranslateRequest(release=brief.release)
    translate.options.glossary.extend(_TERMS)
    expected = (GlossaryTerm("a", "b"), GlossaryTerm("c"))

    assert brief_arguments(brief, 200)[1].glossary == expected
    assert translate_arguments(translate, 200)[1].glossary == expected


@pytest.mark.parametrize("name", ["", "n" * 65, "Ein Satz", "größe", "a\nb", "a\n", "<b>"])
def test_model_names_are_checked(name: str) -> None:
    """A model's name is required, short and plain, for it comes back in the error."""
    with pytest.raises(InvalidRequest, match=r"^name: "):
        model_argument(model_pb2.GetModelRequest(name=name))


def test_fields_are_named_as_the_request_has_them() -> None:
    """The paths of an error are those of the request at hand, in its message too."""
    with pytest.raises(LanguageUncertain) as caught, renamed({"language": "release.language"}):
        raise LanguageUncertain("can't be told")

    assert caught.value.violations == (Violation("release.language", "can't be told"),)
    assert str(caught.value) == "release.language: can't be told"


def test_other_errors_keep_their_names() -> None:
    """An error without a renamed field is left as it is."""
    with pytest.raises(ModelUnknown) as caught, renamed({"language": "text"}):
        raise ModelUnknown("big")

    assert str(caught.value) == "name: no model is named 'big'"

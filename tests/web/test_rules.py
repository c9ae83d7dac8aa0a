import pytest
from google.api.annotations_pb2 import http
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from depesche.web.rules import rules, rules_of, services


def test_the_paths_of_the_api() -> None:
    """Each stands for one method."""
    assert {(rule.verb, rule.path): rule.full_method for rule in rules()} == {
        ("POST", "/v1/briefs"): "/depesche.v1.BriefService/CreateBrief",
        ("POST", "/v1/briefs:stream"): "/depesche.v1.BriefService/StreamBrief",
        ("POST", "/v1/checks"): "/depesche.v1.FidelityService/CheckSentence",
        ("GET", "/v1/models"): "/depesche.v1.ModelService/ListModels",
        ("GET", "/v1/models/{name}"): "/depesche.v1.ModelService/GetModel",
        ("POST", "/v1/summaries"): "/depesche.v1.SummarisationService/Summarise",
        ("POST", "/v1/translations"): "/depesche.v1.TranslationService/Translate",
        ("POST", "/v1/languages:detect"): "/depesche.v1.TranslationService/DetectLanguage",
    }


def test_methods_for_other_servers_have_no_path() -> None:
    """A feed goes both ways, and a reload is the operator's."""
    names = {rule.method.name for rule in rules()}
    every = {method.name for service in services() for method in service.methods}

    assert every - names == {"BriefReleases", "ReloadModels"}


def test_a_rule_knows_its_messages() -> None:
    """Their types, and which fields the path tells."""
    rule = next(rule for rule in rules() if rule.variables)

    assert rule.variables == ("name",)
    assert rule.request_type.DESCRIPTOR.full_name == "depesche.v1.GetModelRequest"
    assert rule.response_name == "depesche.v1.GetModelResponse"
    assert not rule.has_body


def service(*, streams: bool = False, **rule: str) -> ServiceDescriptor:
    """Make a service of one method, whose request has the fields `a` and `b`."""
    file = FileDescriptorProto(name="x.proto", package="x", syntax="proto3")
    message = file.message_type.add(name="M")
    for number, name in enumerate("ab", 1):
        message.field.add(name=name, number=number, type=FieldDescriptorProto.TYPE_STRING)
    method = file.service.add(name="S").method.add(
        name="Do", input_type=".x.M", output_type=".x.M", client_streaming=streams
    )
    for name, value in rule.items():
        setattr(method.options.Extensions[http], name, value)
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("x.S")


@pytest.mark.parametrize(
    "rule",
    [
        {"get": "/v1/x/{a}/{b}"},
        {"post": "/v1/x", "body": "*"},
        {"post": "/v1/x/{a}", "body": "*"},
        {"post": "/v1/x/{a}:do/{b}"},
    ],
)
def test_a_new_method_needs_but_its_annotation(rule: dict[str, str]) -> None:
    """As long as the path and the body tell all of the request."""
    (found,) = rules_of([service(**rule)])

    assert found.path == rule.get("get") or rule.get("post")


@pytest.mark.parametrize(
    "rule",
    [
        {"get": "/v1/x"},
        {"get": "/v1/x/{a}"},
        {"put": "/v1/x", "body": "*"},
        {"post": "/v1/x/{a}", "body": "b"},
        {"post": "/v1/x/{c}", "body": "*"},
    ],
)
def test_a_rule_that_would_not_work_is_refused(rule: dict[str, str]) -> None:
    """At the start, and not by a request that loses a field."""
    with pytest.raises(NotImplementedError, match=r"x\.S\.Do"):
        list(rules_of([service(**rule)]))


def test_streams_of_requests_and_second_paths_are_refused() -> None:
    """HTTP has no way for the one, and this edge none for the other."""
    with pytest.raises(NotImplementedError):
        list(rules_of([service(post="/v1/x", body="*", streams=True)]))


def test_methods_without_a_rule_are_passed_over() -> None:
    """They are for gRPC alone."""
    assert list(rules_of([service()])) == []

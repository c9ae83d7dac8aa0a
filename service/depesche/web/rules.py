"""Which path of HTTP stands for which method: the `google.api.http` rules of the protos."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.api.annotations_pb2 import http
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from depesche import v1

__all__ = ["Rule", "rules", "rules_of", "services"]

_VERBS = ("get", "post")
_VARIABLE = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Rule:
    """The path of one method.

    Attributes:
        method: the method's descriptor.
        verb: the method of HTTP, in capitals.
        path: the path, with variables as `{name}`, which stand for one segment each.
        has_body: whether the body of the HTTP request is the request message.
    """

    method: MethodDescriptor
    verb: str
    path: str
    has_body: bool

    @property
    def full_method(self) -> str:
        """The method as gRPC's path names it."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def request_type(self) -> type[Message]:
        """The class of requests."""
        return GetMessageClass(self.method.input_type)

    @property
    def response_name(self) -> str:
        """The full name of the type of responses."""
        return str(self.method.output_type.full_name)

    @property
    def variables(self) -> tuple[str, ...]:
        """The fields of the request that the path tells."""
        return tuple(_VARIABLE.findall(self.path))


def services() -> tuple[ServiceDescriptor, ...]:
    """Give every service of the API, in the order of their files."""
    names = sorted(info.name for info in pkgutil.iter_modules(v1.__path__))
    modules = [importlib.import_module(f"{v1.__name__}.{n}") for n in names if n.endswith("_pb2")]
    return tuple(s for module in modules for s in module.DESCRIPTOR.services_by_name.values())


def rules() -> tuple[Rule, ...]:
    """Give the rules of the API."""
    return tuple(rules_of(services()))


def rules_of(found: Iterable[ServiceDescriptor]) -> Iterator[Rule]:
    """Give the rules of some services.

    Raises:
        NotImplementedError: a rule needs more than a GET or POST at one path, whose variables and
            body tell all fields of the request.
    """
    for service in found:
        for method in service.methods:
            if method.GetOptions().HasExtension(http):
                yield _rule(method, method.GetOptions().Extensions[http])


def _rule(method: MethodDescriptor, annotation: Any) -> Rule:
    verb = annotation.WhichOneof("pattern")
    rule = Rule(
        method, verb.upper(), str(getattr(annotation, verb)), has_body=annotation.body == "*"
    )
    fields = {field.name for field in method.input_type.fields}
    unbound = set() if rule.has_body else fields - set(rule.variables)
    if (
        verb not in _VERBS
        or annotation.body not in ("", "*")
        or annotation.additional_bindings
        or method.client_streaming
        or unbound
        or not fields.issuperset(rule.variables)
    ):
        raise NotImplementedError(f"{method.full_name}: the JSON edge can't serve this rule")
    return rule

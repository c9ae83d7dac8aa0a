"""Write the tables of docs/api.md: the methods, from the protos, and the errors, from the code."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto
from grpc import StatusCode
from grpc_tools import protoc

from depesche import errors
from depesche.errors import DepescheError
from depesche.server.status import CODES

__all__ = ["ADVICE", "api", "descriptors"]

_ROOT = Path(__file__).parents[1]
_DOCUMENT = _ROOT / "docs" / "api.md"
# Their numbers in google/protobuf/descriptor.proto, by which source locations are paths.
_SERVICE, _METHOD = 6, 2

ADVICE: dict[type[DepescheError], str] = {
    errors.InvalidRequest: "Mend the fields that `violations` (`BadRequest`) names.",
    errors.LanguageUncertain: "Name the language in `release.language`.",
    errors.LanguageUnsupported: "Don't send it again; `ErrorInfo` has the `language`.",
    errors.FeatureUnavailable: "Leave the option out that `violations` names.",
    errors.ModelUnknown: "Take a name from `ListModels`.",
    errors.Unauthenticated: "Send `authorization: Bearer TOKEN`.",
    errors.QueueFull: "Come again after `retry_after` (`RetryInfo`).",
    errors.QuotaExceeded: "Send less; come again after `retry_after` (`RetryInfo`).",
    errors.DeadlineExceeded: "Allow more time, or set `allow_incomplete`.",
    errors.NotReady: "Call again, elsewhere if there are several servers.",
    errors.ShuttingDown: "Call again, elsewhere if there are several servers.",
    errors.ReloadFailed: "Mend what the message names; the old models serve on.",
}
"""What a caller should do about each error that has a status of its own."""


def api() -> str:
    """Give the document with its tables made anew."""
    text = _DOCUMENT.read_text("utf-8")
    for name, rows in (("methods", _methods()), ("errors", _errors())):
        begin, end = f"<!-- {name}: `make docs` -->\n", f"<!-- end of {name} -->"
        table = "\n".join(rows)
        text = re.sub(f"(?s)({begin}).*({end})", lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text)
    return text


def descriptors() -> FileDescriptorSet:
    """Read the protos with their comments.

    Raises:
        ValueError: they can't be compiled.
    """
    files = [str(path) for path in sorted((_ROOT / "proto").rglob("*.proto"))]
    googles = Path(annotations_pb2.__file__).parents[2]
    protobufs = Path(protoc.__file__).with_name("_proto")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "protos"
        includes = [f"-I{folder}" for folder in (_ROOT / "proto", googles, protobufs)]
        if protoc.main(["protoc", *includes, "--include_source_info", f"-o{out}", *files]):
            raise ValueError("the protos can't be compiled")
        return FileDescriptorSet.FromString(out.read_bytes())


def _methods() -> Iterator[str]:
    yield "| method | request → reply | as JSON | what it does |"
    yield "| --- | --- | --- | --- |"
    for file in descriptors().file:
        comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        for place, service in enumerate(file.service):
            for number, method in enumerate(service.method):
                comment = comments[_SERVICE, place, _METHOD, number]
                yield f"| `{service.name}.{method.name}` | {_method(method)} | {_line(comment)} |"


def _method(method: MethodDescriptorProto) -> str:
    request = _message(method.input_type, stream=method.client_streaming)
    reply = _message(method.output_type, stream=method.server_streaming)
    return f"{request} → {reply} | {_path(method)}"


def _message(name: str, *, stream: bool) -> str:
    return f"{'stream of ' * stream}`{name.rpartition('.')[2]}`"


def _path(method: MethodDescriptorProto) -> str:
    rule = method.options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    return f"`{verb.upper()} {getattr(rule, verb)}`" if verb else ""


def _line(comment: str) -> str:
    return " ".join(comment.split())


def _errors() -> Iterator[str]:
    yield "| class, and `ErrorInfo.reason` | status | when | what to do |"
    yield "| --- | --- | --- | --- |"
    for error, code in CODES.items():
        if code is not StatusCode.INTERNAL:
            when = (error.__doc__ or "").partition("\n")[0]
            yield f"| `{error.__name__}` | {code.name} | {when} | {ADVICE[error]} |"

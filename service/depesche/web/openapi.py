"""The OpenAPI document of the JSON edge, made from the protos; `docs/generate.py` writes it.

It describes what the edge writes, and of what it reads the usual form. Besides that the edge takes
whatever else protobuf's JSON allows: names as in the protos, numbers in quotes, null for nothing.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from depesche.web.comments import comments
from depesche.web.rules import Rule, rules
from depesche.web.schemas import reference, schemas

__all__ = ["document"]

_VERSION = "v1"
_JSON = "application/json"
_DESCRIPTION = """\
English briefs of German, Russian and Khmer releases, with their sources.

The messages are those of the gRPC services of `depesche.v1`, in protobuf's JSON. Besides the form
that is shown here, requests may have names of fields as in the protos, enumerations as numbers,
numbers in quotes, and null for a field that isn't there."""

_ERRORS: Mapping[int, str] = {
    400: "The request breaks a rule; `BadRequest` among the details names each field and its rule."
    " Or the release's language, or an option, has no model here.",
    401: "A token is needed, or the one that was sent is nobody's.",
    403: "A page of another site has asked.",
    404: "There is none of that name.",
    408: "The body came too slowly.",
    413: "The body is too long.",
    415: "The body isn't said to be `application/json`.",
    421: "The service isn't known by the name that it was asked for.",
    429: "The service is full, or the quota is used up; `Retry-After` tells when to come again.",
    500: "The service has failed; its log tells more under the request's id.",
    501: "The service is of a version that doesn't have this.",
    503: "The service starts, drains, or can't be reached.",
    504: "The time that the request allows has passed.",
}
_OF_BODIES = (403, 408, 413, 415)
_FULL = 429

_STATUS = {
    "type": "object",
    "description": "An error: a `google.rpc.Status`.",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {
            "type": "integer",
            "minimum": 1,
            "maximum": 16,
            "description": "A `google.rpc.Code`.",
        },
        "message": {"type": "string", "description": "What is wrong, for a person."},
        "details": {
            "type": "array",
            "description": "Messages of google/rpc/error_details.proto, for programs.",
            "items": {
                "type": "object",
                "required": ["@type"],
                "properties": {"@type": {"type": "string"}},
            },
        },
    },
}
_PARAMETERS = {
    "timeout": {
        "name": "grpc-timeout",
        "in": "header",
        "description": "How long the request may take: a whole number, and H, M, S, m"
        " (milliseconds), u or n.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,8}[HMSmun]$"},
        "example": "60S",
    },
    "id": {
        "name": "x-request-id",
        "in": "header",
        "description": "The id by which the request stands in the log: at most 64 letters,"
        " digits, points, hyphens and underscores; anything else is replaced.",
        "schema": {"type": "string"},
    },
}
_HEADERS = {
    "id": {
        "description": "The id by which the request stands in the log.",
        "required": False,
        "schema": {"type": "string"},
    },
    "retry": {
        "description": "Seconds after which to come again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def document(files: FileDescriptorSet) -> dict[str, Any]:
    """Make the document.

    Args:
        files: the API's descriptors, with comments.
    """
    texts = comments(files)
    known = rules()
    paths: dict[str, dict[str, Any]] = {}
    for rule in known:
        paths.setdefault(rule.path, {})[rule.verb.lower()] = _operation(rule, texts)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Depesche",
            "version": _VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"token": []}],
        "tags": [_tag(name, texts) for name in sorted({_service(rule) for rule in known})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas(
                [rule.method.input_type for rule in known if rule.has_body],
                [rule.method.output_type for rule in known],
                texts,
            )
            | {"Status": _STATUS},
            "responses": {f"Error{code}": _error(code) for code in _ERRORS},
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _service(rule: Rule) -> str:
    return str(rule.method.containing_service.full_name)


def _tag(service: str, texts: Mapping[str, str]) -> dict[str, Any]:
    return {"name": service.rpartition(".")[2], "description": texts[service]}


def _operation(rule: Rule, texts: Mapping[str, str]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.method.name,
        "tags": [rule.method.containing_service.name],
        "description": texts[rule.method.full_name],
        "parameters": [
            *(_path_parameter(rule, name, texts) for name in rule.variables),
            *({"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS),
        ],
        "responses": _responses(rule),
    }
    if rule.has_body:
        content = {_JSON: {"schema": reference(rule.method.input_type)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameter(rule: Rule, name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    field = rule.method.input_type.fields_by_name[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": texts[field.full_name],
        "schema": {"type": "string", "minLength": 1},
    }


def _responses(rule: Rule) -> dict[str, Any]:
    left_out = {*(() if rule.has_body else _OF_BODIES), *(() if rule.variables else (404,))}
    errors = (code for code in _ERRORS if code not in left_out)
    found: dict[str, Any] = {
        "200": {
            "description": "Events, the last of which is an error if one comes up."
            if rule.method.server_streaming
            else "Done.",
            "headers": {"x-request-id": {"$ref": "#/components/headers/id"}},
            "content": _content(rule),
        }
    }
    return found | {str(c): {"$ref": f"#/components/responses/Error{c}"} for c in errors}


def _content(rule: Rule) -> dict[str, Any]:
    schema = reference(rule.method.output_type)
    if not rule.method.server_streaming:
        return {_JSON: {"schema": schema}}
    events = [_event("message", schema), _event("error", {"$ref": "#/components/schemas/Status"})]
    return {"text/event-stream": {"schema": {"oneOf": events}}}


def _event(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an event by its parts; `message` is the name of one that has none."""
    return {
        "type": "object",
        "required": ["data"],
        "properties": {
            "event": {"const": name},
            "data": {"type": "string", "contentMediaType": _JSON, "contentSchema": data},
        },
    }


def _error(code: int) -> dict[str, Any]:
    headers = {"x-request-id": {"$ref": "#/components/headers/id"}}
    if code == _FULL:
        headers["retry-after"] = {"$ref": "#/components/headers/retry"}
    return {
        "description": _ERRORS[code],
        "headers": headers,
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Status"}}},
    }

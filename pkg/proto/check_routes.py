"""Does every `google.api.http` say what can be served, and does no route hide another?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pkg.proto.http_rule import Template, method_and_path, parse_template, raw_rules

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

    from pkg.proto.findings import Findings

_HTTP = (4, 72295728)
"""Where the option lies in a method: in its options, by the extension's number."""
_ADDITIONAL = 11
_TOKEN = re.compile(r"\*|[A-Za-z][A-Za-z0-9-]*", re.ASCII)


def check_routes(findings: Findings) -> None:
    """Looks at every method of every service."""
    taken: dict[tuple[str, str], tuple[str, MethodDescriptor]] = {}
    for service in findings.services():
        for method in service.methods:
            for index, raw in enumerate(raw_rules(findings.schema, method)):
                where = _HTTP if index == 0 else (*_HTTP, _ADDITIONAL, index - 1)
                for text in _faults(findings, method, raw, nested=index > 0):
                    findings.add(method, text, where)
                _claim(findings, method, raw, taken, where)


def _faults(findings: Findings, method: MethodDescriptor, raw: Any, *, nested: bool) -> list[str]:
    verb, path = method_and_path(raw)
    name = f"{verb} {path}"
    if not _TOKEN.fullmatch(verb):
        return [f"{name.strip() or method.full_name}: the rule names no HTTP method and path"]
    found = []
    if method.client_streaming:
        found.append("a client stream cannot come over HTTP")
    if nested and raw.additional_bindings:
        found.append("additional_bindings inside additional_bindings")
    try:
        template = parse_template(path)
    except ValueError as error:
        return [f"{name}: {text}" for text in (*found, str(error))]
    request, response = method.input_type, method.output_type
    for variable in template.variables:
        found += _variable(findings, request, variable.field)
    found += _body(request, raw.body, template)
    found += _query(findings, request, raw.body, template)
    if raw.response_body and raw.response_body not in response.fields_by_name:
        found.append(f'response_body: {response.name} has no field "{raw.response_body}"')
    return [f"{name}: {text}" for text in found]


def _variable(findings: Findings, request: Descriptor, path: str) -> list[str]:
    """A variable must end at one plain value."""
    at: Any = request
    field: FieldDescriptor | None = None
    for part in path.split("."):
        if at is None or (field is not None and field.is_repeated):
            return (
                [f'"{path}" goes through "{field.name}", which is no single message']
                if field
                else []
            )
        field = at.fields_by_name.get(part)
        if field is None:
            return [f'{at.name} has no field "{part}"']
        at = field.message_type
    if field is None or field.is_repeated or at is not None:
        return [f'"{path}" is no single value; a path can only bind one']
    if findings.schema.option(field, "layout.v1.sensitive"):
        return [f'"{path}" is sensitive; paths are logged']
    return []


def _body(request: Descriptor, body: str, template: Template) -> list[str]:
    if body in ("", "*"):
        return []
    if body not in request.fields_by_name:
        return [f'body: {request.name} has no field "{body}"']
    return [
        f'"{variable.field}" is bound in the path and in the body'
        for variable in template.variables
        if variable.field.split(".")[0] == body
    ]


def _query(findings: Findings, request: Descriptor, body: str, template: Template) -> list[str]:
    """What neither path nor body binds comes by the query."""
    if body == "*":
        return []
    bound = {body, *(variable.field for variable in template.variables)}
    return [
        f'"{field.name}" is sensitive and would be read from the query; queries are logged'
        for field in request.fields
        if field.name not in bound and findings.schema.option(field, "layout.v1.sensitive")
    ]


def _claim(
    findings: Findings,
    method: MethodDescriptor,
    raw: Any,
    taken: dict[tuple[str, str], tuple[str, MethodDescriptor]],
    where: tuple[int, ...],
) -> None:
    """Two routes of one shape would hide each other, whatever their variables are called."""
    verb, path = method_and_path(raw)
    try:
        shape = parse_template(path).shape
    except ValueError:
        return
    rivals = [key for key in taken if key[1] == shape and (key[0] == verb or "*" in (key[0], verb))]
    for key in rivals:
        other, owner = taken[key]
        findings.add(
            method,
            f"{verb} {path}: same route as {other} of {owner.full_name} ({findings.place(owner)})",
            where,
        )
    taken.setdefault((verb, shape), (f"{verb} {path}", method))

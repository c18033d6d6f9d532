"""Operations of the document: what each takes and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.openapi.annotations import NOTHING
from pkg.openapi.answers import JSON, events
from pkg.openapi.parameters import LANGUAGE, Parameters, key_parameter
from pkg.openapi.paths import fields_at, spread
from pkg.openapi.samples import Samples
from pkg.rpc.operation import Auth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkg.errors.catalogue import Entry
    from pkg.openapi.answers import Answers
    from pkg.openapi.inputs import Inputs
    from pkg.openapi.replies import Replies
    from pkg.openapi.shapes import Json
    from pkg.proto.http_rule import HttpRule
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry


class Operations:
    """Makes the operations of one document."""

    def __init__(
        self,
        registry: Registry,
        answers: Answers,
        inputs: Inputs,
        replies: Replies,
        ids: Mapping[str, str],
    ) -> None:
        """`ids`: operationId of each operation, by its name."""
        self._catalogue = registry.catalogue
        self._schema = registry.schema
        self._answers = answers
        self._inputs = inputs
        self._replies = replies
        self._parameters = Parameters(self._schema, inputs)
        self._samples = Samples(registry, inputs)
        self._ids = ids

    def proto(self, operation: Operation, rule: HttpRule, index: int) -> tuple[str, Json]:
        """Path and operation of one HTTP rule of an RPC."""
        message = self._schema.pool.FindMessageTypeByName(operation.request)
        item = spread(rule.template, message)
        made = self._head(operation, index)
        parameters = list(self._parameters.of_path(item, message))
        if rule.body != "*":
            taken = {variable.field for variable in rule.template.variables}
            taken |= {rule.body} if rule.body else set()
            parameters += self._parameters.of_query(message, frozenset(taken))
        key = key_parameter(operation)
        parameters += [] if key is None else [key]
        made["parameters"] = [*parameters, {"$ref": LANGUAGE}]
        if rule.body:
            made["requestBody"] = self._body(operation, rule)
        reply = self._schema.pool.FindMessageTypeByName(operation.response)
        data = (
            self._replies.field(fields_at(reply, rule.response_body)[-1])
            if rule.response_body
            else self._replies.message(reply)
        )
        entries = self._entries(operation)
        made["responses"] = (
            merged(events(data), self._answers.failures(entries))
            if operation.server_streaming
            else self._answers.responses(data, entries)
        )
        return item.text, made

    def hand_written(self, operation: Operation, found: Json, index: int) -> Json:
        """An operation as FastAPI has it, with what the chain adds."""
        made = found | self._head(operation, index)
        made["tags"] = found.get("tags") or made["tags"]
        made["parameters"] = [*found.get("parameters", ()), {"$ref": LANGUAGE}]
        more = ("INVALID_ARGUMENT",) if found.get("x-validated") else ()
        made.pop("x-validated", None)
        failures = self._answers.failures(self._entries(operation, more))
        made["responses"] = merged(found["responses"], failures)
        return made

    def _entries(self, operation: Operation, more: Iterable[str] = ()) -> list[Entry]:
        """What the operation may be refused with; `more`: reasons beside those it declares."""
        reasons = {*self._catalogue.operation_reasons(operation), *more}
        if any("*" in segment for rule in operation.rules for segment in rule.template.segments):
            reasons.add("ROUTE_NOT_FOUND")  # a path that is not well escaped is nobody's
        return [self._catalogue.entries[reason] for reason in reasons]

    def _head(self, operation: Operation, index: int) -> Json:
        service = operation.name.partition("/")[0].rpartition(".")[2]
        suffix = f"_{index + 1}" if index else ""
        made: Json = {
            "operationId": self._ids[operation.name] + suffix,
            "tags": [service],
            "summary": operation.summary or operation.name.rpartition("/")[2],
        }
        if operation.description:
            made["description"] = operation.description
        public = operation.auth is Auth.PUBLIC
        made["security"] = [] if public else [{"bearer": []}]
        made["x-auth"] = operation.auth.value
        if operation.grant:
            made["x-grant"] = list(operation.grant)
        return made

    def _body(self, operation: Operation, rule: HttpRule) -> Json:
        message = self._schema.pool.FindMessageTypeByName(operation.request)
        if rule.body == "*":
            # What the path says the body need not say, and is not asked for.
            bound = frozenset(variable.field for variable in rule.template.variables)
            shape, required = self._inputs.body(message, bound)
            example = self._samples.message(message, bound)
        else:
            field = message.fields_by_name[rule.body]
            required = field.json_name in self._inputs.needed(message)
            shape = self._inputs.property(field, needed=required)
            example = self._samples.field(message, rule.body)
        content: Json = {"schema": shape}
        if example is not NOTHING:
            content["example"] = example
        return {"required": required, "content": {JSON: content}}


def merged(good: Json, failures: Json) -> Json:
    """Responses by status; where both have one, with the contents of both."""
    made = dict(good)
    for status, failure in failures.items():
        if status not in made:
            made[status] = failure
            continue
        held = made[status]
        content = dict(held.get("content", {}))
        for kind, body in failure["content"].items():
            if kind in content:
                schemas = [content[kind].get("schema", {}), body["schema"]]
                content[kind] = {**body, "schema": {"oneOf": schemas}}
            else:
                content[kind] = body
        text = f"{held['description']}, or\n\n{failure['description']}"
        made[status] = {**failure, "description": text, "content": content}
    return made

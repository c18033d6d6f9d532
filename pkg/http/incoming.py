"""A request's parts, and how they become the checked message, by the rules of google.api.http.

Two roads lead there. A body in the canonical shape goes straight into the object. Whatever is
unusual, wrong ones included, goes through a upb message, which knows every shape that JSON allows
and names the place of a fault. Both roads end in the rules of buf.validate: what is not surely
accepted as an object is held to them as a upb message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.http.query import Query
from pkg.http.refused import refused
from pkg.proto.json_fast import Slow
from pkg.proto.json_in import parse
from pkg.proto.misfit import Misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkg.errors import Fault
    from pkg.proto.http_rule import HttpRule
    from pkg.rpc.registry import Registry

    Read = Callable[["Incoming"], Any]


class Incoming:
    """A request as it came in: the chain's payload until the message is asked for."""

    __slots__ = ("_read", "body", "query", "refusal", "variables")

    def __init__(
        self,
        read: Read,
        body: bytes,
        query: bytes,
        variables: Mapping[str, str],
        refusal: Fault | None = None,
    ) -> None:
        """`refusal`: why the body was not read, raised when somebody wants the message."""
        self._read = read
        self.body = body
        self.query = query
        self.variables = variables
        self.refusal = refusal

    def message(self) -> Any:
        """The checked betterproto2 message.

        Raises:
            Fault: INVALID_ARGUMENT with what is wrong where; the refusal.
        """
        if self.refusal is not None:
            raise self.refusal
        return self._read(self)


def reader(registry: Registry, request: str, rule: HttpRule) -> Read:
    """What turns an `Incoming` of this rule into the message of that name, checked."""
    gather = _gatherer(registry, request, rule)
    load = registry.json_in.loader(request)
    fast = registry.json_fast.loader(request)
    to_object = registry.codec.from_upb(request)
    to_upb = registry.codec.to_upb(request)
    accepts = registry.acceptance.test(request)
    check = registry.rules.check

    def slow(values: Any) -> Any:
        sent = load(values)
        message = to_object(sent)
        if not accepts(message):
            check(sent)
        return message

    def read(incoming: Incoming) -> Any:
        try:
            values = gather(incoming)
            if fast is not None:
                try:
                    message = fast(values)
                except Slow:
                    return slow(values)
                if not accepts(message):
                    check(to_upb(message))
                return message
            return slow(values)
        except Misfit as misfit:
            raise refused(misfit) from misfit

    return read


def _gatherer(registry: Registry, request: str, rule: HttpRule) -> Callable[[Incoming], Any]:
    """What puts body, query and path together as the JSON of the whole message."""
    descriptor = registry.schema.pool.FindMessageTypeByName(request)
    bound = [variable.field for variable in rule.template.variables]
    query = Query(descriptor, [*bound, rule.body] if rule.body else bound)
    whole = rule.body == "*"
    part = descriptor.fields_by_name[rule.body].json_name if rule.body and not whole else ""

    def gather(incoming: Incoming) -> Any:
        values: Any = parse(incoming.body) if whole and incoming.body else {}
        if not whole:
            if part and incoming.body:
                values[part] = parse(incoming.body)
            if incoming.query:
                query.read(incoming.query, values)
        if incoming.variables:
            if type(values) is not dict:
                raise Misfit("", "object")
            for path, text in incoming.variables.items():
                query.bind(path, text, values)
        return values

    return gather

"""From a call that has ended to its record: masked by the schema, and cut to size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from pkg.audit.record import Record
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from pkg.proto.options import Audit

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

    from pkg.clock import Clock
    from pkg.rpc import Call
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

_OK: Final = "OK"
_LONGEST: Final = 256
"""Characters of what a caller can make up: the user agent, the name."""
_NO_BODY: Final = ("", False)


class Ended(NamedTuple):
    """A call that has ended, by reference: nothing is copied while somebody waits for a reply."""

    call: Call
    reply: Any
    """The reply message; None where there is none, or a stream of them."""
    reason: str
    begun: float
    """Monotonic."""
    ended: float


class RecordWriter:
    """Makes records. May be used by any thread."""

    def __init__(
        self,
        registry: Registry,
        *,
        service: str,
        max_body: int,
        clock: Clock,
        tokens: Tokens,
    ) -> None:
        """Prepare.

        Args:
            registry: knows the messages, which of their fields are sensitive, and the reasons.
            service: what serves the calls.
            max_body: bytes of a request or a reply.
            clock: the one that the calls were measured with.
            tokens: make the ids.
        """
        schema = registry.schema

        def sensitive(field: FieldDescriptor) -> bool:
            return bool(schema.option(field, "layout.v1.sensitive"))

        self._dumper = JsonWriter(registry.codec, hides=sensitive).dumper
        self._reasons = registry.catalogue.entries
        self._service = service
        self._max_body = max_body
        self._clock = clock
        self._tokens = tokens

    def write(self, ended: Ended) -> Record:
        """The record of a call."""
        call, answer, reason, begun, end = ended
        operation, principal, clock = call.operation, call.principal, self._clock
        request, reply = _NO_BODY, _NO_BODY
        if operation.audit is Audit.FULL:
            request = self._body(operation.request, call.request)
            reply = self._body(operation.response, answer)
        subject = name = role = tenant = ""
        if principal is not None:
            subject, name, role = principal.subject, principal.name[:_LONGEST], principal.role
            tenant = principal.tenant
        entry = self._reasons.get(reason)
        status = 0
        if call.kind == "http":
            status = entry.http if entry else 200 if operation.request and reason == _OK else 0
        return Record(  # by place, which costs a third of what names would
            self._tokens.hex(16),
            datetime.fromtimestamp(clock.time() - clock.monotonic() + begun, UTC),
            self._service,
            operation.name,
            call.kind,
            reason,
            timedelta(0, end - begun),
            call.peer,
            call.headers.get("user-agent", "")[:_LONGEST],
            subject,
            name,
            role,
            tenant,
            call.request_id,
            call.trace_id,
            0 if entry is None else entry.code,
            status,
            *request,
            *reply,
        )

    def _body(self, name: str, message: Any) -> tuple[str, bool]:
        """A message as JSON, and whether it was cut."""
        if message is None or not name:
            return _NO_BODY
        try:
            whole = orjson.dumps(self._dumper(name)(message), option=JSON_OPTIONS)
        except Exception as error:  # noqa: BLE001 - what cannot be shown must not cost the record
            # The error's text might say what the message holds.
            whole = orjson.dumps(f"not shown: {type(error).__name__}")
        if len(whole) <= self._max_body:
            return whole.decode(), False
        return whole[: self._max_body].decode(errors="ignore"), True

"""From a call that has ended to its record: masked by the schema, and cut to size."""

from __future__ import annotations

from datetime import timedelta
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
        call, reason = ended.call, ended.reason
        operation, principal = call.operation, call.principal
        request, reply = _NO_BODY, _NO_BODY
        if operation.audit is Audit.FULL:
            request = self._body(operation.request, call.request)
            reply = self._body(operation.response, ended.reply)
        entry = self._reasons.get(reason)
        status = entry.http if entry else 200 if operation.request and reason == _OK else 0
        ago = timedelta(seconds=self._clock.monotonic() - ended.begun)
        return Record(
            id=self._tokens.hex(16),
            time=self._clock.now() - ago,
            service=self._service,
            operation=operation.name,
            transport=call.kind,
            peer=call.peer,
            user_agent=call.headers.get("user-agent", "")[:_LONGEST],
            subject="" if principal is None else principal.subject,
            name="" if principal is None else principal.name[:_LONGEST],
            role="" if principal is None else principal.role,
            tenant="" if principal is None else principal.tenant,
            request_id=call.request_id,
            trace_id=call.trace_id,
            reason=reason,
            code=0 if entry is None else entry.code,
            http_status=status if call.kind == "http" else 0,
            duration=timedelta(seconds=ended.ended - ended.begun),
            request=request[0],
            request_truncated=request[1],
            reply=reply[0],
            reply_truncated=reply[1],
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

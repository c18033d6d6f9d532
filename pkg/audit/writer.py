"""From a call that has ended to its record: masked by the schema, and cut to size.

What is the same for all calls of an operation that ended alike is written once: messages in the
wire format are put together by putting one behind the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from pkg.audit.record import MESSAGE, Record
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from pkg.proto.options import Audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import FieldDescriptor

    from pkg.clock import Clock
    from pkg.rpc import Call, Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

    Dump = Callable[[Any], Any]

_OK: Final = "OK"
_LONGEST: Final = 256
"""Characters of what a caller can make up: the user agent, the name."""


class Ended(NamedTuple):
    """A call that has ended, by reference: nothing is copied while somebody waits for a reply."""

    call: Call
    reply: Any
    """The reply message; None where there is none, or a stream of them."""
    reason: str
    begun: float
    """Monotonic."""
    ended: float


class _Alike(NamedTuple):
    """What the records of calls of one operation that ended alike have in common."""

    opening: bytes
    """The fields that are the same for all of them, in the wire format."""
    request: Dump | None
    """What makes of the request what orjson takes; None where it is not recorded."""
    reply: Dump | None


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
        self._type: Any = schema.message(MESSAGE)
        self._service = service
        self._max_body = max_body
        self._clock = clock
        self._tokens = tokens
        self._alike: dict[tuple[str, str, str], _Alike] = {}

    def write(self, ended: Ended) -> Record:
        """The record of a call."""
        call, answer, reason, begun, end = ended
        kind = (call.operation.name, call.kind, reason)
        alike = self._alike.get(kind)
        if alike is None:
            alike = self._alike[kind] = self._learn(call.operation, call.kind, reason)
        record_id, subject, clock = self._tokens.hex(16), "", self._clock
        made = self._type()
        # Set one by one, also within the times: half of what it costs to hand upb all of them.
        made.id = record_id
        made.peer = call.peer
        made.user_agent = call.headers.get("user-agent", "")[:_LONGEST]
        made.request_id = call.request_id
        made.trace_id = call.trace_id
        principal = call.principal
        if principal is not None:
            made.subject = subject = principal.subject
            made.name = principal.name[:_LONGEST]
            made.role = principal.role
            made.tenant = principal.tenant
        time, duration = made.time, made.duration
        micros = round((clock.time() - clock.monotonic() + begun) * 1e6)
        time.seconds, time.nanos = micros // 1_000_000, micros % 1_000_000 * 1000
        micros = round((end - begun) * 1e6)
        duration.seconds, duration.nanos = micros // 1_000_000, micros % 1_000_000 * 1000
        if alike.request is not None and call.request is not None:
            body = _shown(alike.request, call.request)
            made.request_truncated = len(body) > self._max_body
            made.request = self._cut(body)
        if alike.reply is not None and answer is not None:
            body = _shown(alike.reply, answer)
            made.reply_truncated = len(body) > self._max_body
            made.reply = self._cut(body)
        return Record(record_id, subject, alike.opening + made.SerializeToString())

    def _learn(self, operation: Operation, kind: str, reason: str) -> _Alike:
        entry = self._reasons.get(reason)
        status = 0
        if kind == "http":
            status = entry.http if entry else 200 if operation.request and reason == _OK else 0
        opening = self._type(
            service=self._service,
            operation=operation.name,
            transport=kind,
            reason=reason,
            code=0 if entry is None else entry.code,
            http_status=status,
        )
        full = operation.audit is Audit.FULL
        return _Alike(
            opening.SerializeToString(),
            self._dumper(operation.request) if full and operation.request else None,
            self._dumper(operation.response) if full and operation.response else None,
        )

    def _cut(self, body: bytes) -> bytes | str:
        """As much of a body as is recorded, and no half of a letter."""
        most = self._max_body
        return body if len(body) <= most else body[:most].decode(errors="ignore")


def _shown(dump: Dump, message: Any) -> bytes:
    """A message as JSON."""
    try:
        return orjson.dumps(dump(message), option=JSON_OPTIONS)
    except Exception as error:  # noqa: BLE001 - what cannot be shown must not cost the record
        # The error's text might say what the message holds.
        return orjson.dumps(f"not shown: {type(error).__name__}")

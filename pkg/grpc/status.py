"""A refusal as gRPC carries it: a status with google.rpc details, and back to the `Fault`.

Details: ErrorInfo (reason, domain, the numeric code and the fault's metadata), LocalizedMessage,
RequestInfo (the trace id), BadRequest for violations, RetryInfo where the fault says `retry_after`,
which is metadata too, QuotaFailure where it says whose `quota` is used up.
They travel in a trailer, and clients refuse trailers above some 8 KiB; so long texts are cut and
only the first violations are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from pkg.errors.fault import Fault, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkg.errors.catalogue import Entry
    from pkg.rpc.call import Call
    from pkg.rpc.registry import Registry

DETAILS: Final = "grpc-status-details-bin"

_CODES: Final[Mapping[int, Any]] = {code.value[0]: code for code in grpc.StatusCode}
_TEXT_ROOM: Final = 512
"""Bytes of a text in a header, where one of other than ASCII takes three."""
_VIOLATIONS_ROOM: Final = 2048
_METADATA_ROOM: Final = 512
_RETRY_AFTER: Final = "retry-after"

_BARE: Final[Mapping[Any, str]] = {
    grpc.StatusCode.UNAVAILABLE: "UNAVAILABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.CANCELLED: "UNAVAILABLE",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "UNAVAILABLE",
}
"""Reasons for what the transport itself, and no service of ours, says. All else is a defect."""


class Statuses:
    """Writes refusals for one server."""

    def __init__(self, registry: Registry) -> None:
        self._catalogue = registry.catalogue
        self._translate = registry.translate

    async def refuse(self, context: Any, call: Call, error: BaseException) -> None:
        """End the call with the error's status; raises what grpc.aio ends a call by."""
        entry = self._catalogue.entry(error)
        # What a Fault says is told only if it leaves under its own reason.
        fault = error if isinstance(error, Fault) and error.reason == entry.reason else None
        text = _cut(self._catalogue.text(error, call.language))
        status = status_pb2.Status(code=entry.grpc, message=text)
        for detail in self._details(call, entry, fault, text):
            held: any_pb2.Any = status.details.add()
            held.Pack(detail)
        trailers = [*call.reply_headers, (DETAILS, status.SerializeToString())]
        if fault and (seconds := _number(fault.metadata.get("retry_after", ""))) is not None:
            trailers.append((_RETRY_AFTER, str(seconds)))
        await context.abort(_CODES[entry.grpc], text, tuple(trailers))

    def _details(
        self, call: Call, entry: Entry, fault: Fault | None, text: str
    ) -> Iterator[Message]:
        metadata = _bounded(fault.metadata) if fault else {}
        metadata["code"] = str(entry.code)
        if fault and fault.detail:
            metadata["detail"] = _cut(fault.detail)
        yield error_details_pb2.ErrorInfo(
            reason=entry.reason, domain=entry.domain, metadata=metadata
        )
        yield error_details_pb2.LocalizedMessage(locale=call.language, message=text)
        yield error_details_pb2.RequestInfo(request_id=call.trace_id)
        if fault and fault.violations:
            yield self._bad_request(fault.violations, call.language)
        if fault and (seconds := _number(fault.metadata.get("retry_after", ""))) is not None:
            delay = duration_pb2.Duration(seconds=seconds)
            yield error_details_pb2.RetryInfo(retry_delay=delay)
        if fault and (quota := fault.metadata.get("quota")):
            yield _quota_failure(quota, fault.metadata.get("quota_value", ""), text)

    def _bad_request(self, violations: tuple[Violation, ...], language: str) -> Message:
        request: Any = error_details_pb2.BadRequest()
        for violation in violations:
            told = error_details_pb2.BadRequest.FieldViolation(
                field=_cut(violation.field),
                description=_cut(self._translate(violation, language)),
                reason=violation.rule,
            )
            if request.ByteSize() + told.ByteSize() > _VIOLATIONS_ROOM:
                break
            request.field_violations.append(told)
        found: Message = request
        return found


def fault_of(error: Any) -> Fault:
    """The `Fault` that an `AioRpcError` stands for; what refused is its cause.

    Without details it was no service of ours that spoke, and its words, which may name addresses,
    stay in the cause.
    """
    raw = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
    fault = _from_details(raw, _BARE.get(error.code(), "INTERNAL"))
    fault.__cause__ = error
    return fault


def _from_details(raw: bytes, bare: str) -> Fault:
    """`bare`: the reason where the details give none."""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    try:
        for detail in status_pb2.Status.FromString(raw).details:
            any(detail.Unpack(each) for each in (info, request, retry))
    except DecodeError:
        return Fault(bare)
    metadata = dict(info.metadata) if info.reason else {}
    metadata.pop("code", None)
    if retry.HasField("retry_delay"):
        delay = retry.retry_delay
        metadata.setdefault("retry_after", str(max(0, delay.seconds + (delay.nanos > 0))))
    if not info.reason:
        return Fault(bare, metadata=metadata)
    return Fault(
        info.reason,
        metadata.pop("detail", ""),
        violations=tuple(
            Violation(each.field, each.reason, each.description)
            for each in request.field_violations
        ),
        metadata=metadata,
    )


def _bounded(metadata: Mapping[str, str]) -> dict[str, str]:
    """As many of the facts as there is room for."""
    room, kept = _METADATA_ROOM, {}
    for name, value in metadata.items():
        room -= len(name.encode()) + len(value.encode())
        if room >= 0:
            kept[name] = value
    return kept


def _quota_failure(quota: str, value: str, text: str) -> Message:
    violation = error_details_pb2.QuotaFailure.Violation(subject=_cut(quota), description=text)
    if (number := _number(value)) is not None:
        violation.quota_value = number
    found: Message = error_details_pb2.QuotaFailure(violations=(violation,))
    return found


def _number(text: str) -> int | None:
    """A count; of `retry_after`, whole seconds as HTTP has them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _cut(text: str) -> str:
    """The text, or as much of it as takes `_TEXT_ROOM` on the wire."""
    if len(text) * 9 <= _TEXT_ROOM or len(quote(text)) <= _TEXT_ROOM:
        return text
    room = _TEXT_ROOM
    for at, character in enumerate(text):
        room -= len(quote(character))
        if room < 0:
            return text[:at] + "…"
    return text

"""How each reason leaves the process: its number, its statuses, and its text in every language.

Read from every enum of the schema that says `layout.v1.catalogue`. What is read is complete and
unambiguous, else the catalogue is not made: the process does not start and a test fails. Knows
proto, so biz imports `pkg.errors` alone and never this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pkg.errors.fault import Fault
from pkg.proto.options import Idempotency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkg.proto.schema import Schema
    from pkg.rpc.operation import Operation

LANGUAGES: Final = ("zh", "en")
"""What every text is written in. The first is spoken to whoever asks for nothing we know."""

SUCCESS: Final[Mapping[str, str]] = MappingProxyType({"zh": "成功", "en": "OK"})
"""What a reply says that is no refusal; its code is 0."""

INTERNAL: Final = "INTERNAL"
"""The reason of whatever is raised that is no known `Fault`."""

_EVERY_OPERATION: Final = (
    INTERNAL,
    "DEADLINE_EXCEEDED",
    "UNAVAILABLE",
    "OVERLOADED",
    "TOO_MANY_REQUESTS",
)
_WITH_REQUEST: Final = ("INVALID_ARGUMENT",)
_WITH_BODY: Final = ("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
_WITH_TOKEN: Final = ("UNAUTHENTICATED", "TOKEN_EXPIRED")
_WITH_POLICY: Final = ("PERMISSION_DENIED",)
_WITH_KEY: Final = (
    "IDEMPOTENCY_KEY_MISSING",
    "IDEMPOTENCY_KEY_REUSED",
    "IDEMPOTENCY_IN_PROGRESS",
)
_UNROUTED: Final = ("ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED")
_OUR_OWN: Final = (
    *_EVERY_OPERATION,
    *_WITH_REQUEST,
    *_WITH_BODY,
    *_WITH_TOKEN,
    *_WITH_POLICY,
    *_WITH_KEY,
    *_UNROUTED,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason, as the catalogue has it."""

    reason: str
    domain: str
    """Proto package that declares it, e.g. `user.http.v1`."""
    code: int
    """The number in the body; unique over all services, never 0."""
    http: int
    """4xx or 5xx."""
    grpc: int
    """gRPC status code by number, 1 to 16."""
    text: Mapping[str, str]
    """Language -> message, for every language of `LANGUAGES`."""


class Catalogue:
    """Every reason of one schema."""

    def __init__(self, schema: Schema) -> None:
        """Read the schema's catalogue enums.

        Raises:
            ValueError: a value lacks its error, it or a detail lacks a text, a value has a bad
                status, or shares its name or code with another; or a reason that the transports
                themselves need is missing.
        """
        entries: dict[str, Entry] = {}
        by_code: dict[int, str] = {}
        for place, entry in _read(schema):
            if entry.reason in entries:
                raise ValueError(f"{place}: {entries[entry.reason].domain} has that reason too")
            if entry.code in by_code:
                raise ValueError(f"{place}: {by_code[entry.code]} has the code {entry.code} too")
            entries[entry.reason] = entry
            by_code[entry.code] = place
        if missing := [reason for reason in _OUR_OWN if reason not in entries]:
            raise ValueError(f"no catalogue enum declares {', '.join(missing)}")
        self.entries: Mapping[str, Entry] = MappingProxyType(entries)
        self._details = dict(_read_details(schema))

    def entry(self, error: BaseException) -> Entry:
        """How this error leaves the process; INTERNAL for all but a `Fault` with a known reason."""
        if isinstance(error, Fault):
            found = self.entries.get(error.reason)
            if found is not None:
                return found
        return self.entries[INTERNAL]

    def text(self, error: BaseException, language: str) -> str:
        """The message for the caller: the reason's text, and the fault's detail after a colon.

        Only a known fault's detail is told; what any other error says stays inside.
        """
        entry = self.entry(error)
        text = entry.text.get(language) or entry.text[LANGUAGES[0]]
        detail = self.detail(error, language)
        return f"{text}: {detail}" if detail else text

    def detail(self, error: BaseException, language: str) -> str:
        """A known fault's detail in the caller's language; in English where nobody translated it.

        Empty for any other error: what it says stays inside.
        """
        if not isinstance(error, Fault) or error.reason not in self.entries:
            return ""
        translated = self._details.get(error.detail)
        return error.detail if translated is None else translated.get(language, error.detail)

    def operation_reasons(self, operation: Operation) -> tuple[str, ...]:
        """Every reason that a call of the operation may be answered with, in order of their codes.

        Raises:
            ValueError: the operation declares a reason that no catalogue enum has.
        """
        if unknown := [reason for reason in operation.reasons if reason not in self.entries]:
            raise ValueError(f"{operation.name}: no catalogue enum declares {', '.join(unknown)}")
        reasons = {*_EVERY_OPERATION, *operation.reasons}
        if operation.request:
            reasons.update(_WITH_REQUEST)
        if any(rule.body for rule in operation.rules):
            reasons.update(_WITH_BODY)
        if operation.auth.needs_token:
            reasons.update(_WITH_TOKEN)
        if operation.auth.needs_policy:
            reasons.update(_WITH_POLICY)
        if operation.idempotency is not Idempotency.NONE:
            reasons.update(_WITH_KEY)
        return tuple(sorted(reasons, key=lambda reason: self.entries[reason].code))


def _read(schema: Schema) -> Iterator[tuple[str, Entry]]:
    for enum in schema.enums():
        if not schema.option(enum, "layout.v1.catalogue"):
            continue
        domain = enum.file.package
        for value in enum.values:
            place = f"{enum.full_name}.{value.name}"
            error = schema.option(value, "layout.v1.error")
            if error is not None:
                yield place, _entry(place, domain, value.name, error)
            elif value.number != 0:
                raise ValueError(f"{place}: no (layout.v1.error)")


def _read_details(schema: Schema) -> Iterator[tuple[str, Mapping[str, str]]]:
    """English detail -> language -> detail."""
    for enum in schema.enums():
        for detail in schema.option(enum, "layout.v1.detail") or ():
            texts = {language: getattr(detail, language) for language in LANGUAGES}
            if silent := [language for language, text in texts.items() if not text.strip()]:
                raise ValueError(f"{enum.full_name}: a detail without text in {', '.join(silent)}")
            yield texts["en"], MappingProxyType(texts)


def _entry(place: str, domain: str, reason: str, error: Any) -> Entry:
    if error.code <= 0:
        raise ValueError(f"{place}: the code is {error.code}; it must be above 0")
    if not 400 <= error.http <= 599:
        raise ValueError(f"{place}: the HTTP status is {error.http}; it must be 400 to 599")
    if not 1 <= error.grpc <= 16:
        raise ValueError(f"{place}: the gRPC status is {error.grpc}; it must be 1 to 16")
    text = {language: getattr(error.text, language) for language in LANGUAGES}
    if silent := [language for language, message in text.items() if not message.strip()]:
        raise ValueError(f"{place}: no text in {', '.join(silent)}")
    return Entry(reason, domain, error.code, error.http, error.grpc, MappingProxyType(text))

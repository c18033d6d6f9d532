"""What operations answer, by status, in one of the three profiles."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from pkg.errors.catalogue import LANGUAGES, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pkg.errors.catalogue import Entry
    from pkg.openapi.shapes import Json

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
EVENTS: Final = "text/event-stream"

_TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
_TRACE_ID: Final[Json] = {
    "type": "string",
    "pattern": "^[0-9a-f]{32}$",
    "description": "Id of the trace, to be quoted when something went wrong.",
}
_VIOLATION: Final[Json] = {
    "type": "object",
    "description": "One rule that one field breaks.",
    "properties": {
        "field": {
            "type": "string",
            "description": "Path of the field; empty for the message as a whole.",
        },
        "rule": {"type": "string", "examples": ["string.min_len"]},
        "message": {"type": "string", "description": "In the caller's language."},
    },
    "required": ["field", "rule", "message"],
}
_VIOLATIONS: Final[Json] = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/Violation"},
}
_EVENTS_TEXT: Final = (
    "Server-sent events. The schema is that of the `data` of one event. An `event: error` has the "
    "body of a refusal for its `data`, and ends the stream."
)
_FAILURE: Final = {"$ref": "#/components/schemas/Failure"}

HEADERS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "Content-Language": {
            "description": "Language of the messages.",
            "schema": {"type": "string", "enum": list(LANGUAGES)},
        },
        "X-Request-Id": {
            "description": "Id of the request: the caller's own, if it sent one.",
            "schema": {"type": "string"},
        },
        "WWW-Authenticate": {
            "description": "How to authenticate.",
            "schema": {"type": "string"},
        },
        "Retry-After": {
            "description": "Seconds until another try makes sense.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
    }
)
_ALWAYS: Final = ("Content-Language", "X-Request-Id")
_BY_STATUS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "401": ("WWW-Authenticate",),
        "429": ("Retry-After",),
        "503": ("Retry-After",),
    }
)


def header_refs(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


class Answers(Protocol):
    """Schemas of replies in one profile."""

    schemas: Mapping[str, Json]
    """Components that the answers refer to."""

    def good(self, data: Json) -> Json:
        """The body of a success with this data."""
        ...

    def responses(self, data: Json, entries: Sequence[Entry]) -> Json:
        """OpenAPI's responses: success with this data, and these refusals."""
        ...

    def failures(self, entries: Sequence[Entry]) -> Json:
        """The refusals alone, by status."""
        ...


class EnvelopeAnswers:
    """`{"code", "msg", "data", "traceID"}`; `flat`: all with status 200."""

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        data = {"type": "object", "properties": {"violations": _VIOLATIONS}}
        self.schemas: Mapping[str, Json] = {
            "Violation": _VIOLATION,
            "Failure": _envelope({"type": "integer"}, {"type": "string"}, data),
        }

    def good(self, data: Json) -> Json:
        return _envelope({"const": 0}, {"enum": [SUCCESS[each] for each in LANGUAGES]}, data)

    def responses(self, data: Json, entries: Sequence[Entry]) -> Json:
        made = {"200": _response("OK", JSON, self.good(data))}
        failures = self.failures(entries)
        if self._flat and "200" in failures:
            told = failures["200"]
            body = made["200"]["content"][JSON]
            body["schema"] = {"oneOf": [body["schema"], told["content"][JSON]["schema"]]}
            body["examples"] = told["content"][JSON]["examples"]
            made["200"]["description"] = f"OK, or\n\n{told['description']}"
            return made
        return made | failures

    def failures(self, entries: Sequence[Entry]) -> Json:
        return {
            status: _response(
                _described(found), JSON, _with_codes(found), _examples(found, self._example), status
            )
            for status, found in _by_status(entries, flat=self._flat).items()
        }

    @staticmethod
    def _example(entry: Entry) -> Json:
        return {"code": entry.code, "msg": entry.text["zh"], "data": {}, "traceID": _TRACE}


class ProblemAnswers:
    """The bare message; refusals by RFC 9457."""

    schemas: Mapping[str, Json] = MappingProxyType(
        {
            "Violation": _VIOLATION,
            "Failure": {
                "type": "object",
                "description": "RFC 9457.",
                "properties": {
                    "type": {"type": "string", "format": "uri"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "integer"},
                    "traceID": _TRACE_ID,
                    "errors": _VIOLATIONS,
                },
                "required": ["type", "title", "status", "detail", "code", "traceID", "errors"],
            },
        }
    )

    def good(self, data: Json) -> Json:
        return data

    def responses(self, data: Json, entries: Sequence[Entry]) -> Json:
        return {"200": _response("OK", JSON, data)} | self.failures(entries)

    def failures(self, entries: Sequence[Entry]) -> Json:
        return {
            status: _response(
                _described(found),
                PROBLEM,
                _with_codes(found),
                _examples(found, self._example),
                status,
            )
            for status, found in _by_status(entries, flat=False).items()
        }

    @staticmethod
    def _example(entry: Entry) -> Json:
        return {
            "type": f"urn:reason:{entry.domain}:{entry.reason}",
            "title": entry.text["zh"],
            "status": entry.http,
            "detail": "",
            "code": entry.code,
            "traceID": _TRACE,
            "errors": [],
        }


def events(data: Json) -> Json:
    """The success of a stream. `data`: of one event, since OpenAPI 3.1 has no word for many."""
    return {"200": _response(_EVENTS_TEXT, EVENTS, data)}


def answers_of(profile: str) -> Answers:
    """For the name of a profile: envelope, compat or problem."""
    if profile == "problem":
        return ProblemAnswers()
    return EnvelopeAnswers(flat=profile == "compat")


def _envelope(code: Json, text: Json, data: Json) -> Json:
    return {
        "type": "object",
        "properties": {"code": code, "msg": text, "data": data, "traceID": _TRACE_ID},
        "required": ["code", "msg", "data", "traceID"],
    }


def _response(
    text: str, kind: str, schema: Json, examples: Json | None = None, status: str = "200"
) -> Json:
    content: Json = {"schema": schema}
    if examples:
        content["examples"] = examples
    headers = header_refs((*_ALWAYS, *_BY_STATUS.get(status, ())))
    return {"description": text, "headers": headers, "content": {kind: content}}


def _by_status(entries: Sequence[Entry], *, flat: bool) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: (each.http, each.code)):
        found.setdefault("200" if flat else str(entry.http), []).append(entry)
    return found


def _described(entries: Sequence[Entry]) -> str:
    return "\n".join(
        f"- `{each.code}` {each.reason}: {each.text['zh']} / {each.text['en']}" for each in entries
    )


def _with_codes(entries: Sequence[Entry]) -> Json:
    codes = {"type": "object", "properties": {"code": {"enum": [each.code for each in entries]}}}
    return {"allOf": [_FAILURE, codes]}


def _examples(entries: Sequence[Entry], example: Any) -> Json:
    return {each.reason: {"summary": each.text["en"], "value": example(each)} for each in entries}

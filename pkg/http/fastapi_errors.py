"""What FastAPI and Starlette refuse, as faults of the catalogue."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pkg.errors import Fault, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "ROUTE_NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        413: "BODY_TOO_LARGE",
        415: "UNSUPPORTED_MEDIA_TYPE",
        429: "TOO_MANY_REQUESTS",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)
"""Other statuses below 500 are INVALID_ARGUMENT, others from 500 on INTERNAL."""

_RULES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "missing": ("required", {}),
        "string_too_short": ("string.min_len", {"min_len": "min_length"}),
        "string_too_long": ("string.max_len", {"max_len": "max_length"}),
        "string_pattern_mismatch": ("string.pattern", {"pattern": "pattern"}),
        "too_short": ("repeated.min_items", {"min_items": "min_length"}),
        "too_long": ("repeated.max_items", {"max_items": "max_length"}),
        "greater_than": ("double.gt", {"gt": "gt"}),
        "greater_than_equal": ("double.gte", {"gte": "ge"}),
        "less_than": ("double.lt", {"lt": "lt"}),
        "less_than_equal": ("double.lte", {"lte": "le"}),
        "enum": ("string.in", {"in": "expected"}),
        "literal_error": ("string.in", {"in": "expected"}),
    }
)
"""Pydantic's names for what buf.validate has rules for, and where each value of the rule stands."""


def fault_of(error: Exception) -> Fault | None:
    """The fault that says the same; None for an error that is nobody's refusal, a defect."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, RequestValidationError):
        violations = tuple(_violation(each) for each in error.errors())
        return Fault("INVALID_ARGUMENT", violations=violations)
    if isinstance(error, ClientDisconnect):
        return Fault("INVALID_ARGUMENT", "the body ended early")
    if isinstance(error, HTTPException):
        # FastAPI wraps what goes wrong while it reads a body; our own limit is one such thing.
        if isinstance(error.__cause__, Fault):
            return error.__cause__
        if error.status_code >= 500 and error.status_code not in _REASONS:
            return None
        return Fault(_REASONS.get(error.status_code, "INVALID_ARGUMENT"), _detail(error))
    return None


def headers_of(error: Exception) -> list[tuple[str, str]]:
    """The headers that a Starlette refusal wants to go with it."""
    if isinstance(error, HTTPException) and error.headers:
        return [(name.lower(), value) for name, value in error.headers.items()]
    return []


def _detail(error: HTTPException) -> str:
    """What whoever raised it wrote; not the phrase that Starlette puts in its place."""
    plain = HTTPException(error.status_code).detail
    return error.detail if isinstance(error.detail, str) and error.detail != plain else ""


def _violation(error: Mapping[str, Any]) -> Violation:
    rule, places = _RULES.get(error["type"], ("type", {}))
    context = error.get("ctx", {})
    params = {name: str(context.get(place, "")) for name, place in places.items()}
    if rule == "type":
        params = {"text.zh": "格式不正确"}
    return Violation(_path(error["loc"]), rule, str(error["msg"]), params)


def _path(location: Sequence[int | str]) -> str:
    """Without the first part, which says whether it was in the body, the path or the query."""
    path = ""
    for part in location[1:]:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path

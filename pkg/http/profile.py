"""How a reply body looks.

envelope   {"code", "msg", "data", "traceID"} with a true HTTP status
compat     the same, always with status 200, as clients of the first contract expect
problem    RFC 9457: the bare message, or application/problem+json

A refusal never tells more than its `Fault`: what any other error says stays inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import orjson

from pkg.errors import Fault
from pkg.errors.catalogue import LANGUAGES, SUCCESS
from pkg.proto.json_out import JSON_OPTIONS

if TYPE_CHECKING:
    from pkg.errors.catalogue import Catalogue, Entry
    from pkg.rpc.call import Call
    from pkg.rpc.registry import Registry, Translate

ProfileName = Literal["envelope", "compat", "problem"]

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, content type and body."""

    status: int
    kind: bytes
    body: bytes


class Profile(Protocol):
    """Writes what a call came to."""

    def success(self, data: Any, call: Call) -> Reply:
        """The reply message, as what orjson takes."""
        ...

    def wrap(self, data: bytes, status: int, call: Call) -> Reply:
        """A success whose data is JSON already, of a hand-written route."""
        ...

    def failure(self, error: BaseException, call: Call) -> Reply:
        """The refusal, in the caller's language."""
        ...


class Envelope:
    """{"code", "msg", "data", "traceID"}, in this order."""

    def __init__(self, catalogue: Catalogue, translate: Translate, *, flat: bool = False) -> None:
        """`flat`: the status is 200 whatever happened."""
        self._catalogue = catalogue
        self._translate = translate
        self._flat = flat

    def success(self, data: Any, call: Call) -> Reply:
        return Reply(200, JSON, _envelope(0, SUCCESS[call.language], data, call))

    def wrap(self, data: bytes, status: int, call: Call) -> Reply:
        fragment = orjson.Fragment(b"{}" if data == b"null" else data)
        body = _envelope(0, SUCCESS[call.language], fragment, call)
        return Reply(200 if self._flat else status, JSON, body)

    def failure(self, error: BaseException, call: Call) -> Reply:
        entry = self._catalogue.entry(error)
        found = violations(error, entry, self._translate, call.language)
        text = self._catalogue.text(error, call.language)
        body = _envelope(entry.code, text, {"violations": found} if found else {}, call)
        return Reply(200 if self._flat else entry.http, JSON, body)


class Problem:
    """RFC 9457, with `code`, `traceID` and `errors` beside its own members."""

    def __init__(self, catalogue: Catalogue, translate: Translate) -> None:
        self._catalogue = catalogue
        self._translate = translate

    def success(self, data: Any, call: Call) -> Reply:
        return Reply(200, JSON, orjson.dumps(data, option=JSON_OPTIONS))

    def wrap(self, data: bytes, status: int, call: Call) -> Reply:
        return Reply(status, JSON, data)

    def failure(self, error: BaseException, call: Call) -> Reply:
        entry = self._catalogue.entry(error)
        body = {
            "type": f"urn:reason:{entry.domain}:{entry.reason}",
            "title": entry.text.get(call.language) or entry.text[LANGUAGES[0]],
            "status": entry.http,
            "detail": self._catalogue.detail(error, call.language),
            "code": entry.code,
            "traceID": call.trace_id,
            "errors": violations(error, entry, self._translate, call.language),
        }
        return Reply(entry.http, PROBLEM, orjson.dumps(body, option=JSON_OPTIONS))


def profile_of(name: ProfileName, registry: Registry) -> Profile:
    """The profile that `server.http.responseProfile` names."""
    catalogue, translate = registry.catalogue, registry.translate
    if name == "problem":
        return Problem(catalogue, translate)
    return Envelope(catalogue, translate, flat=name == "compat")


def violations(
    error: BaseException, entry: Entry, translate: Translate, language: str
) -> list[dict[str, str]]:
    """What is wrong with which field, for people in that language; of a known fault only."""
    if not isinstance(error, Fault) or error.reason != entry.reason:
        return []
    return [
        {"field": each.field, "rule": each.rule, "message": translate(each, language)}
        for each in error.violations
    ]


def _envelope(code: int, text: str, data: Any, call: Call) -> bytes:
    body = {"code": code, "msg": text, "data": data, "traceID": call.trace_id}
    return orjson.dumps(body, option=JSON_OPTIONS)

"""Calls as a transport would make them."""

from __future__ import annotations

from typing import Any

from pkg.rpc import Auth, Call, Handler, Middleware, Operation, Principal

PRINCIPAL = Principal(
    subject="u1", name="alice", role="user", token_id="t1", session="s1", expires_at=2e9
)


def operation(**changes: Any) -> Operation:
    facts: dict[str, Any] = {"name": "lab.v1.Lab/Do", "request": "lab.v1.DoRequest"}
    return Operation(**(facts | changes))


def call(on: Operation | None = None, **changes: Any) -> Call:
    facts: dict[str, Any] = {
        "kind": "http",
        "operation": on or operation(),
        "headers": {},
        "peer": "192.0.2.1",
        "language": "en",
        "trace_id": "0" * 32,
    }
    return Call(**(facts | changes))


def signed_in(on: Operation | None = None) -> Call:
    return call(on, principal=PRINCIPAL)


class Service:
    """The innermost handler: keeps what reached it, and answers or raises as it is told."""

    def __init__(self, answer: Any = "reply") -> None:
        self.answer = answer
        self.payloads: list[Any] = []

    async def __call__(self, call: Call, payload: Any) -> Any:
        self.payloads.append(payload)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def around(middleware: Middleware, service: Handler, **changes: Any) -> Handler:
    """The service inside one middleware, for an operation."""
    return middleware(service, operation(**changes))


PUBLIC = Auth.PUBLIC
SIGNED_IN = Auth.SIGNED_IN
